"""DSL reference, "Shell Process": the command, as it is run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from biz.dsl.calls.process_call import ProcessCall, text


@dataclass(frozen=True, slots=True, kw_only=True)
class ShellCall(ProcessCall):
    """A command of the shell; its arguments are `$1`, `$2` and so on."""

    KIND: ClassVar[str] = "shell_process"

    command: Any

    def require_valid(self) -> None:
        """See Call."""
        ProcessCall.require_valid(self)
        text("the command", self.command)
