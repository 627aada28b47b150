"""DSL reference, "Emit" and "Event Properties"."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from biz.dsl.arguments import describe_time
from biz.dsl.events.event import (
    DATA,
    SPEC_VERSION,
    STANDARD_ATTRIBUTES,
    event_faults,
    is_attribute_name,
    is_time,
    without_nulls,
)
from biz.dsl.expressions import is_evaluated
from biz.dsl.frame import Outcome
from biz.dsl.model import Document, Evaluable, Task
from biz.dsl.reading.reader import Node
from biz.dsl.uri_templates import read_template
from biz.dsl.values import read_value

if TYPE_CHECKING:
    from biz.dsl.frame import Frame
    from biz.dsl.parser import TaskSource

REQUIRED = ("emit",)
OPTIONAL = ()

_TEMPLATES = ("source", "dataschema")


@dataclass(frozen=True, slots=True, kw_only=True)
class EmitTask(Task):
    """Gives an event to all that listen; its output is the event.

    `properties` are the attributes and the data as the definition has them; a URI among them may
    be a template on the task's input.
    """

    properties: Mapping[str, Evaluable]

    @classmethod
    def parse(cls, source: TaskSource) -> EmitTask:
        """Reads its own properties."""
        node = source.fields["emit"].object(required=("event",))["event"]
        fields = node.mapping()
        for name in fields.keys() - {"with"}:
            fields[name].warning("ignored-property", 'only what stands under "with" is emitted')
        if "with" not in fields:
            if isinstance(node.value, dict):
                node.error("invalid-event", 'has no "with", and so no type')
            return cls(properties={}, **source.common)
        wanted = fields["with"].mapping()
        if isinstance(fields["with"].value, dict) and "type" not in wanted:
            fields["with"].error("missing-property", '"type" is missing')
        return cls(
            properties={
                name: _read_property(name, value, source.variables)
                for name, value in wanted.items()
            },
            **source.common,
        )

    async def execute(self, frame: Frame) -> Outcome:
        """Emits; what an expression gives that no event can have is an expression error."""
        event = {
            "specversion": SPEC_VERSION,
            "id": frame.world.next_event_id(frame.path),
            "source": _source(frame.world.document),
            "time": describe_time(frame.world.now())["iso8601"],
        }
        for name, value in self.properties.items():
            event[name] = await frame.evaluate(value)
        event = without_nulls(event)
        if faults := event_faults(event):
            detail = "; ".join(f'"{fault.attribute}" {fault.message}' for fault in faults)
            raise frame.fault("expression", f"the event can't be emitted: {detail}")
        await frame.world.emit(event, frame.path)
        return Outcome(event)


def _source(document: Document) -> str:
    return f"/{document.namespace}/{document.name}/{document.version}"


def _read_property(name: str, node: Node, variables: frozenset[str]) -> Evaluable:
    value = node.value
    if name not in DATA and name not in STANDARD_ATTRIBUTES and not is_attribute_name(name):
        node.error("invalid-event", "an attribute's name is lower-case letters and digits")
    if name in STANDARD_ATTRIBUTES:
        text = node.string()
        if name in _TEMPLATES and not is_evaluated(text):
            return read_template(node)
        if name == "time" and text and not is_evaluated(text) and not is_time(text):
            node.error("invalid-value", "must be a time of RFC 3339, or an expression")
        elif value == "":
            node.error("invalid-event", "must not be empty")
    elif name not in DATA and isinstance(value, dict | list):
        node.error("invalid-event", "an attribute is a text, a whole number, or true or false")
    return read_value(node, variables)
