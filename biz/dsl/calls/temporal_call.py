"""The catalog `temporal`: activities and workflows of workers that a team has, in any language.

They are no activities of this engine's: a run asks Temporal for them itself.
"""

from __future__ import annotations

from abc import ABC
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar

from biz.dsl.calls.call import Call
from biz.dsl.errors import TaskFault, WorkflowError
from biz.dsl.json_types import describe

LONGEST_NAME = 1_000
"""In bytes of UTF-8, as Temporal takes it."""

RESERVED_QUEUE = "/_sys/"
"""What the task queues of Temporal's own begin with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TemporalRetries:
    """How often Temporal tries again by itself; what is None is as Temporal has it.

    `maximum_attempts` None stands for any number.
    """

    maximum_attempts: Any = None
    backoff_coefficient: Any = None
    non_retryable_error_types: Any = None
    initial_interval: timedelta | None = None
    maximum_interval: timedelta | None = None

    def require_valid(self) -> None:
        """See Call."""
        attempts, coefficient = self.maximum_attempts, self.backoff_coefficient
        if attempts is not None and not is_count(attempts):
            raise _fault("maximumAttempts must be a whole number from 1 on")
        if coefficient is not None and not is_coefficient(coefficient):
            raise _fault("backoffCoefficient must be a number from 1 on")
        types = self.non_retryable_error_types
        if types is not None and not (
            isinstance(types, list) and all(isinstance(name, str) for name in types)
        ):
            raise _fault("nonRetryableErrorTypes must be an array of strings")
        first, longest = self.initial_interval, self.maximum_interval
        if first is not None and longest is not None and first > longest:
            raise _fault("initialInterval must not be longer than maximumInterval")


@dataclass(frozen=True, slots=True, kw_only=True)
class TemporalCall(Call, ABC):
    """What is called by its `name` on a task queue.

    `arguments` are its arguments, a JSON value each. `timeouts` are Temporal's by their names in
    a definition, such as "startToClose". Without `retries` there is one attempt.
    """

    name: Any
    task_queue: Any
    arguments: Any
    timeouts: Mapping[str, timedelta]
    retries: TemporalRetries | None

    def require_valid(self) -> None:
        """See Call."""
        _require_name("name", self.name)
        _require_name("taskQueue", self.task_queue)
        if self.task_queue.startswith(RESERVED_QUEUE):
            raise _fault(f'the taskQueue must not begin with "{RESERVED_QUEUE}"')
        if not isinstance(self.arguments, list):
            raise _fault(f"the arguments must be an array, not {describe(self.arguments)}")
        if self.retries is not None:
            self.retries.require_valid()


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityCall(TemporalCall):
    """An activity, of which Temporal wants one of the two timeouts that include its run."""

    KIND: ClassVar[str] = "temporal_activity"


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowCall(TemporalCall):
    """A child workflow. `id` is its workflow id, None for one of Temporal's making."""

    KIND: ClassVar[str] = "temporal_workflow"

    id: Any = None

    def require_valid(self) -> None:
        """See Call."""
        super(WorkflowCall, self).require_valid()
        if self.id is not None:
            _require_name("id", self.id)


def is_count(value: Any) -> bool:
    """Whether a value is a whole number from 1 on that Temporal can hold."""
    return _is_number(value) and not value % 1 and 1 <= value < 2**31


def is_coefficient(value: Any) -> bool:
    """Whether a value can multiply an interval at each retry."""
    return _is_number(value) and value >= 1


def is_name(value: str) -> bool:
    """Whether a text is neither empty nor too long, nor holds half of a surrogate pair."""
    try:
        return 0 < len(value.encode()) <= LONGEST_NAME
    except UnicodeEncodeError:
        return False


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _require_name(what: str, value: Any) -> None:
    if not isinstance(value, str) or not is_name(value):
        raise _fault(f"the {what} must be a text of 1 to {LONGEST_NAME} bytes")


def _fault(detail: str) -> TaskFault:
    return TaskFault(WorkflowError.standard("expression", detail))
