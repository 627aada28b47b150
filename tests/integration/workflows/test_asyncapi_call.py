"""AsyncAPI calls: documents, requests and server-sent events over HTTP, messages over NATS."""

import asyncio
import json
import sys
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import nats
import pytest

from biz.dsl.calls.asyncapi_call import AsyncApiPublication, AsyncApiReception, AsyncApiTarget
from biz.dsl.calls.resource import Resource
from biz.dsl.credentials import Credentials
from biz.dsl.errors import WorkflowError
from tests.fixtures.activities import Recorded, error_of, perform
from tests.fixtures.message_service import MessageService
from tests.fixtures.nats_server import nats_server
from tests.fixtures.performers import KeptLines, new_authenticator, new_performer, new_sender
from tests.fixtures.workflows import standard
from workflows.activities.asyncapi.asyncapi_call import PublishActivities, ReceiveActivities
from workflows.activities.asyncapi.asyncapi_http import HttpMessages
from workflows.activities.asyncapi.subscriptions import Subscriptions
from workflows.activities.documents import Documents
from workflows.activities.http_calls.sender import new_http_client


class Peer:
    """Publishes and receives as the activities of tasks do."""

    def __init__(
        self, publishing: PublishActivities, receiving: ReceiveActivities, service: MessageService
    ) -> None:
        self._publishing = publishing
        self._receiving = receiving
        self._service = service
        self._key = str(uuid.uuid4())

    def _target(self, properties: dict[str, Any]) -> AsyncApiTarget:
        defaults: dict[str, Any] = {
            "document": Resource(uri=f"{self._service.url}/asyncapi"),
            "operation": None,
            "channel": None,
            "server": None,
            "variables": {},
            "protocol": None,
        }
        return AsyncApiTarget(**{**defaults, **properties})

    def publication(
        self, payload: Any = None, headers: Any = None, *, by: Any = None, **target: Any
    ) -> AsyncApiPublication:
        return AsyncApiPublication(
            target=self._target(target),
            payload=payload,
            headers=headers or {},
            authentication=by,
            idempotency_key="run:/do/0/call:1",
        )

    def reception(
        self,
        *,
        limit: int = 10,
        wait: float = 5,
        position: str | None = None,
        by: Any = None,
        **target: Any,
    ) -> AsyncApiReception:
        return AsyncApiReception(
            target=self._target(target),
            subscription=self._key,
            position=position,
            limit=limit,
            wait_seconds=wait,
            authentication=by,
            idempotency_key="run:/do/0/call:1",
        )

    async def publish(self, *arguments: Any, **properties: Any) -> None:
        await perform(self._publishing.call, self.publication(*arguments, **properties))

    async def publish_fault(self, *arguments: Any, **properties: Any) -> WorkflowError:
        call = self.publication(*arguments, **properties)
        return WorkflowError.from_json(await error_of(self._publishing.call, call))

    async def receive(self, **properties: Any) -> Any:
        return await perform(self._receiving.call, self.reception(**properties))

    async def receive_fault(self, **properties: Any) -> WorkflowError:
        call = self.reception(**properties)
        return WorkflowError.from_json(await error_of(self._receiving.call, call))

    async def take(self, count: int, **properties: Any) -> list[Any]:
        """So many messages, in as many batches as it takes."""
        found: list[Any] = []
        while len(found) < count:
            batch = await self.receive(limit=count - len(found), **properties)
            assert batch.messages or batch.ended
            found += batch.messages
        return found


@pytest.fixture
async def subscriptions() -> AsyncIterator[Subscriptions]:
    opened = Subscriptions(idle_seconds=0.3)
    yield opened
    await opened.close()


@pytest.fixture
def kept() -> KeptLines:
    """The log of the calls."""
    return KeptLines()


@pytest.fixture
async def peer(
    message_service: MessageService, subscriptions: Subscriptions, kept: KeptLines
) -> AsyncIterator[Peer]:
    async with new_http_client(timeout_seconds=5) as client:
        sender, performer = new_sender(client), new_performer(Recorded(), logs=kept)
        http = HttpMessages(sender=sender, client=client, authenticator=new_authenticator(client))
        documents = Documents(sender=sender)
        yield Peer(
            PublishActivities(performer=performer, documents=documents, http=http),
            ReceiveActivities(
                performer=performer, documents=documents, http=http, subscriptions=subscriptions
            ),
            message_service,
        )


