"""Lifecycle events as CloudEvents (DSL reference, "Lifecycle Events")."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cloudevents.core.v1.event import CloudEvent

from biz.dsl.lifecycle import ABSENT, LifecycleEvent, LifecycleType
from biz.history.history import PayloadReference

_WORKFLOW = "io.serverlessworkflow.workflow."


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """The execution that events are of."""

    execution_id: str
    namespace: str
    template_name: str
    template_version: str

    @property
    def qualified_name(self) -> str:
        """Name, id and namespace, as the standard has it."""
        return f"{self.template_name}-{self.execution_id}.{self.namespace}"


def lifecycle_cloud_event(
    subject: Subject, event: LifecycleEvent, *, id: str = "", more: Mapping[str, Any] | None = None
) -> CloudEvent:
    """The event; `source` and `id` tell it from all others, also where it is sent again.

    By default its `id` is its number. `more` comes to what the standard has in its data.
    """
    attributes = {
        "id": id or str(event.sequence),
        "source": f"/api/v1/executions/{subject.execution_id}",
        "type": event.type.value,
        "time": event.time,
        "datacontenttype": "application/json",
    }
    if event.task:
        attributes["subject"] = event.task
    return CloudEvent(attributes, {**dict(_data(subject, event)), **(more or {})})


def _data(subject: Subject, event: LifecycleEvent) -> Iterator[tuple[str, Any]]:
    """The properties that the standard has for each type, and `attempt` of a task."""
    if event.type.value.startswith(_WORKFLOW):
        yield "name", subject.qualified_name
        if event.type is LifecycleType.WORKFLOW_STARTED:
            yield (
                "definition",
                {
                    "namespace": subject.namespace,
                    "name": subject.template_name,
                    "version": subject.template_version,
                },
            )
    else:
        yield "workflow", subject.qualified_name
        yield "task", event.task
        yield "attempt", event.attempt
    what = event.type.value.split(".")[-2]
    yield f"{what}At", event.time.isoformat()
    if event.error is not None:
        yield "error", event.error.to_json()
    if isinstance(event.output, PayloadReference):
        yield "output", {"payload": event.output.digest, "length": event.output.length}
    elif event.output is not ABSENT:
        yield "output", event.output
