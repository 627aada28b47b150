"""Stores the runs that a run has run (DSL reference, "Workflow Process")."""

import asyncio
from dataclasses import dataclass
from typing import Any

from temporalio import activity

from biz.dsl.calls.child_call import ChildCall
from biz.dsl.errors import TaskFault, WorkflowError
from biz.errors import (
    DatabaseUnavailable,
    DomainError,
    EngineUnavailable,
    ExecutionNotEnded,
    ExecutionNotFound,
    InvalidArgument,
    RetryImpossible,
    TemplateInactive,
    TemplateNotFound,
)
from biz.executions.children import ChildExecutionUsecase, ChildRequest
from biz.executions.execution import Execution, ExecutionStatus
from workflows.activities.performer import CallContext, Performer

_PATIENCE_SECONDS = 1.0
_MOST_LOOKS = 60
"""The end of a run that was ended from outside is known within half a minute."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredChild:
    """What the workflow has to start; nothing where it `is_done`, with `output` where awaited."""

    execution_id: str
    namespace: str
    summary: str
    definition: str
    input: Any
    takes_up: bool = False
    is_done: bool = False
    output: Any = None


class ChildActivities:
    """Makes ready what `run: {workflow: …}` tasks start."""

    def __init__(self, *, performer: Performer, children: ChildExecutionUsecase) -> None:
        self._performer = performer
        self._children = children

    @activity.defn(name=ChildCall.KIND)
    async def call(self, call: ChildCall, context: CallContext) -> StoredChild:
        """The execution, stored once however often this is repeated."""

        async def send(call: ChildCall) -> StoredChild:
            stored = await self._store(
                ChildRequest(
                    parent_id=context.execution_id,
                    key=call.idempotency_key,
                    namespace=call.namespace,
                    name=call.name,
                    version=call.version,
                    input=call.input,
                    awaited=call.awaited,
                    retry_of=call.retry_of,
                    is_renewed=call.is_renewed,
                )
            )
            if stored.status is not ExecutionStatus.PENDING:
                return _done(stored, call)
            return StoredChild(
                execution_id=stored.id,
                namespace=stored.namespace,
                summary=f"{stored.namespace}/{stored.template_name} {stored.template_version}",
                definition=stored.definition,
                input=stored.input,
                takes_up=bool(stored.retry_of),
            )

        stored: StoredChild = await self._performer.perform(call, context, send)
        return stored

    async def _store(self, request: ChildRequest) -> Execution:
        """Waits for a database or an engine that is down, and for the end of what it takes up."""
        looks = 0
        while True:
            try:
                return await self._children.store(request)
            except (DatabaseUnavailable, EngineUnavailable):
                await asyncio.sleep(_PATIENCE_SECONDS)
            except ExecutionNotEnded as error:
                looks += 1
                if looks == _MOST_LOOKS:
                    raise _refused(error) from None
                await asyncio.sleep(_PATIENCE_SECONDS)
            except (ExecutionNotFound, RetryImpossible) as error:
                raise _refused(error) from None
            except (TemplateNotFound, TemplateInactive) as error:
                raise _fault("configuration", error.message) from None
            except InvalidArgument as error:
                raise _fault("validation", f"the workflow's {error.message}") from None


def _done(execution: Execution, call: ChildCall) -> StoredChild:
    """What a run before has had done: there is nothing to start."""
    return StoredChild(
        execution_id=execution.id,
        namespace=execution.namespace,
        summary="",
        definition="",
        input=None,
        is_done=True,
        output=execution.output if call.awaited else None,
    )


def _refused(error: DomainError) -> TaskFault:
    """What it ran before can't be taken up, and isn't begun anew: its calls would be repeated."""
    anew = "a retry with from_task at this task begins it anew"
    return _fault("runtime", f"the workflow can't be taken up: {error.message}; {anew}")


def _fault(kind: str, detail: str) -> TaskFault:
    return TaskFault(WorkflowError.standard(kind, detail))
