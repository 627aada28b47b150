"""How a hook is told of a fault: a workflow is run, an address gets a CloudEvent."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import datetime
from typing import Any

from cloudevents.core.v1.event import CloudEvent

from biz.dsl.fault_hooks import HttpHook, WorkflowHook
from biz.dsl.lifecycle import LifecycleEvent, LifecycleType
from biz.dsl.sizes import json_size
from biz.errors import (
    ExecutionNotFound,
    InvalidArgument,
    TemplateInactive,
    TemplateNotFound,
)
from biz.executions.children import named_template
from biz.executions.execution import Execution, ExecutionRepo, ExecutionStatus, Runs, new_execution
from biz.history.cloud_event import Subject, lifecycle_cloud_event
from biz.history.relay import EventRefused, LifecycleSink, SinkUnavailable
from biz.hooks.relay import HookClaim, NotTold
from biz.templates.alias import TemplateAliasUsecase

HOOK_LABEL = "hook_of"
"""The label of executions that are run for a hook; its value is the execution that faulted."""

MAX_INPUT_BYTES = 256 * 1024
"""An input that is larger isn't told."""


class FaultTelling:
    """`biz.hooks.relay.Teller`."""

    def __init__(
        self,
        *,
        repo: ExecutionRepo,
        aliases: TemplateAliasUsecase,
        runs: Runs,
        sinks: Callable[[str], LifecycleSink],
        clock: Callable[[], datetime],
    ) -> None:
        """`sinks` gives what an address stands for."""
        self._repo = repo
        self._aliases = aliases
        self._runs = runs
        self._sinks = sinks
        self._clock = clock

    async def tell(self, claim: HookClaim) -> None:
        """See Teller."""
        match claim.hook:
            case HttpHook(endpoint=endpoint):
                await self._send(endpoint, fault_event(claim.execution))
            case WorkflowHook() as hook:
                await self._run(hook, claim)

    async def _send(self, endpoint: str, event: CloudEvent) -> None:
        try:
            await self._sinks(endpoint).send(event)
        except SinkUnavailable as error:
            raise NotTold(str(error)) from None
        except EventRefused as error:
            raise NotTold(str(error), is_final=True) from None

    async def _run(self, hook: WorkflowHook, claim: HookClaim) -> None:
        """Runs it once, however often that is asked for: its id follows from the fault."""
        id = str(uuid.uuid5(uuid.NAMESPACE_URL, f"hook/{claim.execution.id}/{claim.position}"))
        try:
            stored = await self._repo.get(id)
        except ExecutionNotFound:
            stored = await self._store(id, hook, claim.execution)
        if stored.status is ExecutionStatus.PENDING:
            await self._runs.start(stored)

    async def _store(self, id: str, hook: WorkflowHook, faulted: Execution) -> Execution:
        try:
            template = await named_template(
                self._aliases,
                namespace=hook.namespace or faulted.namespace,
                name=hook.name,
                version=hook.version,
            )
            execution = await new_execution(
                template,
                id=id,
                input=fault_input(faulted),
                now=self._clock(),
                labels={HOOK_LABEL: faulted.id},
                hook_of=faulted.id,
            )
        except (TemplateNotFound, TemplateInactive, InvalidArgument) as error:
            raise NotTold(error.message) from None
        return await self._repo.create(execution, None)


def fault_event(faulted: Execution) -> CloudEvent:
    """The standard's event of the fault; its `id` is the same each time that it is sent."""
    subject = Subject(
        execution_id=faulted.id,
        namespace=faulted.namespace,
        template_name=faulted.template_name,
        template_version=faulted.template_version,
    )
    id = f"{faulted.id}/fault"
    return lifecycle_cloud_event(subject, _fault(faulted), id=id, more=_more(faulted))


def fault_input(faulted: Execution) -> dict[str, Any]:
    """What a workflow is told: the event's data, and what the execution was given."""
    data: Any = fault_event(faulted).get_data()
    fits = json_size(faulted.input) <= MAX_INPUT_BYTES
    return {**data, "input": faulted.input} if fits else data


def _fault(faulted: Execution) -> LifecycleEvent:
    return LifecycleEvent(
        sequence=0,
        type=LifecycleType.WORKFLOW_FAULTED,
        time=faulted.ended_at or faulted.created_at,
        error=faulted.error,
    )


def _more(faulted: Execution) -> dict[str, Any]:
    """What is told beside the standard's properties."""
    return {
        "execution": faulted.id,
        "definition": {
            "namespace": faulted.namespace,
            "name": faulted.template_name,
            "version": faulted.template_version,
        },
        "startedAt": (faulted.started_at or faulted.created_at).isoformat(),
    }
