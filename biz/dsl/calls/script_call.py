"""DSL reference, "Script Process": the script, as it is run."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar

from biz.dsl.calls.process_call import ProcessCall
from biz.dsl.calls.resource import Resource
from biz.dsl.errors import TaskFault, WorkflowError
from biz.dsl.json_types import describe


class ScriptLanguage(StrEnum):
    """The languages of the standard."""

    JS = "js"
    PYTHON = "python"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptCall(ProcessCall):
    """A script: its `code`, or the document that has it."""

    KIND: ClassVar[str] = "script_process"

    language: ScriptLanguage
    code: Any
    source: Resource | None

    def require_valid(self) -> None:
        """See Call."""
        ProcessCall.require_valid(self)
        if self.source is not None:
            self.source.require_valid()
        elif not isinstance(self.code, str):
            detail = f"the script's code must be a string, not {describe(self.code)}"
            raise TaskFault(WorkflowError.standard("expression", detail))