BEARER = Credentials(scheme="bearer", properties={"token": "t0ken"})


async def test_a_message_is_posted_to_its_channel(
    peer: Peer, message_service: MessageService
) -> None:
    await peer.publish({"id": 7}, {"x-team": "blue"}, operation="orders", by=BEARER)
    [taken] = message_service.taken
    assert (taken["method"], taken["path"]) == ("POST", "/orders/7")
    assert json.loads(taken["body"]) == {"id": 7}
    assert taken["headers"]["x-team"] == "blue"
    assert taken["headers"]["content-type"] == "application/json"
    assert taken["headers"]["authorization"] == "Bearer t0ken"
    assert taken["headers"]["idempotency-key"] == "run:/do/0/call:1"


async def test_the_method_is_that_of_the_binding(
    peer: Peer, message_service: MessageService
) -> None:
    await peer.publish({"id": 7}, operation="replace")
    assert message_service.taken[0]["method"] == "PUT"


async def test_a_server_is_chosen_by_name_with_its_variables(
    peer: Peer, message_service: MessageService
) -> None:
    await peer.publish({"id": 7}, operation="orders", server="staged", variables={"stage": "test"})
    assert message_service.taken[0]["path"] == "/test/orders/7"


async def test_documents_of_asyncapi_2_have_channels(
    peer: Peer, message_service: MessageService
) -> None:
    message_service.document = {
        "asyncapi": "2.6.0",
        "servers": {
            "bus": {"url": "localhost:9092", "protocol": "kafka"},
            "web": {
                "url": "http://{host}",
                "protocol": "http",
                "variables": {"host": {"default": message_service.url.partition("://")[2]}},
            },
        },
        "channels": {
            "/orders/{id}": {
                "publish": {"message": {"payload": {}}},
                "parameters": {"id": {"schema": {"default": "new"}}},
            },
            "/events": {"subscribe": {}},
        },
    }
    await peer.publish({"a": 1}, channel="/orders/{id}", protocol="http")
    assert message_service.taken[0]["path"] == "/orders/new"
    batch = await peer.receive(channel="/events", protocol="http")
    assert batch.messages[0]["payload"] == {"n": 1}


@pytest.mark.parametrize(
    ("target", "detail"),
    [
        ({"operation": "order"}, 'has no operation "order"; it has orders'),
        ({"channel": "orders"}, "in which a task names its operation"),
        ({"operation": "orders", "server": "webb"}, 'has no server "webb"; it has web'),
        ({"operation": "orders", "protocol": "nats"}, "has no server of the protocol nats"),
        ({"operation": "orders", "server": "bus"}, "has a server of kafka"),
        ({"operation": "orders", "server": "staged"}, 'needs the variable "stage"'),
        ({"operation": "orders", "server": "staged", "variables": {"stage": "x"}},
         'allows the variable "stage" no "x"'),
        ({"operation": "nowhere"}, "has no address"),
        ({"operation": "unnamed"}, 'needs a value for "who"'),
        ({"operation": "orders", "payload": {"id": [1]}}, 'needs a value for "id"'),
    ],
)  # fmt: skip
async def test_what_a_document_lacks_is_a_configuration_error(
    peer: Peer, target: dict[str, Any], detail: str
) -> None:
    error = await peer.publish_fault(target.pop("payload", {"id": 1}), **target)
    assert error.type == standard("configuration")
    assert detail in error.detail


