"""Events between runs on a real Temporal, and from outside."""

import asyncio
import json
import time
import uuid
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from temporalio.client import Client

from app.container import opened
from app.settings import Settings
from biz.errors import ExecutionEnded, ExecutionNotFound
from biz.events.event import EventUsecase, NewEvent
from biz.events.sweeper import EventSweeper
from biz.executions.execution import Execution, ExecutionStatus, ExecutionUsecase, StartRequest
from biz.templates.template import TemplateUsecase
from data.database import Database
from data.event import PeeweeEventRepo
from data.models import EventListenerRow
from data.query import all_rows
from tests.fixtures.http_service import HttpService
from tests.patience import PATIENCE, PATIENCE_SECONDS

NAMESPACE = "test"


@dataclass(frozen=True, kw_only=True)
class Service:
    """The use cases over real parts, with a worker beside them."""

    templates: TemplateUsecase
    executions: ExecutionUsecase
    events: EventUsecase
    repo: PeeweeEventRepo
    sweeper: EventSweeper
    database: Database
    temporal: Client

    async def start(self, *tasks: Any, **extra: Any) -> Execution:
        template = await self.templates.create(config=definition(tasks, **extra))
        return await self.executions.start(StartRequest(template_id=template.id))

    async def started(self, count: int, *tasks: Any) -> Sequence[Execution]:
        template = await self.templates.create(config=definition(tasks))
        request = StartRequest(template_id=template.id)
        return [await self.executions.start(request) for _ in range(count)]

    async def ended(self, execution: Execution) -> Execution:
        return await self.executions.get(execution.id, wait=PATIENCE)

    async def output(self, execution: Execution) -> Any:
        ended = await self.ended(execution)
        assert ended.status is ExecutionStatus.COMPLETED, ended
        return ended.output

    async def publish(self, *events: Any) -> None:
        for event in events:
            await self.events.publish(event, namespace=NAMESPACE)

    async def listeners(self) -> Sequence[str]:
        """The executions that are known to listen."""
        query = EventListenerRow.select()
        rows = await self.database.read(lambda db: all_rows(db, query))
        return [row.execution_id for row in rows]

    async def until_waiting(self, *executions: Execution, at: str = "/do/0/wait") -> None:
        """Returns once the executions wait for events at a task."""
        for execution in executions:
            end = time.monotonic() + PATIENCE_SECONDS
            while (await self.executions.get(execution.id)).current_tasks != (at,):
                assert time.monotonic() < end
                await asyncio.sleep(0.05)


def definition(tasks: Sequence[Any], **extra: Any) -> str:
    document = {
        "dsl": "1.0.3",
        "namespace": NAMESPACE,
        "name": f"events-{uuid.uuid4()}",
        "version": "1.0.0",
    }
    return json.dumps({"document": document, "do": tasks, **extra})


def event(type: str = "t", data: Any = None, **attributes: Any) -> dict[str, Any]:
    known = {"specversion": "1.0", "id": str(uuid.uuid4()), "source": "/outside", "type": type}
    return {**known, "data": data, **attributes}


def listen(to: Any, name: str = "wait", **more: Any) -> dict[str, Any]:
    return {name: {"listen": {"to": to}, **more}}


ONE = {"one": {"with": {"type": "t"}}}
TWO = {"any": [{"with": {"type": "t"}}], "until": "length == 2"}


@pytest.fixture
async def settings(database_url: str, temporal_address: str) -> Settings:
    return Settings(
        database_url=database_url,
        temporal_address=temporal_address,
        task_queue=f"events-{uuid.uuid4()}",
    )


@pytest.fixture
async def service(settings: Settings) -> AsyncIterator[Service]:
    async with serving(settings) as found:
        yield found


