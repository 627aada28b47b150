"""The one Temporal workflow: it runs any definition by the interpreter."""

import asyncio
from typing import Any

from temporalio import workflow
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

with workflow.unsafe.imports_passed_through():
    from biz.dsl.checkpoint import MAX_CHECKPOINT_LENGTH
    from biz.dsl.errors import TaskFault, WorkflowError
    from biz.dsl.interpreter import Interpreter
    from biz.dsl.run_control import RunControl
    from biz.dsl.validator import InvalidWorkflow, load_workflow
    from biz.engine import (
        CHECKPOINT_QUERY,
        ORDER_SIGNAL,
        UNWRITTEN_QUERY,
        WAKE_SIGNAL,
        WORKFLOW_TYPE,
        RunOrder,
        RunRequest,
    )
    from biz.executions.execution import ExecutionEnd, ExecutionStatus
    from workflows.event_listening import EventListening
    from workflows.orders import Orders
    from workflows.runtime import TemporalRuntime


@workflow.defn(name=WORKFLOW_TYPE)
class DefinitionWorkflow:
    """A run. Its result is the workflow's output; a fault fails it with the problem details."""

    def __init__(self) -> None:
        self._listening = EventListening()
        self._control = RunControl()
        self._orders = Orders(self._control)
        self._runtime: TemporalRuntime | None = None
        self._interpreter: Interpreter | None = None

    @workflow.signal(name=WAKE_SIGNAL)
    def wake(self) -> None:
        """An event may be there that the run listens for."""
        self._listening.wake()

    @workflow.signal(name=ORDER_SIGNAL)
    def order(self, order: RunOrder) -> None:
        """Somebody suspends, resumes or ends the run."""
        self._orders.take(order)

    @workflow.query(name=UNWRITTEN_QUERY)
    def unwritten_history(self) -> str:
        """The text of a batch: what was told, and isn't known to be written."""
        return self._runtime.unwritten_history() if self._runtime else ""

    @workflow.query(name=CHECKPOINT_QUERY)
    def checkpoint(self) -> str:
        """The text of where the run stands, empty where it is too large to be kept."""
        if self._interpreter is None:
            return ""
        text = self._interpreter.checkpoint().to_text()
        return text if len(text) <= MAX_CHECKPOINT_LENGTH else ""

    def _remains(self) -> str:
        """The text of what another run must know of a completed one, empty for nothing."""
        if self._interpreter is None:
            return ""
        remains = self._interpreter.remains()
        return remains.to_text() if remains.consumed else ""

    @workflow.run
    async def run(self, request: RunRequest) -> Any:
        """Interprets the definition, and writes how it ended before Temporal knows of it."""
        runtime = self._runtime = TemporalRuntime(
            execution_id=request.execution_id,
            namespace=request.namespace,
            engine_version=request.engine_version,
            revision=request.revision,
            listening=self._listening,
            control=self._control,
            orders=self._orders,
            depth=request.depth,
        )
        output, error = None, None
        try:
            if request.depth:
                await runtime.record_start()
            checkpoint = await runtime.load_checkpoint() if request.takes_up else None
            definition = load_workflow(request.definition)
            self._interpreter = Interpreter(
                definition, runtime, self._control, checkpoint=checkpoint
            )
            with runtime.children.followed():
                output = await self._interpreter.run(request.input)
        except asyncio.CancelledError:
            await runtime.record_end(
                _end(
                    ExecutionStatus.CANCELLED,
                    error=self._control.cancellation,
                    checkpoint=self.checkpoint(),
                )
            )
            raise
        except TaskFault as fault:
            error = fault.error
        except InvalidWorkflow as invalid:
            error = WorkflowError.standard("configuration", str(invalid))
        except MemoryError:
            raise  # this worker's, and not the run's: it is tried again
        except Exception:
            workflow.logger.exception("the run broke")
            error = WorkflowError.standard("runtime", "the engine broke on this run")
        if error is None:
            await runtime.record_end(
                _end(ExecutionStatus.COMPLETED, output=output, checkpoint=self._remains())
            )
            return output
        await runtime.record_end(
            _end(ExecutionStatus.FAULTED, error=error, checkpoint=self.checkpoint())
        )
        raise ApplicationError(
            error.detail or error.title,
            error.to_json(),
            type=error.type,
            non_retryable=True,
            category=ApplicationErrorCategory.BENIGN,
        )


def _end(
    status: ExecutionStatus,
    *,
    output: Any = None,
    error: WorkflowError | None = None,
    checkpoint: str = "",
) -> ExecutionEnd:
    return ExecutionEnd(
        status=status,
        output=output,
        error=error,
        ended_at=workflow.now(),
        checkpoint=checkpoint,
    )
