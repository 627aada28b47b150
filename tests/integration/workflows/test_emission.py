"""The activity that emits events, and the sink that they go to besides."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from biz.dsl.calls.emission import Emission
from biz.errors import DatabaseUnavailable
from tests.fixtures.activities import Recorded, error_of, perform
from tests.fixtures.http_service import HttpService
from tests.fixtures.performers import new_performer, new_sender
from tests.patience import PATIENCE_SECONDS
from workflows.activities import emission, event_sink
from workflows.activities.emission import EmissionActivities
from workflows.activities.event_sink import EventSink
from workflows.activities.http_calls.sender import HttpSender, new_http_client

EVENT = {
    "specversion": "1.0",
    "id": "run:1",
    "source": "/test/sample/0.1.0",
    "type": "order.placed",
    "time": "2025-01-02T03:04:05.678Z",
    "datacontenttype": "text/plain",
    "data": "grüße",
}
CALL = Emission(idempotency_key="run:1", event=EVENT)


class Publisher:
    """Keeps what is published; `away` is how often it doesn't answer first."""

    def __init__(self) -> None:
        self.published: list[tuple[Any, str]] = []
        self.away = 0

    async def publish(self, event: Any, *, namespace: str = "") -> None:
        if self.away:
            self.away -= 1
            raise DatabaseUnavailable("the database doesn't answer")
        self.published.append((event, namespace))


@pytest.fixture
def publisher() -> Publisher:
    return Publisher()


@pytest.fixture
def timeout_seconds() -> float:
    """How long the client waits; less where that is the test."""
    return PATIENCE_SECONDS


@pytest.fixture
async def sender(timeout_seconds: float) -> AsyncIterator[HttpSender]:
    async with new_http_client(timeout_seconds=timeout_seconds) as client:
        yield new_sender(client)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits long for a further attempt."""
    monkeypatch.setattr(emission, "_PATIENCE_SECONDS", 0.01)
    monkeypatch.setattr(event_sink, "_PAUSES_SECONDS", (0.01, 0.01))


def activities(publisher: Publisher, sink: EventSink | None = None) -> EmissionActivities:
    return EmissionActivities(performer=new_performer(Recorded()), publisher=publisher, sink=sink)


async def test_an_event_is_published_in_the_namespace_of_the_run(publisher: Publisher) -> None:
    assert await perform(activities(publisher).call, CALL) is None
    assert publisher.published == [(EVENT, "default")]


async def test_a_database_that_is_away_delays_it(publisher: Publisher) -> None:
    publisher.away = 3
    await perform(activities(publisher).call, CALL)
    assert len(publisher.published) == 1


async def test_the_sink_gets_it_in_structured_mode(
    publisher: Publisher, sender: HttpSender, http_service: HttpService
) -> None:
    sink = EventSink(sender=sender, url=f"{http_service.url}/echo")
    await perform(activities(publisher, sink).call, CALL)
    [(path, body)] = http_service.bodies
    assert (path, json.loads(body)) == ("/echo", EVENT)
    assert len(publisher.published) == 1


@pytest.mark.parametrize(
    ("status", "attempts"), [(503, 3), (429, 3), (408, 3), (400, 1), (401, 1), (404, 1)]
)
async def test_a_sink_that_refuses_is_a_communication_error_and_nobody_hears_of_the_event(
    publisher: Publisher,
    sender: HttpSender,
    http_service: HttpService,
    status: int,
    attempts: int,
) -> None:
    sink = EventSink(sender=sender, url=f"{http_service.url}/status/{status}")
    error = await error_of(activities(publisher, sink).call, CALL)
    assert error["type"].endswith("/communication")
    assert error["status"] == status
    assert http_service.url not in json.dumps(error)
    assert http_service.counts.total() == attempts
    assert publisher.published == []


@pytest.mark.parametrize("timeout_seconds", [0.5])
async def test_a_sink_that_isnt_there_or_hangs(
    publisher: Publisher, sender: HttpSender, http_service: HttpService
) -> None:
    for url in ("http://127.0.0.1:1/", f"{http_service.url}/slow/5"):
        error = await error_of(activities(publisher, EventSink(sender=sender, url=url)).call, CALL)
        assert error["type"].endswith("/communication")
    assert publisher.published == []
