"""Call tasks for A2A: what they send, and what is refused."""

from dataclasses import replace
from typing import Any

import pytest

from biz.dsl.calls.a2a_call import A2aCall
from biz.dsl.calls.resource import Resource
from biz.dsl.credentials import Credentials
from tests.fixtures.workflows import Json, World, fault_of, faults, standard, workflow

CARD = "https://agent.test/.well-known/agent-card.json"
URI = "https://agent.test/a2a"
MESSAGE = {"message": {"parts": [{"kind": "text", "text": "${ .name }"}]}}
SENT = {"message": {"parts": [{"kind": "text", "text": "ann"}]}}
BEARER = {"bearer": {"token": "${ .name }"}}
ANN = Credentials(scheme="bearer", properties={"token": "ann"})
PLAIN = A2aCall(
    method="message/send",
    parameters=SENT,
    agent_card=Resource(uri=CARD),
    server=None,
    idempotency_key="run-1:/do/0/call:1",
)
INPUT = {"id": 1, "name": "ann", "list": [1], "ask": SENT, "card": CARD}


def call(**properties: Any) -> Json:
    arguments = {
        "method": "message/send",
        "agentCard": {"endpoint": CARD},
        "parameters": MESSAGE,
        **properties,
    }
    given = {name: value for name, value in arguments.items() if value is not ...}
    return workflow({"call": {"call": "a2a", "with": given}})


@pytest.mark.parametrize(
    ("properties", "changes"),
    [
        ({}, {}),
        ({"method": "message/stream"}, {"method": "message/stream"}),
        ({"parameters": "${ .ask }"}, {}),
        ({"parameters": ".ask"}, {}),
        ({"method": "tasks/get", "parameters": {"id": "t1"}},
         {"method": "tasks/get", "parameters": {"id": "t1"}}),
        ({"method": "agent/getAuthenticatedExtendedCard", "parameters": ...},
         {"method": "agent/getAuthenticatedExtendedCard", "parameters": {}}),
        ({"agentCard": {"name": "agent", "endpoint": "${ .card }"}}, {}),
        ({"agentCard": {"endpoint": {"uri": CARD, "authentication": BEARER}}},
         {"agent_card": Resource(uri=CARD, authentication=ANN)}),
        ({"agentCard": ..., "server": URI}, {"agent_card": None, "server": URI}),
        ({"agentCard": ..., "server": {"uri": URI, "authentication": BEARER}},
         {"agent_card": None, "server": URI, "authentication": ANN}),
        ({"server": {"uri": URI, "authentication": BEARER}}, {}),
    ],
)  # fmt: skip
async def test_the_request_is_evaluated(properties: Json, changes: Json) -> None:
    world = World(answer=lambda call: {"kind": "message"})
    assert await world.run(call(**properties), INPUT) == {"kind": "message"}
    assert world.calls == [replace(PLAIN, **changes)]


@pytest.mark.parametrize(
    ("properties", "kind", "detail"),
    [
        ({"parameters": "${ .list }"}, "expression", "must be an object, not an array"),
        ({"parameters": "${ .name | tonumber }"}, "expression", "ann"),
        ({"agentCard": {"endpoint": "${ .id }"}}, "expression", "must give a string"),
        ({"agentCard": {"endpoint": "ftp://host/card"}}, "configuration", "ftp"),
        ({"agentCard": ..., "server": "${ .id }"}, "expression", "must give a string"),
    ],
)
async def test_what_cant_be_sent_faults_the_task(properties: Json, kind: str, detail: str) -> None:
    error = await fault_of(call(**properties), INPUT)
    assert (error.type, error.instance) == (standard(kind), "/do/0/call")
    assert detail in error.detail


AT = "/do/0/call/with"


@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        ({"method": ...}, [("missing-property", AT)]),
        ({"method": "message/shout"}, [("invalid-value", f"{AT}/method")]),
        ({"method": "SendMessage"}, [("invalid-value", f"{AT}/method")]),
        ({"agentCard": ...}, [("missing-property", AT)]),
        ({"agentCard": {}}, [("missing-property", f"{AT}/agentCard")]),
        ({"agentCard": CARD}, [("wrong-type", f"{AT}/agentCard")]),
        ({"agentCard": ..., "server": 1}, [("wrong-type", f"{AT}/server")]),
        ({"server": URI}, [("ignored-property", f"{AT}/server")]),
        ({"parameters": {}}, [("empty", f"{AT}/parameters")]),
        ({"parameters": []}, [("wrong-type", f"{AT}/parameters")]),
        ({"parameters": "not jq ("}, [("invalid-expression", f"{AT}/parameters")]),
        ({"body": {}}, [("unknown-property", f"{AT}/body")]),
    ],
)
def test_what_is_wrong_is_told_where_it_is(
    properties: Json, expected: list[tuple[str, str]]
) -> None:
    assert faults(call(**properties)) == expected


def test_a_call_without_arguments_is_refused() -> None:
    assert faults(workflow({"call": {"call": "a2a"}})) == [("missing-property", "/do/0/call")]
