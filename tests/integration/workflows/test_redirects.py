"""Redirects to another origin, which isn't told the secrets of a call."""

from collections.abc import AsyncIterator

import pytest

from biz.dsl.calls.http_call import HttpOutput
from biz.dsl.errors import TaskFault
from tests.fixtures.http_service import HttpService
from tests.fixtures.performers import new_sender
from tests.fixtures.workflows import standard
from workflows.activities.http_calls.sender import HttpRequest, HttpSender, new_http_client
from workflows.activities.redaction import keep_secret, secrecy

SECRET = "Pa55word"


@pytest.fixture
async def sender() -> AsyncIterator[HttpSender]:
    async with new_http_client(timeout_seconds=5) as client:
        yield new_sender(client)


@pytest.fixture
def elsewhere(http_service: HttpService) -> str:
    """The same service as another origin."""
    return http_service.url.replace("127.0.0.1", "localhost")


def post(service: HttpService, status: int, body: bytes | None = None) -> HttpRequest:
    return HttpRequest(
        method="POST",
        url=f"{service.url}/elsewhere/{status}",
        headers=[("X-K", f"key {SECRET}"), ("X-Team", "payments")],
        content=body,
        redirect=True,
    )


async def test_another_origin_isnt_sent_headers_that_hold_a_secret(
    sender: HttpSender, http_service: HttpService, elsewhere: str
) -> None:
    http_service.elsewhere = f"{elsewhere}/echo"
    with secrecy():
        keep_secret(SECRET)
        seen = await sender.call(post(http_service, 307, b"body"), HttpOutput.CONTENT)
    assert (seen["method"], seen["body"]) == ("POST", "body")
    assert seen["headers"]["x-team"] == "payments"
    assert "x-k" not in seen["headers"]


async def test_the_same_origin_is_sent_them(sender: HttpSender, http_service: HttpService) -> None:
    http_service.elsewhere = f"{http_service.url}/echo"
    with secrecy():
        keep_secret(SECRET)
        seen = await sender.call(post(http_service, 307, SECRET.encode()), HttpOutput.CONTENT)
    assert (seen["headers"]["x-k"], seen["body"]) == (f"key {SECRET}", SECRET)


@pytest.mark.parametrize(
    ("status", "query", "what"),
    [(307, "", "body"), (308, "", "body"), (302, f"?k={SECRET.lower()}", "URL")],
)
async def test_a_redirect_that_would_tell_a_secret_faults(
    sender: HttpSender,
    http_service: HttpService,
    elsewhere: str,
    status: int,
    query: str,
    what: str,
) -> None:
    http_service.elsewhere = f"{elsewhere}/echo{query}"
    request = post(http_service, status, f'{{"key": "{SECRET}"}}'.encode())
    with secrecy():
        keep_secret(SECRET)
        with pytest.raises(TaskFault) as raised:
            await sender.call(request, HttpOutput.CONTENT)
    error = raised.value.error
    assert (error.type, error.status) == (standard("authorization"), 403)
    assert error.detail.endswith(f"which would be told a secret: it stands in the {what}")
    assert http_service.counts["/echo"] == 0


async def test_a_redirect_that_leaves_the_body_out_is_followed(
    sender: HttpSender, http_service: HttpService, elsewhere: str
) -> None:
    http_service.elsewhere = f"{elsewhere}/echo"
    with secrecy():
        keep_secret(SECRET)
        seen = await sender.call(post(http_service, 302, SECRET.encode()), HttpOutput.CONTENT)
    assert (seen["method"], seen["body"]) == ("GET", "")
