"""HTTP calls against a real service: what is sent, what comes back, how they fail."""

import base64
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError

from biz.dsl.calls.http_call import HttpCall, HttpOutput
from biz.dsl.credentials import Credentials
from tests.fixtures.activities import Recorded, perform
from tests.fixtures.http_service import HttpService
from tests.fixtures.performers import new_performer, new_sender
from tests.patience import PATIENCE_SECONDS
from workflows.activities.http_calls.http_call import HttpActivities
from workflows.activities.http_calls.sender import new_http_client

ERRORS = "https://open-workflow-specification.org/spec/1.0.0/errors/"
Call = Callable[..., Any]


@pytest.fixture
def recorder() -> Recorded:
    return Recorded()


@pytest.fixture
def timeout_seconds() -> float:
    """How long the client waits; less where that is the test."""
    return PATIENCE_SECONDS


@pytest.fixture
async def call(
    http_service: HttpService, recorder: Recorded, timeout_seconds: float
) -> AsyncIterator[Call]:
    """Makes one call to a path of the service, as the activity of a task."""
    async with new_http_client(timeout_seconds=timeout_seconds) as client:
        sender = new_sender(client, max_response_bytes=10_000)
        activities = HttpActivities(performer=new_performer(recorder), sender=sender)

        async def send(path: str, **properties: Any) -> Any:
            uri = path if "://" in path else http_service.url + path
            defaults: dict[str, Any] = {
                "method": "GET",
                "uri": uri,
                "query": {},
                "headers": {},
                "body": None,
                "output": HttpOutput.CONTENT,
                "redirect": False,
                "authentication": None,
                "idempotency_key": "run:/do/0/call:1",
            }
            made = HttpCall(**{**defaults, **properties})
            return await perform(activities.call, made)

        yield send


def bearer(token: Any) -> Credentials:
    return Credentials(scheme="bearer", properties={"token": token})


async def error_of(call: Call, path: str, **properties: Any) -> dict[str, Any]:
    with pytest.raises(ApplicationError) as caught:
        await call(path, **properties)
    assert caught.value.non_retryable
    return dict(caught.value.details[0])


async def test_the_content_of_json_is_its_value(call: Call) -> None:
    assert await call("/pets/7") == {"id": 7, "name": "pet7", "status": "available"}


async def test_whole_numbers_that_a_double_cant_hold_become_doubles(call: Call) -> None:
    numbers = await call("/numbers")
    assert numbers == {"whole": 7, "big": 1.2345678901234567e19}
    assert isinstance(numbers["big"], float)


async def test_the_content_of_text_is_a_string_in_its_own_encoding(call: Call) -> None:
    assert await call("/text") == "grüße"


async def test_other_content_is_in_base64(call: Call) -> None:
    assert await call("/bytes/3") == base64.b64encode(b"xxx").decode()


async def test_no_content_is_null(call: Call) -> None:
    assert await call("/empty") is None


async def test_raw_output_is_the_body_in_base64(call: Call) -> None:
    raw = await call("/pets/7", output=HttpOutput.RAW)
    assert json.loads(base64.b64decode(raw))["name"] == "pet7"


async def test_response_output_shows_request_and_response_without_credentials(call: Call) -> None:
    response = await call(
        "/bearer/t0ken", output=HttpOutput.RESPONSE, authentication=bearer("t0ken")
    )
    assert response["statusCode"] == 200
    assert response["content"] == {"authorized": True}
    assert response["headers"]["content-type"] == "application/json"
    assert response["request"]["method"] == "get"
    assert response["request"]["uri"].endswith("/bearer/t0ken")
    assert "authorization" not in response["request"]["headers"]


async def test_query_parameters_join_those_of_the_uri_and_may_repeat(call: Call) -> None:
    seen = await call("/echo?a=1", query={"b": [2, "3"], "c": "x y&z"})
    assert seen["query"] == {"a": ["1"], "b": ["2", "3"], "c": ["x y&z"]}


async def test_headers_are_sent(call: Call) -> None:
    seen = await call("/echo", headers={"X-Team": "payments"})
    assert seen["headers"]["x-team"] == "payments"


async def test_a_headers_value_may_hold_any_letters(call: Call) -> None:
    seen = await call("/echo", headers={"X-Town": "Zürich"})
    assert seen["headers"]["x-town"].encode("latin-1").decode() == "Zürich"


async def test_an_object_is_sent_as_json(call: Call) -> None:
    seen = await call("/echo", method="POST", body={"a": [1, None]})
    assert json.loads(seen["body"]) == {"a": [1, None]}
    assert seen["headers"]["content-type"] == "application/json"


async def test_a_string_is_sent_as_it_is(call: Call) -> None:
    seen = await call("/echo", method="POST", body="héllo")
    assert seen["body"] == "héllo"
    assert seen["headers"]["content-type"] == "text/plain; charset=utf-8"


async def test_an_object_is_sent_as_a_form_where_the_content_type_says_so(call: Call) -> None:
    form = "application/x-www-form-urlencoded"
    seen = await call("/echo", method="POST", body={"a": 1}, headers={"Content-Type": form})
    assert seen["body"] == "a=1"


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
async def test_an_unsafe_call_carries_its_idempotency_key(call: Call, method: str) -> None:
    seen = await call("/echo", method=method)
    assert seen["headers"]["idempotency-key"] == "run:/do/0/call:1"


async def test_the_definitions_own_idempotency_key_counts(call: Call) -> None:
    seen = await call("/echo", method="POST", headers={"Idempotency-Key": "mine"})
    assert seen["headers"]["idempotency-key"] == "mine"


async def test_a_safe_call_carries_no_idempotency_key(call: Call) -> None:
    assert "idempotency-key" not in (await call("/echo"))["headers"]


