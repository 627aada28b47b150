from dataclasses import replace
from typing import Any

import pytest

from biz.dsl.calls.http_call import HttpCall, HttpOutput, pairs
from biz.dsl.credentials import Credentials
from biz.dsl.errors import TaskFault, WorkflowError
from tests.fixtures.workflows import Json, World, fault_of, faults, standard, workflow

URI = "https://pets.test/v2/pet/1"
PLAIN = HttpCall(
    method="get",
    uri=URI,
    query={},
    headers={},
    body=None,
    output=HttpOutput.CONTENT,
    redirect=False,
    authentication=None,
    idempotency_key="run-1:/do/0/call:1",
)
INPUT = {
    "id": 1,
    "verb": "patch",
    "uri": URI,
    "user": {"name": "ann", "password": "secret", "n": 1},
    "map": {"a": "x", "n": 2, "f": 0.5, "t": True, "none": None, "list": ["y", None, 3]},
}


def call(use: Json | None = None, **properties: Any) -> Json:
    arguments = {"method": "get", "endpoint": URI, **properties}
    definition = workflow({"call": {"call": "http", "with": arguments}})
    return definition if use is None else {**definition, "use": {"authentications": use}}


def secured(policy: Json) -> Json:
    return {"endpoint": {"uri": URI, "authentication": policy}}


BASIC = {"basic": {"username": "ann", "password": "${ .user.password }"}}
BEARER = {"bearer": {"token": "${ .user.name }"}}
ANN = Credentials(scheme="basic", properties={"username": "ann", "password": "secret"})
TOKEN = Credentials(scheme="bearer", properties={"token": "ann"})
PAIRS = [("a", "x"), ("n", "2"), ("f", "0.5"), ("t", "true"), ("list", "y"), ("list", "3")]


@pytest.mark.parametrize(
    ("properties", "changes"),
    [
        ({}, {}),
        ({"method": "DELETE"}, {"method": "DELETE"}),
        ({"method": "${ .verb }"}, {"method": "patch"}),
        ({"method": "version-control"}, {"method": "version-control"}),
        ({"endpoint": "https://pets.test/v2/pet/{id}"}, {}),
        ({"endpoint": "${ .uri }"}, {}),
        ({"endpoint": {"uri": URI}}, {}),
        ({"endpoint": {"uri": "https://pets.test/v2/pet/{id}"}}, {}),
        ({"endpoint": {"uri": '${ "https://pets.test/v2/pet/\\(.id)" }'}}, {}),
        ({"endpoint": "/relative?{id}"}, {"uri": "/relative?1"}),
        ({"query": {"a": "b", "c": "${ .id }"}}, {"query": {"a": "b", "c": 1}}),
        ({"query": "${ .map }"}, {"query": INPUT["map"]}),
        ({"query": {}}, {}),
        ({"headers": {"Accept": "text/plain", "x-id": "${ .id }"}},
         {"headers": {"Accept": "text/plain", "x-id": 1}}),
        ({"headers": "${ .map }"}, {"headers": INPUT["map"]}),
        ({"headers": {"x-none": "${ .missing }"}}, {"headers": {"x-none": None}}),
        ({"body": {"a": ["${ .id }", ".id"]}}, {"body": {"a": [1, ".id"]}}),
        ({"body": "${ .user.name }"}, {"body": "ann"}),
        ({"body": "text"}, {"body": "text"}),
        ({"body": 0}, {"body": 0}),
        ({"body": False}, {"body": False}),
        ({"body": None}, {}),
        ({"output": "content"}, {}),
        ({"output": "raw"}, {"output": HttpOutput.RAW}),
        ({"output": "response"}, {"output": HttpOutput.RESPONSE}),
        ({"redirect": True}, {"redirect": True}),
        ({"redirect": False}, {}),
        (secured(BASIC), {"authentication": ANN}),
        (secured(BEARER), {"authentication": TOKEN}),
        (
            {**secured({"use": "named"}), "use": {"named": BASIC, "other": BEARER}},
            {"authentication": ANN},
        ),
        ({"use": {"named": BASIC}}, {}),
    ],
)  # fmt: skip
async def test_a_property_makes_its_part_of_the_request(properties: Json, changes: Json) -> None:
    world = World(answer=lambda call: {"answer": 1})
    assert await world.run(call(**properties), INPUT) == {"answer": 1}
    assert world.calls == [replace(PLAIN, **changes)]


