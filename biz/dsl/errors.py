"""Errors of a running workflow: RFC 7807 problem details with the standard's types.

DSL reference, "Error" and "Standard Error Types".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

_BASE = "https://open-workflow-specification.org/spec/1.0.0/errors/"

_GENERATIONS = (
    _BASE,
    "https://open-workflow-specification.org/dsl/errors/types/",
    "https://serverlessworkflow.io/spec/1.0.0/errors/",
    "https://serverlessworkflow.io/dsl/errors/types/",
)
"""What the standard's own types began with in its time; what stands behind it is the same."""

_LONGEST_DETAIL = 2000
"""In characters: data may stand in it, and it is kept, listed and shown."""

_UNKNOWN_STATUS = 500

_STANDARD = {
    "configuration": ("Configuration Error", 400),
    "validation": ("Validation Error", 400),
    "expression": ("Expression Error", 400),
    "authentication": ("Authentication Error", 401),
    "authorization": ("Authorization Error", 403),
    "timeout": ("Timeout Error", 408),
    "communication": ("Communication Error", 500),
    "runtime": ("Runtime Error", 500),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowError:
    """What faulted a task. `instance` is the JSON pointer of the task, such as `/do/0/getPet`."""

    type: str
    status: int
    title: str = ""
    detail: str = ""
    instance: str = ""

    def to_json(self) -> dict[str, Any]:
        """The problem details, without texts that are empty."""
        values = {
            "type": self.type,
            "status": self.status,
            "title": self.title,
            "detail": self.detail,
            "instance": self.instance,
        }
        return {name: value for name, value in values.items() if value != "" or name == "type"}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> WorkflowError:
        """The inverse of `to_json`."""
        return cls(
            type=value["type"],
            status=value["status"],
            title=value.get("title", ""),
            detail=value.get("detail", ""),
            instance=value.get("instance", ""),
        )

    @classmethod
    def standard(
        cls, kind: str, detail: str, *, instance: str = "", status: int | None = None
    ) -> WorkflowError:
        """An error of a standard kind: one of configuration, validation, expression,
        authentication, authorization, timeout, communication, runtime."""
        title, default_status = _STANDARD[kind]
        return cls(
            type=_BASE + kind,
            status=default_status if status is None else status,
            title=title,
            detail=detail,
            instance=instance,
        ).bounded()

    @classmethod
    def like(
        cls, type: str, *, status: int = 0, title: str = "", detail: str = ""
    ) -> WorkflowError:
        """An error of a type, or of a standard kind, whose title and status stand for none given.

        `type` is a URI, or the name of a standard kind.
        """
        kind = type if type in _STANDARD else _kind_of(type)
        if kind is None:
            return cls(type=type, status=status or _UNKNOWN_STATUS, title=title, detail=detail)
        standard = cls.standard(kind, detail, status=status or None)
        return replace(
            standard,
            title=title or standard.title,
            type=standard.type if type in _STANDARD else type,
        )

    @classmethod
    def ended(cls, how: str, reason: str) -> WorkflowError:
        """What stands for a run that was ended from outside, such as `terminated`."""
        return cls.standard("runtime", f"the run was {how}" + (f": {reason}" if reason else ""))

    def bounded(self) -> WorkflowError:
        """The same error with a detail that isn't too long."""
        if len(self.detail) <= _LONGEST_DETAIL:
            return self
        return replace(self, detail=f"{self.detail[:_LONGEST_DETAIL]}…")


def is_same_type(one: str, other: str) -> bool:
    """Whether two types of errors are the same, or the same standard one in two generations."""
    return _canonical(one) == _canonical(other)


def _canonical(type: str) -> str:
    kind = _kind_of(type)
    return type if kind is None else _BASE + kind


def _kind_of(type: str) -> str | None:
    """The standard kind that a type is of, in any generation."""
    for base in _GENERATIONS:
        if type.startswith(base) and (kind := type.removeprefix(base)) in _STANDARD:
            return kind
    return None


class TaskFault(Exception):
    """Raised where a task faults; carries the error until something catches it.

    `path` is that of the task once it is known.
    """

    def __init__(self, error: WorkflowError, *, path: str = "") -> None:
        super().__init__(error.detail or error.title or error.type)
        self.error = error
        self.path = path

    def at(self, instance: str) -> TaskFault:
        """The same fault, of the task at `instance` unless it is another's already."""
        if self.error.instance:
            return self
        return TaskFault(replace(self.error, instance=instance), path=self.path)
