"""DSL reference, "Shell Process"."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from biz.dsl.calls.shell_call import ShellCall
from biz.dsl.model import Evaluable
from biz.dsl.reading.reader import Node
from biz.dsl.tasks.process import PROPERTIES, ProcessTask, read_process, read_text

if TYPE_CHECKING:
    from biz.dsl.frame import Frame
    from biz.dsl.parser import TaskSource


@dataclass(frozen=True, slots=True, kw_only=True)
class ShellTask(ProcessTask):
    """Runs a command of the shell."""

    command: Evaluable

    @classmethod
    def parse(cls, source: TaskSource, node: Node, options: Mapping[str, Any]) -> ShellTask:
        """Reads the value of `shell`; `options` are the properties beside it."""
        fields = node.object(required=("command",), optional=PROPERTIES)
        return cls(
            command=read_text(fields["command"], source.variables),
            **read_process(fields, source.variables),
            **options,
            **source.common,
        )

    async def call(self, frame: Frame, common: Mapping[str, Any]) -> ShellCall:
        """See ProcessTask."""
        return ShellCall(command=await frame.evaluate(self.command), **common)
