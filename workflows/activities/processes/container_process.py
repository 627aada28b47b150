"""Runs containers (DSL reference, "Container Process")."""

from typing import Any

from temporalio import activity

from biz.dsl.calls.container_call import ContainerCall
from workflows.activities.performer import CallContext, Performer
from workflows.activities.processes.container_engine import ContainerEngine
from workflows.activities.processes.policy import ProcessKind, ProcessPolicy


class ContainerActivities:
    """Runs the containers of `run: {container: …}` tasks."""

    def __init__(
        self, *, performer: Performer, policy: ProcessPolicy, engine: ContainerEngine
    ) -> None:
        self._performer = performer
        self._policy = policy
        self._engine = engine

    @activity.defn(name=ContainerCall.KIND)
    async def call(self, call: ContainerCall, context: CallContext) -> Any:
        """The call's output."""

        async def send(call: ContainerCall) -> Any:
            self._policy.require_allowed(ProcessKind.CONTAINER, context.namespace)
            return await self._engine.run(call, context.execution_id)

        return await self._performer.perform(call, context, send)