async def test_basic_authentication(call: Call) -> None:
    login = Credentials(scheme="basic", properties={"username": "ann", "password": "pw"})
    assert await call("/basic/ann/pw", authentication=login) == {"authorized": True}
    error = await error_of(call, "/basic/ann/other", authentication=login)
    assert error["status"] == 401


@pytest.mark.parametrize(
    ("properties", "kind"),
    [
        ({"method": "GET /"}, "expression"),
        ({"uri": None}, "expression"),
        ({"query": [1]}, "expression"),
        ({"headers": {"a": {}}}, "expression"),
        ({"authentication": bearer(1)}, "authentication"),
    ],
)
async def test_what_an_expression_gave_is_checked_before_it_is_sent(
    call: Call, http_service: HttpService, properties: Any, kind: str
) -> None:
    error = await error_of(call, "/echo", **properties)
    assert error["type"] == f"{ERRORS}{kind}"
    assert http_service.counts.total() == 0


async def test_runs_share_no_cookies(call: Call) -> None:
    await call("/cookie")
    assert await call("/cookie") == {"cookie": None}


async def test_a_redirect_is_followed_where_the_definition_says_so(call: Call) -> None:
    assert (await call("/redirect", redirect=True))["path"] == "/echo"


async def test_a_redirect_faults_by_default(call: Call) -> None:
    error = await error_of(call, "/redirect")
    assert (error["type"], error["status"]) == (f"{ERRORS}communication", 302)


async def test_a_redirect_loop_ends(call: Call) -> None:
    error = await error_of(call, "/redirect-loop", redirect=True)
    assert error["type"] == f"{ERRORS}communication"


@pytest.mark.parametrize("status", [400, 404, 500, 503])
async def test_a_refusal_is_a_communication_error_with_its_status(call: Call, status: int) -> None:
    error = await error_of(call, f"/status/{status}")
    assert (error["type"], error["status"]) == (f"{ERRORS}communication", status)
    assert f"answered {status}" in error["detail"]


@pytest.mark.parametrize("timeout_seconds", [0.5])
async def test_a_slow_answer_is_a_timeout_error(call: Call) -> None:
    error = await error_of(call, "/slow/2")
    assert (error["type"], error["status"]) == (f"{ERRORS}timeout", 408)


@pytest.mark.parametrize("path", ["http://127.0.0.1:1/", "/hang-up"])
async def test_an_address_that_fails_is_a_communication_error(call: Call, path: str) -> None:
    error = await error_of(call, path)
    assert (error["type"], error["status"]) == (f"{ERRORS}communication", 500)


@pytest.mark.parametrize(
    "uri", ["ftp://127.0.0.1/", "//nowhere", "http://a:b:c/", "http://127.0.0.1:99999/"]
)
async def test_an_address_that_is_none_is_a_configuration_error(call: Call, uri: str) -> None:
    error = await error_of(call, uri if "://" in uri else f"x{uri}")
    assert error["type"] == f"{ERRORS}configuration"


async def test_a_header_that_cant_be_sent_is_a_configuration_error(call: Call) -> None:
    error = await error_of(call, "/echo", headers={"X-Bad": "a\r\nHost: evil"})
    assert error["type"] == f"{ERRORS}configuration"


@pytest.mark.parametrize("name", ["X-Größe", "X Bad", ""])
async def test_a_headers_name_that_is_none_is_a_configuration_error(call: Call, name: str) -> None:
    error = await error_of(call, "/echo", headers={name: "1"})
    assert error["type"] == f"{ERRORS}configuration"


async def test_a_database_that_is_down_holds_no_call(call: Call, recorder: Recorded) -> None:
    recorder.down = True
    assert (await call("/pets/7"))["id"] == 7


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "raw-deflate"])
async def test_a_compressed_answer_is_read(call: Call, encoding: str) -> None:
    assert await call(f"/encoded/{encoding}") == {"a": 1}


@pytest.mark.parametrize("encoding", ["gzip,gzip", "br", "none"])
async def test_another_encoding_is_a_communication_error(call: Call, encoding: str) -> None:
    error = await error_of(call, f"/encoded/{encoding}")
    assert error["type"] == f"{ERRORS}communication"


async def test_an_answer_that_grows_over_the_limit_is_a_communication_error(call: Call) -> None:
    assert "more than 10000 bytes" in (await error_of(call, "/bomb"))["detail"]


@pytest.mark.parametrize("charset", ["rot13", "hex", "undefined", "idna", "nonsense"])
async def test_text_in_a_charset_that_is_none_is_read_as_utf_8(call: Call, charset: str) -> None:
    assert await call(f"/charset/{charset}") == "text"


async def test_a_number_beyond_a_double_is_a_communication_error(call: Call) -> None:
    assert "something else than JSON" in (await error_of(call, "/infinite"))["detail"]


async def test_a_length_that_is_wrong_is_a_configuration_error(call: Call) -> None:
    error = await error_of(
        call, "/echo", method="POST", body="longer", headers={"Content-Length": "2"}
    )
    assert error["type"] == f"{ERRORS}configuration"


async def test_broken_json_is_a_communication_error(call: Call) -> None:
    assert "something else than JSON" in (await error_of(call, "/broken-json"))["detail"]


async def test_an_answer_over_the_limit_is_a_communication_error(call: Call) -> None:
    assert "more than 10000 bytes" in (await error_of(call, "/bytes/20000"))["detail"]


async def test_errors_show_no_credentials_and_no_query(
    call: Call, http_service: HttpService
) -> None:
    host = http_service.url.removeprefix("http://")
    error = await error_of(call, f"http://ann:secret@{host}/status/500?token=secret")
    assert "secret" not in json.dumps(error)
