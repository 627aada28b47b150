"""The port to durable execution: what the service asks of the engine that runs workflows."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

from biz.templates.template import DEFAULT_NAMESPACE

if TYPE_CHECKING:
    from biz.executions.execution import Execution, ExecutionEnd
    from biz.executions.history_batch import HistoryBatch

WORKFLOW_TYPE = "Definition"
"""The name under which the engine knows the workflow that runs definitions."""

WAKE_SIGNAL = "wake"
"""The name of the signal by which a run is told that an event may be there for it."""

ORDER_SIGNAL = "order"
"""The name of the signal that gives a run an order."""

UNWRITTEN_QUERY = "unwritten-history"
"""The name of the query for what a run had told, but perhaps not written."""

CHECKPOINT_QUERY = "checkpoint"
"""The name of the query for where a run stands."""


class Verb(StrEnum):
    """What can be asked of an execution from outside."""

    SUSPEND = "suspend"
    RESUME = "resume"
    CANCEL = "cancel"
    TERMINATE = "terminate"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOrder:
    """What a run is told to do. One that is to be cancelled or terminated starts nothing more.

    `sequence` grows with the orders of whoever gives them: an older one changes nothing.
    `from_parent` says that it is the run around this one that gives it.
    """

    sequence: int
    verb: Verb
    reason: str = ""
    from_parent: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequest:
    """What a run is started with: the pinned definition's text, and a JSON value.

    `engine_version` is the version of the service that started it: a run keeps it to its end.
    `namespace` is the execution's.
    `revision` says which commands the workflow code gives, so that a run under way goes on as it
    began; see `workflows.runtime`. `depth` counts the runs around it. With `takes_up` the
    run goes on from the checkpoint that is kept for it.
    """

    execution_id: str
    definition: str
    input: Any
    engine_version: str
    namespace: str = DEFAULT_NAMESPACE
    revision: int = 0
    depth: int = 0
    takes_up: bool = False


REVISION = 3
"""The revision of new runs."""


class RunRefused(Exception):
    """The engine won't ever take this run; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunState:
    """What the engine knows of a run; `end` is None while it is under way."""

    end: ExecutionEnd | None


class Engine(Protocol):
    """Runs executions durably. Every method raises EngineUnavailable when it gets no answer."""

    async def start(self, execution: Execution, order: RunOrder | None = None) -> None:
        """Starts the run of an execution under its id; one that was started is left alone.

        A new run gets the order before it does anything, one that is under way gets it too.

        Raises RunRefused as well.
        """
        ...

    async def order(self, id: str, order: RunOrder) -> bool:
        """Gives an order to a run; False where it isn't under way."""
        ...

    async def cancel(self, id: str) -> bool:
        """Has a run cancelled; False where it isn't under way."""
        ...

    async def terminate(self, id: str, reason: str) -> bool:
        """Ends a run at once; False where it isn't under way."""
        ...

    async def unwritten_history(self, id: str) -> HistoryBatch:
        """What a run that has ended had told, and perhaps not written.

        Empty where it has written all, and where nothing can be known of it.
        """
        ...

    async def checkpoint(self, id: str) -> str:
        """The text of the Checkpoint at which a run has ended, empty where nothing is known."""
        ...

    async def wake(self, id: str) -> bool:
        """Has a run look for events; False where it isn't under way."""
        ...

    async def wait(self, id: str, timeout: timedelta) -> None:
        """Returns when the run has ended, or after `timeout`."""
        ...

    async def state(self, id: str) -> RunState | None:
        """None where the engine has no record of the run."""
        ...

    def ended_from_outside(self, since: datetime) -> AsyncIterator[str]:
        """The ids of runs that ended after `since` other than by completing."""
        ...
