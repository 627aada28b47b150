"""Documents of a real HTTP service: how they are fetched, kept and refused."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from biz.dsl.calls.resource import Resource
from biz.dsl.credentials import Credentials
from biz.dsl.errors import TaskFault, WorkflowError
from tests.fixtures.http_service import HttpService
from tests.fixtures.performers import new_sender
from tests.fixtures.workflows import standard
from tests.patience import PATIENCE_SECONDS
from workflows.activities import documents
from workflows.activities.documents import MAX_DOCUMENT_BYTES, Documents, FetchedDocument
from workflows.activities.http_calls.sender import new_http_client


@pytest.fixture
def timeout_seconds() -> float:
    """How long the client waits; less where that is the test."""
    return PATIENCE_SECONDS


@pytest.fixture
async def fetcher(timeout_seconds: float) -> AsyncIterator[Documents]:
    async with new_http_client(timeout_seconds=timeout_seconds) as client:
        yield Documents(sender=new_sender(client, max_response_bytes=10))


async def fault_of(fetcher: Documents, uri: Any, **properties: Any) -> WorkflowError:
    with pytest.raises(TaskFault) as raised:
        await fetcher.fetch(Resource(uri=uri, **properties))
    return raised.value.error


async def test_a_document_is_fetched_whatever_calls_may_answer(
    fetcher: Documents, http_service: HttpService
) -> None:
    http_service.documents["/a.yaml"] = b"a: 1\n200: two\ntrue: [3]\n"
    document = await fetcher.fetch(Resource(uri=f"{http_service.url}/a.yaml"))
    assert document.text() == "a: 1\n200: two\ntrue: [3]\n"
    assert await document.value() == {"a": 1, "200": "two", "true": [3]}


async def test_a_documents_uri_is_where_it_was_in_the_end(
    fetcher: Documents, http_service: HttpService
) -> None:
    document = await fetcher.fetch(Resource(uri=f"{http_service.url}/redirect"))
    assert document.uri == f"{http_service.url}/echo"


async def test_a_document_may_need_credentials(
    fetcher: Documents, http_service: HttpService
) -> None:
    login = Credentials(scheme="basic", properties={"username": "ann", "password": "pw"})
    uri = f"{http_service.url}/basic/ann/pw"
    document = await fetcher.fetch(Resource(uri=uri, authentication=login))
    assert await document.value() == {"authorized": True}
    assert (await fault_of(fetcher, uri)).status == 401


async def test_a_document_is_kept_for_a_while(
    fetcher: Documents, http_service: HttpService, monkeypatch: pytest.MonkeyPatch
) -> None:
    resource = Resource(uri=f"{http_service.url}/pets/1")
    first = await fetcher.fetch(resource)
    assert await fetcher.fetch(resource) is first
    monkeypatch.setattr(documents, "_KEPT_SECONDS", -1.0)
    other = Resource(uri=f"{http_service.url}/pets/2")
    await fetcher.fetch(other)
    await fetcher.fetch(other)
    assert http_service.counts == {"/pets/1": 1, "/pets/2": 2}


async def test_a_document_is_fetched_once_for_all_who_ask_at_once(
    fetcher: Documents, http_service: HttpService
) -> None:
    resource = Resource(uri=f"{http_service.url}/slow/0.2")
    leaving = asyncio.create_task(fetcher.fetch(resource))
    staying = [asyncio.create_task(fetcher.fetch(resource)) for _ in range(20)]
    await asyncio.sleep(0.05)
    leaving.cancel()
    assert {document.content for document in await asyncio.gather(*staying)} == {b'{"slept": 0.2}'}
    assert leaving.cancelled()
    assert http_service.counts["/slow/0.2"] == 1


async def test_a_failure_isnt_kept(fetcher: Documents, http_service: HttpService) -> None:
    uri = f"{http_service.url}/a.yaml"
    assert (await fault_of(fetcher, uri)).status == 404
    http_service.documents["/a.yaml"] = b"{}"
    assert await (await fetcher.fetch(Resource(uri=uri))).value() == {}


@pytest.mark.parametrize("limit", ["_KEPT_DOCUMENTS", "_KEPT_BYTES"])
async def test_the_oldest_of_too_many_documents_is_forgotten(
    fetcher: Documents, http_service: HttpService, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    monkeypatch.setattr(documents, limit, {"_KEPT_DOCUMENTS": 2, "_KEPT_BYTES": 120}[limit])
    for id in (1, 2, 3, 3, 1):
        await fetcher.fetch(Resource(uri=f"{http_service.url}/pets/{id}"))
    assert http_service.counts == {"/pets/1": 2, "/pets/2": 1, "/pets/3": 1}


@pytest.mark.parametrize(
    ("path", "kind", "status", "detail"),
    [
        ("/status/404?token=secret", "communication", 404, "answered 404 Not Found"),
        ("/status/500", "communication", 500, "answered 500 Internal Server Error"),
        ("/hang-up", "communication", 500, "failed"),
        ("/redirect-loop", "communication", 500, "answered more than 20 redirects"),
        (f"/bytes/{MAX_DOCUMENT_BYTES + 1}", "communication", 500, "answered more than 16777216"),
    ],
)
async def test_a_document_that_cant_be_had_faults_with_its_url(
    fetcher: Documents, http_service: HttpService, path: str, kind: str, status: int, detail: str
) -> None:
    address = http_service.url.removeprefix("http://")
    error = await fault_of(fetcher, f"http://ann:secret@{address}{path}")
    assert (error.type, error.status) == (standard(kind), status)
    assert error.detail.startswith(f"GET {http_service.url}{path.partition('?')[0]} {detail}")
    assert "secret" not in error.detail


@pytest.mark.parametrize("timeout_seconds", [0.5])
async def test_a_document_that_is_slow_is_a_timeout(
    fetcher: Documents, http_service: HttpService
) -> None:
    error = await fault_of(fetcher, f"{http_service.url}/slow/2")
    assert (error.type, error.status) == (standard("timeout"), 408)
    assert error.detail.endswith("/slow/2 didn't answer in time")


@pytest.mark.parametrize(
    ("uri", "kind", "detail"),
    [
        ("file:///etc/passwd", "configuration", "can't be fetched by file"),
        ("/relative.yaml", "configuration", "can't be fetched by a URI without a scheme"),
        ("http://[", "configuration", "can't be fetched by a URI without a scheme"),
        ("http://\x00", "configuration", "GET"),
        (7, "expression", "must give a string"),
    ],
)
async def test_what_is_no_address_of_a_document_is_refused(
    fetcher: Documents, uri: Any, kind: str, detail: str
) -> None:
    error = await fault_of(fetcher, uri)
    assert error.type == standard(kind)
    assert detail in error.detail


async def test_credentials_that_cant_be_sent_are_refused(fetcher: Documents) -> None:
    login = Credentials(scheme="bearer", properties={"token": 7})
    error = await fault_of(fetcher, "http://localhost/a", authentication=login)
    assert error.type == standard("authentication")


@pytest.mark.parametrize(
    ("content", "detail"),
    [
        (b"a: 'x", "can't be read at line 1, column 6: not YAML"),
        (b"a: \xff", "is no text in UTF-8"),
        (b"a: \x00", "can't be read: "),
        (b"[a]: 1", "can't be read at line 1, column 1: a key must be a string"),
    ],
)
async def test_a_document_that_cant_be_read_says_where(content: bytes, detail: str) -> None:
    document = FetchedDocument(uri="https://a.test/x?token=secret", content=content)
    with pytest.raises(TaskFault) as raised:
        await document.value()
    assert raised.value.error.type == standard("configuration")
    assert f"the document https://a.test/x {detail}" in raised.value.error.detail