def test_what_is_sent_of_an_object() -> None:
    assert pairs("query", INPUT["map"]) == PAIRS


async def test_its_expressions_see_its_transformed_input() -> None:
    definition = call(endpoint="https://pets.test/{name}", body="${ $input.n }")
    definition["do"][0]["call"]["input"] = {"from": ".user"}
    world = World(answer=lambda call: None)
    await world.run(definition, INPUT)
    assert (world.calls[0].uri, world.calls[0].body) == ("https://pets.test/ann", 1)


async def test_every_call_of_a_run_has_its_own_key() -> None:
    loop = {"for": {"in": "[1, 2]"}, "do": call()["do"]}
    world = World(answer=lambda call: None)
    await world.run(workflow({"loop": loop}, *call()["do"]), {})
    assert [call.idempotency_key for call in world.calls] == [
        "run-1:/do/0/loop/for/0/do/0/call:1",
        "run-1:/do/0/loop/for/1/do/0/call:2",
        "run-1:/do/1/call:3",
    ]


async def test_what_the_service_answers_is_the_tasks_fault() -> None:
    gone = WorkflowError.standard("communication", "gone", status=410)

    def answer(call: HttpCall) -> Any:
        raise TaskFault(gone)

    with pytest.raises(TaskFault) as raised:
        await World(answer=answer).run(call(), {})
    assert raised.value.error == replace(gone, instance="/do/0/call")


@pytest.mark.parametrize(
    ("properties", "kind", "status"),
    [
        ({"method": "${ .id }"}, "expression", 400),
        ({"method": '${ "GET /" }'}, "expression", 400),
        ({"method": "${ error }"}, "expression", 400),
        ({"endpoint": "https://pets.test/{user}"}, "expression", 400),
        ({"endpoint": "${ .id }"}, "expression", 400),
        ({"endpoint": {"uri": "${ .missing }"}}, "expression", 400),
        ({"query": "${ .id }"}, "expression", 400),
        ({"query": "${ {a: .user} }"}, "expression", 400),
        ({"query": "${ {a: [[1]]} }"}, "expression", 400),
        ({"headers": "${ [] }"}, "expression", 400),
        ({"headers": {"a": "${ .user }"}}, "expression", 400),
        ({"body": {"a": "${ .id.x }"}}, "expression", 400),
        (secured({"bearer": {"token": "${ .user.n }"}}), "authentication", 401),
        (secured({"basic": {"username": "${ .x }", "password": "p"}}), "authentication", 401),
        (secured({"bearer": {"token": "${ .id.x }"}}), "expression", 400),
    ],
)
async def test_a_request_that_cant_be_made_faults(properties: Json, kind: str, status: int) -> None:
    error = await fault_of(call(**properties), INPUT)
    assert (error.type, error.status) == (standard(kind), status)
    assert error.instance == "/do/0/call"


