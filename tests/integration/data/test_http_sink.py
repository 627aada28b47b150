"""HttpLifecycleSink, against a real HTTP service."""

import json

import httpx
import pytest
from cloudevents.core.v1.event import CloudEvent

from biz.history.relay import EventRefused, SinkUnavailable
from data.http_sink import HttpLifecycleSink
from tests.fixtures.http_service import HttpService

EVENT = CloudEvent({"id": "1", "source": "/x", "type": "t"}, {"n": 1})


async def send(url: str) -> None:
    async with httpx.AsyncClient(trust_env=False, timeout=2) as client:
        await HttpLifecycleSink(client=client, url=url).send(EVENT)


async def test_an_event_is_sent_in_structured_mode(http_service: HttpService) -> None:
    await send(f"{http_service.url}/echo")
    [(path, body)] = http_service.bodies
    assert path == "/echo"
    sent = json.loads(body)
    assert (sent["specversion"], sent["id"], sent["data"]) == ("1.0", "1", {"n": 1})


@pytest.mark.parametrize("status", [400, 413, 422])
async def test_an_event_can_be_refused(http_service: HttpService, status: int) -> None:
    with pytest.raises(EventRefused, match=str(status)):
        await send(f"{http_service.url}/status/{status}")


@pytest.mark.parametrize(
    "path", ["/status/500", "/status/429", "/status/401", "/status/404", "/redirect", "/hang-up"]
)
async def test_all_else_passes(http_service: HttpService, path: str) -> None:
    with pytest.raises(SinkUnavailable):
        await send(http_service.url + path)


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/secret", "http://[/secret"])
async def test_an_error_doesnt_name_the_address(url: str) -> None:
    with pytest.raises(SinkUnavailable) as failure:
        await send(url)
    assert "secret" not in str(failure.value)