@pytest.mark.parametrize(
    ("document", "detail"),
    [
        ([], "isn't AsyncAPI 2 or 3"),
        ({"openapi": "3.0.0"}, "isn't AsyncAPI 2 or 3"),
        ({"asyncapi": "2.6.0"}, "in which a task names its channel"),
        ({"asyncapi": "3.0.0", "operations": {"go": {"$ref": "#/operations/go"}}}, "in a circle"),
        ({"asyncapi": "3.0.0", "operations": {"go": {"channel": {"$ref": "#/channels/x"}}}},
         "has nothing at #/channels/x"),
        ({"asyncapi": "3.0.0", "operations": {"go": {"$ref": "https://a.test/b"}}},
         "refers to https://a.test/b, which is outside of it"),
        ({"asyncapi": "3.0.0", "operations": {"go": {"$ref": "#/" + "a" * 3_000}}},
         "has a reference of more than"),
        ({"asyncapi": "3.0.0", "operations": {"go": {"channel": {"address": "a" * 9_000}}}},
         "has an address of more than"),
        ({"asyncapi": "3.0.0", "servers": {"a": {"url": "a://b", "protocol": "nats"}},
          "operations": {"go": {"channel": {"address": "a"}, "messages": [{}] * 100_000}}},
         "can't be read within 100000 steps"),
        ({"asyncapi": "3.0.0", "operations": {"go": {"channel": {"address": "a"}}}},
         "has no server for this channel"),
    ],
)  # fmt: skip
async def test_a_document_that_says_nothing_is_a_configuration_error(
    peer: Peer, message_service: MessageService, document: Any, detail: str
) -> None:
    message_service.document = document or {"x": 1}
    error = await peer.publish_fault({}, operation="go")
    assert error.type == standard("configuration")
    assert detail in error.detail


async def test_a_channel_of_asyncapi_2_is_published_to_or_subscribed(
    peer: Peer, message_service: MessageService
) -> None:
    message_service.document = {"asyncapi": "2.6.0", "channels": {"a": {"subscribe": {}}}}
    error = await peer.publish_fault({}, channel="a")
    assert 'has no "publish" at the channel "a"' in error.detail


async def test_server_sent_events_are_messages(peer: Peer) -> None:
    messages = await peer.take(3, operation="events")
    assert messages[0] == {"payload": {"n": 1}, "headers": {"event": "count", "id": "1"}}
    assert [message["payload"]["n"] for message in messages] == [1, 2, 3]


async def test_a_subscription_stays_open_between_batches(
    peer: Peer, message_service: MessageService
) -> None:
    first = await peer.receive(operation="events", limit=1)
    second = await peer.receive(operation="events", limit=1, position=first.position)
    assert [first.messages[0]["payload"]["n"], second.messages[0]["payload"]["n"]] == [1, 2]
    assert message_service.resumed == [None]


async def test_an_event_stream_goes_on_where_it_broke_off(
    peer: Peer, message_service: MessageService
) -> None:
    messages = await peer.take(3, operation="pieces")
    assert [message["payload"]["n"] for message in messages] == [1, 2, 3]
    last = await peer.receive(operation="pieces", position="3")
    assert (last.messages, last.ended) == ([], True)
    assert message_service.resumed == [None, "1", "2", "3"]


async def test_another_worker_goes_on_after_the_position(
    peer: Peer, message_service: MessageService
) -> None:
    batch = await peer.receive(operation="pieces", position="1", limit=1)
    assert batch.messages[0]["payload"] == {"n": 2}
    assert batch.position == "2"
    assert message_service.resumed[0] == "1"


async def test_a_quiet_stream_gives_an_empty_batch_in_time(peer: Peer) -> None:
    batch = await peer.receive(operation="quiet", wait=0.2)
    assert (batch.messages, batch.ended, batch.position) == ([], False, None)


async def test_an_idle_subscription_is_closed(peer: Peer, message_service: MessageService) -> None:
    await peer.receive(operation="quiet", wait=0.05)
    await asyncio.sleep(0.6)
    await peer.receive(operation="quiet", wait=0.05)
    assert len(message_service.resumed) == 2


async def test_a_limit_of_nothing_ends_a_subscription(
    peer: Peer, message_service: MessageService
) -> None:
    await peer.receive(operation="quiet", wait=0.05)
    assert (await peer.receive(operation="quiet", limit=0)).ended
    await peer.receive(operation="quiet", wait=0.05)
    assert len(message_service.resumed) == 2


@pytest.mark.parametrize(
    ("operation", "server", "status", "detail"),
    [
        ("text", None, 500, "answered text/plain, not text/event-stream"),
        ("denied", None, 401, "answered 401"),
        ("failing", None, 503, "answered 503"),
        ("large", None, 500, "sent an event of more than"),
        ("events", "down", 500, "GET http://127.0.0.1:1/events failed"),
    ],
)
async def test_what_isnt_a_stream_of_events_is_a_communication_error(
    peer: Peer, operation: str, server: str | None, status: int, detail: str
) -> None:
    error = await peer.receive_fault(operation=operation, server=server)
    assert (error.type, error.status) == (standard("communication"), status)
    assert detail in error.detail


