"""Where executions ended, and what takes up from there."""

from dataclasses import replace
from datetime import timedelta

import pytest

from biz.dsl.checkpoint import Checkpoint
from biz.executions.execution import Execution, ExecutionStatus
from biz.executions.succession import Succession
from tests.fakes.checkpoint_repo import FakeCheckpointRepo
from tests.fakes.engine import FakeEngine
from tests.fakes.execution_repo import FakeExecutionRepo
from tests.fixtures.entities import AT, COMPLETED

AT_THE_END = Checkpoint(consumed=[3, 5], notes={"/do/#at": "end"})
AT_THE_START = Checkpoint(consumed=[3, 5], notes={"/do/#at": "start"})


class World:
    """A succession on fakes, for one execution that faulted."""

    def __init__(self) -> None:
        self.repo = FakeCheckpointRepo(FakeExecutionRepo())
        self.engine = FakeEngine()
        self.succession = Succession(checkpoints=self.repo, engine=self.engine)
        self.ended = replace(
            COMPLETED,
            status=ExecutionStatus.FAULTED,
            created_at=AT,
            started_at=AT + timedelta(seconds=1),
        )

    @property
    def never_begun(self) -> Execution:
        return replace(self.ended, status=ExecutionStatus.CANCELLED, started_at=AT)


@pytest.fixture
def world() -> World:
    return World()


async def test_an_execution_stood_where_it_ended_not_where_it_began(world: World) -> None:
    world.repo.starts[world.ended.id] = AT_THE_START.to_text()
    assert await world.succession.last(world.ended) is None

    world.repo.ends[world.ended.id] = AT_THE_END.to_text()
    assert await world.succession.last(world.ended) == AT_THE_END


async def test_one_that_was_ended_from_outside_stood_where_the_engine_says(world: World) -> None:
    world.repo.starts[world.ended.id] = AT_THE_START.to_text()
    world.engine.checkpoints[world.ended.id] = AT_THE_END.to_text()

    assert await world.succession.last(world.ended) == AT_THE_END
    completed = replace(world.ended, status=ExecutionStatus.COMPLETED)
    assert await world.succession.last(completed) is None


async def test_one_that_never_began_stands_where_it_was_to_begin(world: World) -> None:
    assert await world.succession.last(world.never_begun) == Checkpoint()

    world.repo.starts[world.never_begun.id] = AT_THE_START.to_text()
    assert await world.succession.last(world.never_begun) == AT_THE_START
