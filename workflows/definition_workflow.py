"""The one Temporal workflow: it runs any definition by the interpreter."""

import asyncio
from typing import Any

from temporalio import workflow
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

with workflow.unsafe.imports_passed_through():
    from biz.dsl.errors import TaskFault, WorkflowError
    from biz.dsl.interpreter import Interpreter
    from biz.dsl.validator import InvalidWorkflow, load_workflow
    from biz.engine import WAKE_SIGNAL, WORKFLOW_TYPE, RunRequest
    from biz.execution import ExecutionEnd, ExecutionStatus
    from workflows.event_listening import EventListening
    from workflows.runtime import TemporalRuntime


@workflow.defn(name=WORKFLOW_TYPE)
class DefinitionWorkflow:
    """A run. Its result is the workflow's output; a fault fails it with the problem details."""

    def __init__(self) -> None:
        self._listening = EventListening()

    @workflow.signal(name=WAKE_SIGNAL)
    def wake(self) -> None:
        """An event may be there that the run listens for."""
        self._listening.wake()

    @workflow.run
    async def run(self, request: RunRequest) -> Any:
        """Interprets the definition, and writes how it ended before Temporal knows of it."""
        runtime = TemporalRuntime(
            execution_id=request.execution_id,
            namespace=request.namespace,
            engine_version=request.engine_version,
            revision=request.revision,
            listening=self._listening,
            depth=request.depth,
        )
        output, error = None, None
        try:
            if request.depth:
                await runtime.record_start()
            definition = load_workflow(request.definition)
            output = await Interpreter(definition, runtime).run(request.input)
        except asyncio.CancelledError:
            await runtime.record_end(_end(ExecutionStatus.CANCELLED))
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
            await runtime.record_end(_end(ExecutionStatus.COMPLETED, output=output))
            return output
        await runtime.record_end(_end(ExecutionStatus.FAULTED, error=error))
        raise ApplicationError(
            error.detail or error.title,
            error.to_json(),
            type=error.type,
            non_retryable=True,
            category=ApplicationErrorCategory.BENIGN,
        )


def _end(
    status: ExecutionStatus, *, output: Any = None, error: WorkflowError | None = None
) -> ExecutionEnd:
    return ExecutionEnd(status=status, output=output, error=error, ended_at=workflow.now())
