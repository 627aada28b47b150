"""What is told of HTTP requests, and what isn't."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import httpx
import pytest

from biz.logs.log import LogLevel
from tests.fixtures.performers import KeptLines
from tests.unit.workflows.activities.test_call_log import new_log
from workflows.activities.call_log import logged_call
from workflows.activities.http_calls.logged_transport import LoggedTransport, redacted_url
from workflows.activities.redaction import Secrecy

Handler = Callable[[httpx.Request], Awaitable[httpx.Response]]


async def answer(request: httpx.Request) -> httpx.Response:
    return httpx.Response(int(request.url.path[1:]))


async def told(handler: Handler, url: str = "http://a.test/200", **request: Any) -> KeptLines:
    """The log of a call that makes a request; its error is swallowed."""
    kept, secrets = KeptLines(), Secrecy()
    secrets.add("hunter2")
    transport = LoggedTransport(httpx.MockTransport(handler))
    with logged_call(new_log(kept, secrets)):
        async with httpx.AsyncClient(transport=transport) as client:
            with suppress(httpx.HTTPError, asyncio.CancelledError):
                await client.request("GET", url, **request)
    return kept


@pytest.mark.parametrize(
    ("status", "level"), [(200, LogLevel.INFO), (302, LogLevel.INFO), (404, LogLevel.WARNING)]
)
async def test_an_answer_is_told_with_status_and_duration(status: int, level: LogLevel) -> None:
    [line] = (await told(answer, f"http://a.test/{status}")).lines
    assert (line.level, line.message) == (level, f"GET http://a.test/{status} answered {status}")
    assert line.fields["method"] == "GET"
    assert line.fields["url"] == f"http://a.test/{status}"
    assert line.fields["status"] == status
    assert 0 <= line.fields["duration_ms"] < 5000


@pytest.mark.parametrize(
    ("error", "ending"),
    [
        (httpx.ConnectError("s3cret"), "failed: ConnectError"),
        (asyncio.CancelledError(), "was given up"),
    ],
)
async def test_a_request_without_an_answer_is_told_too(error: BaseException, ending: str) -> None:
    async def fail(request: httpx.Request) -> httpx.Response:
        raise error

    [line] = (await told(fail)).lines
    assert (line.level, line.message) == (LogLevel.WARNING, f"GET http://a.test/200 {ending}")
    assert line.fields["status"] is None


async def test_headers_that_may_hold_secrets_are_redacted() -> None:
    headers = {
        "Authorization": "Bearer abc",
        "X-Api-Key": "k",
        "Cookie": "c=1",
        "X-Plain": "hunter2 and more",
        "Idempotency-Key": "run:1",
        "X-Long": "x" * 1000,
    }
    [line] = (await told(answer, headers=headers)).lines
    shown = line.fields["request_headers"]
    assert [shown[name] for name in ("authorization", "x-api-key", "cookie")] == ["***"] * 3
    assert shown["x-plain"] == "*** and more"
    assert shown["idempotency-key"] == "run:1"
    assert len(shown["x-long"]) == 200


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://u:p@a.test/x?a=1&token=t&b=%20#f", "http://a.test/x?a=1&token=***&b=%20"),
        ("http://a.test/x?api%5Fkey=t&flag&sig=", "http://a.test/x?api%5Fkey=***&flag&sig=***"),
        ("http://a.test/x", "http://a.test/x"),
    ],
)
def test_urls_are_told_without_secrets(url: str, shown: str) -> None:
    assert redacted_url(httpx.URL(url)) == shown


def test_a_long_url_is_cut() -> None:
    assert len(redacted_url(httpx.URL("http://a.test/" + "x" * 5000))) == 2000


async def test_known_secrets_are_left_out_of_a_url() -> None:
    [line] = (await told(answer, "http://a.test/200?q=hunter2")).lines
    assert line.fields["url"] == "http://a.test/200?q=***"
    assert "hunter2" not in repr(line)


async def test_outside_of_a_call_a_request_is_just_sent() -> None:
    transport = LoggedTransport(httpx.MockTransport(answer))
    async with httpx.AsyncClient(transport=transport) as client:
        assert (await client.get("http://a.test/204")).status_code == 204
