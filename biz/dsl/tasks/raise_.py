"""DSL reference, "Raise"."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from biz.dsl.error_definitions import ErrorDefinition, read_error_definition
from biz.dsl.errors import TaskFault
from biz.dsl.model import Task

if TYPE_CHECKING:
    from biz.dsl.frame import Frame, Outcome
    from biz.dsl.parser import TaskSource

REQUIRED = ("raise",)
OPTIONAL = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RaiseTask(Task):
    """Faults with an error of the author's."""

    error: ErrorDefinition | None

    @classmethod
    def parse(cls, source: TaskSource) -> RaiseTask:
        """Reads its own properties."""
        node = source.fields["raise"].object(required=("error",))["error"]
        if isinstance(node.value, str):
            error = source.parser.use.errors.get(node, source.variables)
        else:
            error = read_error_definition(node, source.variables)
        return cls(error=error, **source.common)

    async def execute(self, frame: Frame) -> Outcome:
        """Raises the error."""
        assert self.error is not None
        raise TaskFault(await self.error.resolve(frame))

    def ways_on(self) -> Iterator[str]:
        """None: it faults."""
        return iter(())
