"""DSL reference, "Wait"."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from biz.dsl.durations import read_duration
from biz.dsl.frame import Outcome
from biz.dsl.model import Duration, Task

if TYPE_CHECKING:
    from biz.dsl.frame import Frame
    from biz.dsl.parser import TaskSource

REQUIRED = ("wait",)
OPTIONAL = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitTask(Task):
    """Waits; its output is its input."""

    wait: Duration

    @classmethod
    def parse(cls, source: TaskSource) -> WaitTask:
        """Reads its own properties."""
        return cls(wait=read_duration(source.fields["wait"], source.variables), **source.common)

    async def execute(self, frame: Frame) -> Outcome:
        """Sleeps by the run's clock."""
        if duration := await frame.duration(self.wait):
            await frame.world.sleep(duration, frame.path)
        return Outcome(frame.input)
