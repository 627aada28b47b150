from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from biz.dsl.lifecycle import LifecycleEvent, LifecycleType
from biz.errors import EngineUnavailable
from biz.executions.execution import Execution, ExecutionStatus
from biz.executions.history_batch import NO_HISTORY, HistoryBatch
from biz.executions.history_end import HistoryEnds, closing_events
from tests.fakes.engine import FakeEngine
from tests.fakes.history_end_repo import FakeHistoryEndRepo
from tests.fixtures.entities import COMPLETED, FAULTED

NOW = datetime(2025, 3, 15, tzinfo=UTC)
TERMINATED = replace(FAULTED, status=ExecutionStatus.TERMINATED)


def told(*happened: tuple[str, str]) -> Sequence[LifecycleEvent]:
    """A history of kinds, such as `task.started`, and tasks."""
    return [
        LifecycleEvent(
            sequence=sequence,
            type=LifecycleType(f"io.serverlessworkflow.{kind}.v1"),
            time=NOW + timedelta(seconds=sequence),
            task=task,
            attempt=2 if task else 1,
        )
        for sequence, (kind, task) in enumerate(happened, start=1)
    ]


STARTED = told(
    ("workflow.started", ""),
    ("task.started", "/do/0/a"),
    ("task.completed", "/do/0/a"),
    ("task.started", "/do/1/b"),
    ("task.started", "/do/1/b/do/0/c"),
    ("task.suspended", "/do/1/b/do/0/c"),
)


def test_live_tasks_are_cancelled_the_innermost_first() -> None:
    inner, outer, end = closing_events(TERMINATED, STARTED)
    assert [event.sequence for event in (inner, outer, end)] == [7, 8, 9]
    assert [event.task for event in (inner, outer, end)] == ["/do/1/b/do/0/c", "/do/1/b", ""]
    assert {inner.type, outer.type} == {LifecycleType.TASK_CANCELLED}
    assert (inner.attempt, inner.started_at) == (2, NOW + timedelta(seconds=5))
    assert {event.time for event in (inner, outer, end)} == {TERMINATED.ended_at}
    assert (end.type, end.error) == (LifecycleType.WORKFLOW_CANCELLED, TERMINATED.error)
    assert end.started_at == TERMINATED.started_at


def test_a_task_that_is_done_again_is_cancelled_once() -> None:
    again = told(*[("task.started", "/do/0/a"), ("task.completed", "/do/0/a")] * 2)
    again = [*again, *told(("task.started", "/do/0/a"))]
    assert [event.task for event in closing_events(TERMINATED, again)] == ["/do/0/a", ""]


@pytest.mark.parametrize(
    ("execution", "type"),
    [
        (replace(FAULTED, status=ExecutionStatus.CANCELLED), LifecycleType.WORKFLOW_CANCELLED),
        (FAULTED, LifecycleType.WORKFLOW_FAULTED),
        (COMPLETED, LifecycleType.WORKFLOW_COMPLETED),
        (replace(FAULTED, ended_at=None), LifecycleType.WORKFLOW_FAULTED),
    ],
)
def test_the_end_of_a_run_without_a_history(execution: Execution, type: LifecycleType) -> None:
    [end] = closing_events(execution, [])
    assert (end.sequence, end.type) == (1, type)


def test_what_has_an_end_gets_no_other() -> None:
    assert closing_events(TERMINATED, told(("workflow.cancelled", ""))) == []


class World:
    """Ends of histories on fakes, with one that is open."""

    def __init__(self, engine: FakeEngine | None = None) -> None:
        self.repo = FakeHistoryEndRepo()
        self.engine = engine or FakeEngine()
        self.now = NOW
        self.ends = HistoryEnds(repo=self.repo, engine=self.engine, clock=lambda: self.now)

    def add(self, *ids: str) -> None:
        self.repo.open.update({id: replace(TERMINATED, id=id, ended_at=NOW) for id in ids})


async def test_what_a_run_had_not_written_is_added() -> None:
    world = World()
    world.add("a", "b")
    world.engine.unwritten["a"] = HistoryBatch.of(STARTED)
    await world.ends.write()
    assert world.repo.closed["b"] == NO_HISTORY
    assert [entry.sequence for entry in world.repo.closed["a"].entries] == [1, 2, 3, 4, 5, 6]


async def test_one_that_nobody_answers_for_is_put_off_for_an_hour_and_holds_up_no_other() -> None:
    class Choosy(FakeEngine):
        async def unwritten_history(self, id: str) -> HistoryBatch:
            if id == "a":
                raise EngineUnavailable("no worker")
            return NO_HISTORY

    world = World(Choosy())
    world.add("a", "b")
    await world.ends.write()
    assert (list(world.repo.open), list(world.repo.closed)) == (["a"], ["b"])
    world.now += timedelta(hours=1)
    await world.ends.write()
    assert world.repo.closed["a"] == NO_HISTORY


async def test_it_gives_up_for_now_where_nobody_answers() -> None:
    class Silent(FakeEngine):
        asked = 0

        async def unwritten_history(self, id: str) -> HistoryBatch:
            self.asked += 1
            raise EngineUnavailable("no worker")

    engine = Silent()
    world = World(engine)
    world.add("a", "b", "c", "d", "e")
    await world.ends.write()
    assert engine.asked == 3