class serving:
    """The service with these settings, while the block is done."""

    def __init__(self, settings: Settings) -> None:
        self._opened = opened(settings)

    async def __aenter__(self) -> Service:
        container = await self._opened.__aenter__()
        await container.worker()
        events, repo = await container.events(), await container.event_repo()
        return Service(
            templates=await container.templates(),
            executions=await container.executions(),
            events=events,
            repo=repo,
            sweeper=EventSweeper(
                repo=repo,
                events=events,
                clock=lambda: datetime.now(UTC),
                interval=timedelta(seconds=1),
                retention=timedelta(days=1),
            ),
            database=await container.database(),
            temporal=await container.temporal_client(),
        )

    async def __aexit__(self, *raised: Any) -> None:
        await self._opened.__aexit__(*raised)


async def test_a_run_waits_for_an_event_and_leaves_no_listener(service: Service) -> None:
    run = await service.start(listen(ONE))
    await service.until_waiting(run)
    assert (await service.executions.get(run.id)).current_tasks == ("/do/0/wait",)
    await service.publish(event("other"), event(data={"n": 1}))
    assert await service.output(run) == [{"n": 1}]
    assert await service.listeners() == []


async def test_an_event_from_before_the_listen_counts_but_none_from_before_the_run(
    service: Service,
) -> None:
    await service.publish(event(data="too early"))
    run = await service.start({"rest": {"wait": {"seconds": 1}}}, listen(ONE))
    await service.publish(event(data="in time"))
    assert await service.output(run) == ["in time"]


async def test_two_listens_of_a_run_share_out_the_events(service: Service) -> None:
    second = listen(ONE, "second", output={"as": "$context + ."})
    run = await service.start(listen(ONE, "first", export={"as": "."}), second)
    await service.publish(event(data=1), event(data=2))
    assert await service.output(run) == [1, 2]


async def test_one_event_serves_two_executions(service: Service) -> None:
    runs = await service.started(2, listen(ONE))
    await service.until_waiting(*runs)
    await service.publish(event(data=1))
    assert [await service.output(run) for run in runs] == [[1], [1]]


async def test_the_same_source_and_id_count_once(service: Service) -> None:
    run = await service.start(listen(TWO))
    twice = event(data=1)
    await service.publish(twice, {**twice, "data": "again"}, event(data=2))
    assert await service.output(run) == [1, 2]


async def test_an_event_of_another_namespace_isnt_seen(service: Service) -> None:
    run = await service.start(listen(ONE))
    await service.events.publish(event(data="elsewhere"), namespace="other")
    await service.events.publish(event(data="default"))
    await service.publish(event(data="here"))
    assert await service.output(run) == ["here"]


async def test_a_run_emits_what_another_listens_for(service: Service) -> None:
    hearing = await service.start(listen({"one": {"with": {"type": "order.placed"}}}))
    await service.until_waiting(hearing)
    properties = {"type": "order.placed", "data": {"id": "${ 3 + 4 }"}}
    telling = await service.start({"tell": {"emit": {"event": {"with": properties}}}})
    emitted = await service.output(telling)
    assert await service.output(hearing) == [{"id": 7}]
    assert emitted["id"].startswith(telling.id)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_many_runs_hear_one_event(service: Service) -> None:
    runs = await service.started(200, listen(ONE))
    await service.publish(event(data="all of you"))
    outputs = [await service.output(run) for run in runs]
    assert outputs == [["all of you"]] * 200


async def test_many_events_are_heard_in_order_by_few_wake_ups(service: Service) -> None:
    to = {"any": [{"with": {"type": "t"}}], "until": "length == 300"}
    run = await service.start(listen(to))
    await service.until_waiting(run)
    await asyncio.gather(*(service.publish(event(data=n)) for n in range(300)))
    heard = await service.output(run)
    assert sorted(heard) == list(range(300))
    history = await service.temporal.get_workflow_handle(run.id).fetch_history()
    signals = [
        e for e in history.events if e.HasField("workflow_execution_signaled_event_attributes")
    ]
    assert len(signals) < 150


async def test_large_events_come_in_pages(service: Service) -> None:
    run = await service.start(
        {"rest": {"wait": {"seconds": 1}}}, listen(TWO, output={"as": "map(length)"})
    )
    await service.publish(event(data="x" * 200_000), event(data="y" * 300_000))
    assert await service.output(run) == [200_000, 300_000]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
