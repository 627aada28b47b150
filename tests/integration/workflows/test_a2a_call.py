"""A2A calls to a real agent: what comes back in each version, how they fail."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from biz.dsl.calls.a2a_call import A2aCall
from biz.dsl.calls.resource import Resource
from biz.dsl.credentials import Credentials
from biz.dsl.errors import WorkflowError
from tests.fixtures.a2a_agent import A2aAgent
from tests.fixtures.activities import Recorded, error_of, perform
from tests.fixtures.performers import KeptLines, new_authenticator, new_performer, new_sender
from tests.fixtures.workflows import standard
from workflows.activities.a2a import a2a_conversation
from workflows.activities.a2a.a2a_call import A2aActivities
from workflows.activities.documents import Documents
from workflows.activities.http_calls.sender import new_http_client

BEARER = Credentials(scheme="bearer", properties={"token": "t0ken"})


class Caller:
    """Asks by each kind of place."""

    def __init__(self, activities: A2aActivities, agent: A2aAgent) -> None:
        self._activities = activities
        self._agent = agent

    async def ask(self, method: str, parameters: Any = None, **places: str) -> Any:
        """What the agent gives; it is found by its card of 0.3 unless there are others."""
        return await perform(self._activities.call, self._call(method, parameters, **places))

    async def fault(self, method: str, parameters: Any = None, **places: str) -> WorkflowError:
        """What a call fails with."""
        call = self._call(method, parameters, **places)
        return WorkflowError.from_json(await error_of(self._activities.call, call))

    def _call(self, method: str, parameters: Any, **places: str) -> A2aCall:
        def place(name: str) -> Resource | None:
            if name not in places:
                return None
            uri = places[name]
            return Resource(
                uri=uri if "://" in uri else self._agent.url + uri, authentication=BEARER
            )

        if not places:
            places = {"card": "/card/0.3"}
        return A2aCall(
            method=method,
            parameters=parameters or {},
            agent_card=place("card"),
            server=server.uri if (server := place("server")) else None,
            authentication=BEARER if "server" in places else None,
            idempotency_key="run:/do/0/call:1",
        )


@pytest.fixture
def kept() -> KeptLines:
    """The log of the calls."""
    return KeptLines()


@pytest.fixture
async def caller(a2a_agent: A2aAgent, kept: KeptLines) -> AsyncIterator[Caller]:
    async with new_http_client(timeout_seconds=10) as client:
        activities = A2aActivities(
            performer=new_performer(Recorded(), logs=kept),
            client=client,
            authenticator=new_authenticator(client),
            documents=Documents(sender=new_sender(client)),
            max_response_bytes=50_000,
        )
        yield Caller(activities, a2a_agent)


def says(text: str, **more: Any) -> dict[str, Any]:
    return {"message": {"parts": [{"kind": "text", "text": text}], **more}}


PLACES = [{"card": "/card/0.3"}, {"card": "/card/1.0"}, {"server": "/agent"}]
everywhere = pytest.mark.parametrize("place", PLACES)


@everywhere
async def test_a_message_is_answered(caller: Caller, place: dict[str, str]) -> None:
    answer = await caller.ask("message/send", says("hello", messageId="m1"), **place)
    assert answer["kind"] == "message"
    assert answer["role"] == "agent"
    assert answer["parts"] == [{"kind": "text", "text": "m1 said hello"}]


async def test_the_log_tells_of_the_call_and_its_request(caller: Caller, kept: KeptLines) -> None:
    await caller.ask("message/send", says("hello"))
    request, made = kept.messages[-2:]
    assert request.startswith("POST http://")
    assert request.endswith(" answered 200")
    assert made.startswith("message/send of the agent at ")
    assert made.endswith(" succeeded")


async def test_a_message_gets_an_id_that_is_the_same_for_each_attempt(caller: Caller) -> None:
    one = await caller.ask("message/send", says("hello"))
    other = await caller.ask("message/send", says("hello"))
    assert one["parts"] == other["parts"]
    assert len(one["parts"][0]["text"]) == 36 + len(" said hello")


@everywhere
async def test_a_task_completes(caller: Caller, place: dict[str, str]) -> None:
    task = await caller.ask("message/send", says("report"), **place)
    assert (task["kind"], task["status"]["state"]) == ("task", "completed")
    assert task["artifacts"][0]["parts"] == [{"kind": "text", "text": "all is well"}]
    again = await caller.ask("tasks/get", {"id": task["id"]}, **place)
    assert again["status"]["state"] == "completed"


@everywhere
async def test_a_stream_is_an_array_in_order(caller: Caller, place: dict[str, str]) -> None:
    events = await caller.ask("message/stream", says("report"), **place)
    assert [event["kind"] for event in events] == [
        "task",
        "status-update",
        "artifact-update",
        "status-update",
    ]
    assert events[-1]["status"]["state"] == "completed"


@everywhere
async def test_a_task_is_cancelled(caller: Caller, place: dict[str, str]) -> None:
    started = says("wait") | {"configuration": {"blocking": False, "acceptedOutputModes": []}}
    task = await caller.ask("message/send", started, **place)
    assert task["status"]["state"] in ("submitted", "working")
    ended = await caller.ask("tasks/cancel", {"id": task["id"]}, **place)
    assert ended["status"]["state"] == "canceled"


async def test_tasks_are_listed_where_the_agent_can(caller: Caller) -> None:
    task = await caller.ask("message/send", says("report"), card="/card/1.0")
    listed = await caller.ask("tasks/list", {"status": "completed"}, card="/card/1.0")
    assert [one["id"] for one in listed["tasks"]] == [task["id"]]
    assert listed["tasks"][0]["kind"] == "task"
    error = await caller.fault("tasks/list", {"status": "completed"})
    assert error.type == standard("configuration")
    assert "A2A 0.3" in error.detail


@everywhere
async def test_push_notifications_are_configured(caller: Caller, place: dict[str, str]) -> None:
    task = await caller.ask("message/send", says("report"), **place)
    config = {"id": "c1", "url": "https://hooks.test/1"}
    asked = {"taskId": task["id"], "pushNotificationConfig": config}
    method = "tasks/pushNotificationConfig/"
    made = await caller.ask(f"{method}set", asked, **place)
    assert made["pushNotificationConfig"]["url"] == config["url"]
    one = {"id": task["id"], "pushNotificationConfigId": "c1"}
    assert (await caller.ask(f"{method}get", one, **place))["taskId"] == task["id"]
    listed = await caller.ask(f"{method}list", {"id": task["id"]}, **place)
    assert [entry["pushNotificationConfig"]["id"] for entry in listed] == ["c1"]
    assert await caller.ask(f"{method}delete", one, **place) is None
    assert await caller.ask(f"{method}list", {"id": task["id"]}, **place) == []


@everywhere
async def test_the_extended_card_is_had(caller: Caller, place: dict[str, str]) -> None:
    card = await caller.ask("agent/getAuthenticatedExtendedCard", **place)
    assert card["skills"][0]["id"] == "echo"


async def test_credentials_go_where_they_are_asked_for(caller: Caller, a2a_agent: A2aAgent) -> None:
    await caller.ask("message/send", says("hello"), server="/agent")
    assert a2a_agent.headers["authorization"] == "Bearer t0ken"
    await caller.ask("message/send", says("hello"), card="/card/secured")
    assert a2a_agent.headers["authorization"] == "Bearer t0ken"
    await caller.ask("message/send", says("hello"), card="/card/0.3")
    assert "authorization" not in a2a_agent.headers


@everywhere
@pytest.mark.parametrize(
    ("method", "parameters", "kind", "detail"),
    [
        ("message/send", says("fail"), "runtime", "failed"),
        ("message/stream", says("fail"), "runtime", "failed"),
        ("tasks/get", {"id": "nobody"}, "runtime", "not found"),
        ("tasks/cancel", {"id": "nobody"}, "runtime", "not found"),
        ("tasks/resubscribe", {"id": "nobody"}, "runtime", "not found"),
        ("message/send", {"message": {"parts": "hello"}}, "validation", "/message/parts"),
        ("message/send", {"message": 1}, "validation", "/message"),
        ("message/stream", {"text": "hello"}, "validation", "/message"),
        ("tasks/get", {"name": "x"}, "validation", "/id Field required"),
        ("tasks/pushNotificationConfig/get", {}, "validation", "/"),
    ],
)
async def test_what_the_agent_refuses_is_told(
    caller: Caller, place: dict[str, str], method: str, parameters: Any, kind: str, detail: str
) -> None:
    error = await caller.fault(method, parameters, **place)
    assert error.type == standard(kind)
    assert detail in error.detail


async def test_a_status_that_isnt_one_is_a_validation_error(caller: Caller) -> None:
    error = await caller.fault("tasks/list", {"status": "odd"}, card="/card/1.0")
    assert error.type == standard("validation")


@pytest.mark.parametrize(
    ("place", "kind", "status", "detail"),
    [
        ({"server": "/denied"}, "communication", 401, "/denied answered 401"),
        ({"server": "/missing"}, "communication", 404, "/missing answered 404"),
        ({"server": "/text"}, "communication", 500, "JSON"),
        ({"server": "/odd"}, "communication", 500, "Field required"),
        ({"server": "http://127.0.0.1:1/"}, "communication", 500, "127.0.0.1:1"),
        ({"card": "/card/elsewhere"}, "communication", 500, "127.0.0.1:1"),
        ({"card": "/card/text"}, "configuration", 400, "/card/text can't be read"),
        ({"card": "/card/grpc"}, "configuration", 400, "offers no JSON-RPC"),
        ({"card": "/missing"}, "communication", 404, "/missing answered 404"),
        ({"card": "ftp://host/card"}, "configuration", 400, "by ftp"),
    ],
)
async def test_an_agent_that_isnt_there_is_told(
    caller: Caller, place: dict[str, str], kind: str, status: int, detail: str
) -> None:
    error = await caller.fault("message/send", says("hello"), **place)
    assert (error.type, error.status) == (standard(kind), status)
    assert detail in error.detail


async def test_a_stream_without_an_end_is_cut_off(caller: Caller) -> None:
    error = await caller.fault("message/stream", says("go"), server="/endless")
    assert error.type == standard("communication")


async def test_a_call_that_takes_too_long_is_a_timeout(
    caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(a2a_conversation, "_LONGEST_CALL_SECONDS", 0.5)
    error = await caller.fault("message/send", says("wait"))
    assert error.type == standard("timeout")
