"""The port to the world: all that a running workflow may ask of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from biz.dsl.branches import Branch
from biz.dsl.calls.call import Call
from biz.dsl.calls.child_call import ChildCall
from biz.dsl.events.arrivals import EventPage, Listener
from biz.dsl.events.event import Event
from biz.dsl.lifecycle import LifecycleEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Where a run stands: the tasks that are being done, each by its path, the newest ones last.

    Of very many only the newest are named.

    A path is a task's reference with the number of the iteration behind each loop, such as
    `/do/4/loop/for/2/do/0/getPet`. `waiting` says that all of them only wait, `suspended` that the
    run is held.
    """

    current_tasks: Sequence[str]
    waiting: bool
    suspended: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RunDescriptor:
    """What a run knows of itself. `metadata` are facts of the runtime, by name."""

    id: str
    started_at: datetime
    runtime_name: str
    runtime_version: str
    runtime_metadata: Mapping[str, Any]


class Runtime(Protocol):
    """Implemented durably by `workflows`, and in memory by `biz.dsl.memory_runtime`."""

    def describe(self) -> RunDescriptor:
        """The run."""
        ...

    def now(self) -> datetime:
        """The run's own clock, the same in a replay. UTC."""
        ...

    def random(self) -> float:
        """A number from 0 up to 1, the same in a replay."""
        ...

    def reach(self, branch: Branch) -> None:
        """Told of the ways that the run takes where there are several; comes back at once."""
        ...

    def record(self, event: LifecycleEvent) -> None:
        """Keeps what happened; comes back at once."""
        ...

    def show(self, progress: Callable[[], Progress]) -> None:
        """Has it known where the run stands, and what was recorded; comes back at once."""
        ...

    async def sleep(self, duration: timedelta, progress: Progress) -> None:
        """Returns after `duration`, in which the run shows `progress`."""
        ...

    async def timer(self, duration: timedelta) -> None:
        """Returns after `duration`, beside what the run is doing."""
        ...

    async def call(self, call: Call, progress: Progress) -> Any:
        """What the call gives, a JSON value; raises TaskFault."""
        ...

    async def run_workflow(
        self, call: ChildCall, progress: Progress, stored: Callable[[str], None]
    ) -> Any:
        """What the workflow gives, null once it is started where it isn't awaited.

        `stored` is told the id of its execution before that begins. Raises TaskFault, also for the
        fault that it ended with. A cancellation cancels it too, where it is awaited.
        """
        ...

    async def emit(self, event: Event, progress: Progress) -> None:
        """Gives an event to all that listen; the same source and id count once.

        Raises TaskFault.
        """
        ...

    async def fetch_events(self, listener: Listener, after: int, progress: Progress) -> EventPage:
        """Events accepted since the run began, later than the sequence `after`.

        Where there are none, the run shows `progress`.
        """
        ...

    async def wait_for_events(self, listener: Listener) -> None:
        """Returns once an event may have come since the listener last began to fetch."""
        ...

    async def stop_listening(self, listener: Listener) -> None:
        """The listener won't fetch again."""
        ...

    async def evaluate(self, program: str, data: str) -> Any:
        """The first result of a jq program on a JSON text, null where there is none.

        The program may take any time and memory: it is evaluated where it can be stopped. Raises
        EvaluationError, where it is stopped too.
        """
        ...

    async def breathe(self) -> None:
        """Gives way after a number of steps, so that a long computation blocks nothing else."""
        ...
