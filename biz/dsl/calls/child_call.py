"""DSL reference, "Workflow Process": the workflow, as it is run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from biz.dsl.calls.call import Call
from biz.dsl.errors import TaskFault, WorkflowError
from biz.dsl.json_types import describe


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildCall(Call):
    """A workflow that a run has run: a stored one, by namespace, name and version.

    `input` is a JSON value. One that isn't `awaited` is only started. `retry_of` is the execution
    that it takes up from, if any; where it `is_renewed`, in the version that is named now.
    """

    KIND: ClassVar[str] = "child_workflow"

    namespace: Any
    name: Any
    version: Any
    input: Any
    awaited: bool
    retry_of: str = ""
    is_renewed: bool = False

    @property
    def label(self) -> str:
        """What it is called in errors."""
        return f"{self.namespace}/{self.name} {self.version}"

    def require_valid(self) -> None:
        """See Call."""
        named = {"namespace": self.namespace, "name": self.name, "version": self.version}
        for what, value in named.items():
            if not isinstance(value, str) or not value:
                given = "an empty string" if value == "" else describe(value)
                detail = f"the workflow's {what} must be a text, not {given}"
                raise TaskFault(WorkflowError.standard("expression", detail))
