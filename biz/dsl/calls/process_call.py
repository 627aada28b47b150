"""What the calls of processes have in common (DSL reference, "Run", "Process Result")."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any, ClassVar

from biz.dsl.calls.call import Call
from biz.dsl.errors import TaskFault, WorkflowError
from biz.dsl.json_types import describe

_SHOWN = 1000
"""How many of the last characters of a failed process's stderr its error shows."""


class ProcessOutput(StrEnum):
    """What a process gives: one of its streams, its exit code, all of them, or null."""

    STDOUT = "stdout"
    STDERR = "stderr"
    CODE = "code"
    ALL = "all"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessResult:
    """How a process ended; its streams are text as it was written."""

    code: int
    stdout: str
    stderr: str

    def output(self, output: ProcessOutput) -> Any:
        """What a task gives for it; raises TaskFault where the process failed, and nobody asked
        for the exit code."""
        if output is ProcessOutput.ALL:
            return {"code": self.code, "stdout": self.stdout, "stderr": self.stderr}
        if output is ProcessOutput.CODE:
            return self.code
        if self.code:
            said = self.stderr.strip()[-_SHOWN:]
            detail = f"the process ended with exit code {self.code}" + (f": {said}" if said else "")
            raise TaskFault(WorkflowError.standard("runtime", detail))
        match output:
            case ProcessOutput.STDERR:
                return self.stderr
            case ProcessOutput.NONE:
                return None
        return self.stdout


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessCall(Call):
    """A process to be run.

    `stdin` is what it reads: a string as it is, null for nothing, any other value as JSON.
    `environment` is an object of all the variables that it gets. One that isn't `awaited` is only
    started; the call gives null then.
    """

    LONGEST: ClassVar[timedelta] = timedelta(days=2)

    stdin: Any
    arguments: Any
    environment: Any
    output: ProcessOutput
    awaited: bool

    def require_valid(self) -> None:
        """See Call."""
        texts("arguments", self.arguments)
        variables(self.environment)


def texts(what: str, values: Any) -> list[str]:
    """The items of an array as a process takes them. Raises TaskFault."""
    if not isinstance(values, list):
        raise _fault(f"the {what} must be an array, not {describe(values)}")
    return [text(f"{what}[{place}]", value) for place, value in enumerate(values)]


def variables(values: Any) -> dict[str, str]:
    """Environment variables; null leaves one out. Raises TaskFault."""
    if not isinstance(values, dict):
        raise _fault(f"the environment must be an object, not {describe(values)}")
    for name in values:
        if not name or "=" in name or "\0" in name:
            raise _fault(f"{name[:80]!r} can't be the name of an environment variable")
    return {name: text(name, value) for name, value in values.items() if value is not None}


def text(what: str, value: Any) -> str:
    """A string, number or boolean as a process takes it. Raises TaskFault, which names `what`."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None or isinstance(value, dict | list):
        raise _fault(f"{what} can't be {describe(value)}")
    found = str(value)
    if "\0" in found or any("\ud800" <= character <= "\udfff" for character in found):
        raise _fault(f"{what} can't hold a NUL character, nor half of a surrogate pair")
    return found


def _fault(detail: str) -> TaskFault:
    return TaskFault(WorkflowError.standard("expression", detail))