class TestSignals:
    async def test_an_event_for_one_execution(self, service: Service) -> None:
        one, other = await service.started(2, listen(ONE))
        await service.until_waiting(one, other)
        await service.events.signal(one.id, event(data="for you"))
        assert await service.output(one) == ["for you"]
        assert not (await service.executions.get(other.id)).status.is_end

    async def test_an_event_counts_once_whichever_way_it_comes(self, service: Service) -> None:
        run = await service.start(listen(TWO))
        signalled, published = event(data=1), event(data=2)
        await service.events.signal(run.id, signalled)
        await service.publish(signalled, published)
        await service.events.signal(run.id, published)
        assert await service.output(run) == [1, 2]

    async def test_an_execution_that_has_ended_or_isnt_there(self, service: Service) -> None:
        run = await service.start({"set": {"set": {"a": 1}}})
        await service.ended(run)
        with pytest.raises(ExecutionEnded):
            await service.events.signal(run.id, event())
        with pytest.raises(ExecutionNotFound):
            await service.events.signal("nobody", event())


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
class TestEnds:
    async def test_cancelled_while_it_listens(self, service: Service) -> None:
        run = await service.start(listen(ONE))
        await service.until_waiting(run)
        await service.temporal.get_workflow_handle(run.id).cancel()
        assert (await service.ended(run)).status is ExecutionStatus.CANCELLED
        assert await service.listeners() == []

    async def test_terminated_while_it_listens(self, service: Service) -> None:
        run = await service.start(listen(ONE))
        await service.until_waiting(run)
        await service.temporal.get_workflow_handle(run.id).terminate()
        await service.publish(event())
        assert await service.listeners() == []

    async def test_a_timeout(self, service: Service) -> None:
        run = await service.start(listen(ONE, timeout={"after": {"seconds": 1}}))
        ended = await service.ended(run)
        assert ended.error is not None
        assert (ended.error.status, ended.error.instance) == (408, "/do/0/wait")
        assert await service.listeners() == []

    async def test_a_branch_that_loses_stops_listening(self, service: Service) -> None:
        branches = [listen(ONE), {"rest": {"wait": {"seconds": 1}}}]
        race = {"race": {"fork": {"compete": True, "branches": branches}}}
        run = await service.start(race, listen({"one": {"with": {"type": "u"}}}, "then"))
        await service.until_waiting(run, at="/do/1/then")
        assert len(await service.listeners()) == 1
        await service.publish(event(data="unheard"), event("u", 1))
        assert await service.output(run) == [1]

    async def test_an_expression_that_fails_on_an_event(self, service: Service) -> None:
        run = await service.start(listen({"one": {"with": {"data": "${ .a.b }"}}}))
        await service.publish(event(data={"a": 1}))
        ended = await service.ended(run)
        assert ended.error is not None
        assert (ended.error.status, ended.error.instance) == (400, "/do/0/wait")


async def test_an_event_whose_wake_ups_were_lost_is_swept(service: Service) -> None:
    run = await service.start(listen(ONE))
    await service.until_waiting(run)
    long_ago = datetime.now(UTC) - timedelta(minutes=1)
    stored = await service.repo.add(
        NewEvent(namespace=NAMESPACE, target="", event=event(data="late"), accepted_at=long_ago)
    )
    assert not stored.is_delivered
    await service.sweeper.deliver()
    assert await service.output(run) == ["late"]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
class TestSink:
    @pytest.fixture
    async def settings(
        self, database_url: str, temporal_address: str, http_service: HttpService
    ) -> Settings:
        return Settings(
            database_url=database_url,
            temporal_address=temporal_address,
            task_queue=f"events-{uuid.uuid4()}",
            event_sink_url=f"{http_service.url}/echo",
        )

    async def test_an_event_goes_to_the_sink_too(
        self, service: Service, http_service: HttpService
    ) -> None:
        hearing = await service.start(listen(ONE))
        await service.start({"tell": {"emit": {"event": {"with": {"type": "t", "data": 1}}}}})
        assert await service.output(hearing) == [1]
        assert http_service.counts.total() == 1