@pytest.mark.parametrize(("server", "status"), [(None, 405), ("down", 500)])
async def test_a_message_that_isnt_taken_is_a_communication_error(
    peer: Peer, server: str | None, status: int
) -> None:
    error = await peer.publish_fault({"id": 1}, operation="events", server=server)
    assert (error.type, error.status) == (standard("communication"), status)


@pytest.fixture
def broker(message_service: MessageService, nats_url: str) -> str:
    """NATS, in the service's document with a subject of the test's own."""
    document = message_service.describe(nats_url)
    subject = f"notes.{uuid.uuid4().hex}"
    document["channels"]["noted"]["address"] = subject
    message_service.document = document
    return subject


async def test_messages_go_over_nats_and_back(peer: Peer, broker: str, kept: KeptLines) -> None:
    waiting = asyncio.create_task(peer.receive(operation="noted", limit=1))
    await asyncio.sleep(0.3)
    await peer.publish({"n": 1}, {"trace": "t1"}, operation="noted")
    await peer.publish({"n": 2}, operation="noted")
    await peer.publish(None, operation="noted")
    assert (await waiting).messages == [
        {"payload": {"n": 1}, "headers": {"trace": "t1"}, "correlationId": "t1"}
    ]
    assert f"publication at {broker} succeeded" in kept.messages
    assert f"messages at {broker}: 1" in kept.messages
    rest = await peer.take(2, operation="noted")
    assert rest == [{"payload": {"n": 2}, "headers": {}}, {"payload": None, "headers": {}}]


async def test_what_nats_brings_between_batches_is_held(
    peer: Peer, broker: str, nats_url: str
) -> None:
    await peer.receive(operation="noted", wait=0.2)
    client = await nats.connect(nats_url)
    for content in (b"text", b"\xff", b'{"a": 1}'):
        await client.publish(broker, content)
    await client.close()
    messages = await peer.take(3, operation="noted")
    assert [message["payload"] for message in messages] == ["text", "/w==", {"a": 1}]


async def test_a_subscription_outlives_a_restart_of_nats(
    peer: Peer, message_service: MessageService, tmp_path: Path
) -> None:
    with nats_server(tmp_path) as url:
        document = message_service.describe(url)
        document["channels"]["noted"]["address"] = "notes.restart"
        message_service.document = document
        await peer.receive(operation="noted", wait=0.2)
    waiting = asyncio.create_task(peer.receive(operation="noted", wait=20))
    with nats_server(tmp_path, int(url.rpartition(":")[2])):
        while not waiting.done():
            await peer.publish({"n": 1}, operation="noted")
            await asyncio.sleep(0.2)
    assert (await waiting).messages[0]["payload"] == {"n": 1}


async def test_a_nats_server_that_isnt_there_is_a_communication_error(peer: Peer) -> None:
    error = await peer.publish_fault({}, operation="noted", server="gone")
    assert error.type == standard("communication")
    error = await peer.receive_fault(operation="noted", server="gone")
    assert error.type == standard("communication")


async def test_nats_is_told_names_and_tokens(peer: Peer, broker: str) -> None:
    basic = Credentials(scheme="basic", properties={"username": "ann", "password": "x"})
    await peer.publish({}, operation="noted", by=basic)  # this server asks for none
    await peer.publish({}, operation="noted", by=BEARER)


async def test_nats_needs_its_extra(
    peer: Peer, broker: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "nats.aio.client", None)
    monkeypatch.delitem(sys.modules, "workflows.activities.asyncapi.asyncapi_nats", raising=False)
    monkeypatch.delattr("workflows.activities.asyncapi.asyncapi_nats", raising=False)
    error = await peer.publish_fault({}, operation="noted")
    assert error.type == standard("configuration")
    assert "extra nats" in error.detail


async def test_nats_takes_only_some_authentication(peer: Peer, broker: str) -> None:
    digest = Credentials(scheme="digest", properties={"username": "a", "password": "b"})
    error = await peer.publish_fault({}, operation="noted", by=digest)
    assert error.type == standard("configuration")
    assert "digest" in error.detail
