"""Stores the runs that a run has run (DSL reference, "Workflow Process")."""

import asyncio
from dataclasses import dataclass
from typing import Any

from temporalio import activity

from biz.dsl.calls.child_call import ChildCall
from biz.dsl.errors import TaskFault, WorkflowError
from biz.errors import DatabaseUnavailable, InvalidArgument, TemplateInactive, TemplateNotFound
from biz.executions.children import ChildExecutionUsecase, ChildRequest
from biz.executions.execution import Execution
from workflows.activities.performer import CallContext, Performer

_PATIENCE_SECONDS = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredChild:
    """What the workflow has to start."""

    execution_id: str
    namespace: str
    summary: str
    definition: str
    input: Any


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
                )
            )
            return StoredChild(
                execution_id=stored.id,
                namespace=stored.namespace,
                summary=f"{stored.namespace}/{stored.template_name} {stored.template_version}",
                definition=stored.definition,
                input=stored.input,
            )

        stored: StoredChild = await self._performer.perform(call, context, send)
        return stored

    async def _store(self, request: ChildRequest) -> Execution:
        """Waits for a database that is down."""
        while True:
            try:
                return await self._children.store(request)
            except DatabaseUnavailable:
                await asyncio.sleep(_PATIENCE_SECONDS)
            except (TemplateNotFound, TemplateInactive) as error:
                raise _fault("configuration", error.message) from None
            except InvalidArgument as error:
                raise _fault("validation", f"the workflow's {error.message}") from None


def _fault(kind: str, detail: str) -> TaskFault:
    return TaskFault(WorkflowError.standard(kind, detail))