@pytest.mark.parametrize(
    ("properties", "code", "pointer"),
    [
        ({"method": 1}, "wrong-type", "/method"),
        ({"method": ""}, "unusable-value", "/method"),
        ({"method": "get it"}, "unusable-value", "/method"),
        ({"endpoint": ""}, "invalid-uri", "/endpoint"),
        ({"endpoint": 1}, "wrong-type", "/endpoint"),
        ({"endpoint": "https://a b"}, "invalid-uri", "/endpoint"),
        ({"endpoint": "https://a/{+path}"}, "invalid-uri-template", "/endpoint"),
        ({"endpoint": "${ .a | }"}, "invalid-expression", "/endpoint"),
        ({"endpoint": {}}, "missing-property", "/endpoint"),
        ({"endpoint": {"uri": {}}}, "wrong-type", "/endpoint/uri"),
        ({"endpoint": {"uri": URI, "name": "x"}}, "unknown-property", "/endpoint/name"),
        ({"headers": ["a"]}, "wrong-type", "/headers"),
        ({"headers": "a"}, "wrong-type", "/headers"),
        ({"headers": {"a": 1}}, "wrong-type", "/headers/a"),
        ({"query": None}, "wrong-type", "/query"),
        ({"query": {"a": ["b"]}}, "wrong-type", "/query/a"),
        ({"body": {"a": "${ | }"}}, "invalid-expression", "/body/a"),
        ({"output": "text"}, "invalid-value", "/output"),
        ({"output": []}, "wrong-type", "/output"),
        ({"redirect": "yes"}, "wrong-type", "/redirect"),
        ({"timeout": 1}, "unknown-property", "/timeout"),
        (secured({"use": ""}), "empty", "/endpoint/authentication/use"),
        (secured({"basic": {"use": ""}}), "empty", "/endpoint/authentication/basic/use"),
        (secured({}), "invalid-value", "/endpoint/authentication"),
        (secured({**BASIC, **BEARER}), "invalid-value", "/endpoint/authentication"),
        (secured({"use": "nobody"}), "unknown-reference", "/endpoint/authentication/use"),
        (secured({"use": 1}), "wrong-type", "/endpoint/authentication/use"),
        (secured({"use": "a", **BASIC}), "unknown-property", "/endpoint/authentication/basic"),
        (secured({"digest": {}}), "missing-property", "/endpoint/authentication/digest"),
        (secured({"oauth2": {}}), "missing-property", "/endpoint/authentication/oauth2"),
        (secured({"oidc": {}}), "missing-property", "/endpoint/authentication/oidc"),
        (
            secured({"certificate": {}}),
            "unknown-property",
            "/endpoint/authentication/certificate",
        ),
        (
            secured({"basic": {"use": "s"}}),
            "unknown-reference",
            "/endpoint/authentication/basic/use",
        ),
        (secured({"bearer": {}}), "missing-property", "/endpoint/authentication/bearer"),
        (secured({"bearer": {"token": 1}}), "wrong-type", "/endpoint/authentication/bearer/token"),
        (secured({"none": {}}), "unknown-property", "/endpoint/authentication/none"),
        (
            {"endpoint": {"uri": URI, "authentication": "x"}},
            "wrong-type",
            "/endpoint/authentication",
        ),
    ],
)
def test_what_is_no_http_call(properties: Json, code: str, pointer: str) -> None:
    assert (code, f"/do/0/call/with{pointer}") in faults(call(**properties))


@pytest.mark.parametrize(
    ("task", "code", "pointer"),
    [
        ({"call": "http"}, "missing-property", ""),
        ({"call": "http", "with": []}, "wrong-type", "/with"),
        ({"call": "http", "with": {"method": "get"}}, "missing-property", "/with"),
        ({"call": "http", "with": {"endpoint": URI}}, "missing-property", "/with"),
        ({"call": 1}, "wrong-type", "/call"),
        ({"call": "htpp", "with": {}}, "unknown-reference", "/call"),
    ],
)
def test_what_is_no_call(task: Json, code: str, pointer: str) -> None:
    assert (code, f"/do/0/call{pointer}") in faults(workflow({"call": task}))


def test_a_named_policy_is_checked_where_it_is_named() -> None:
    found = faults(call(use={"bad": {"bearer": {"token": "${ | }"}}, "worse": "x"}))
    assert found == [
        ("invalid-expression", "/use/authentications/bad/bearer/token"),
        ("wrong-type", "/use/authentications/worse"),
    ]
