from dataclasses import replace
from typing import Any

import pytest

from biz.dsl.calls.http_call import HttpOutput
from biz.dsl.calls.openapi_call import OpenApiCall
from biz.dsl.calls.resource import Resource
from biz.dsl.credentials import Credentials
from tests.fixtures.workflows import Json, World, fault_of, faults, standard, workflow

URI = "https://pets.test/v2/swagger.json"
PLAIN = OpenApiCall(
    document=Resource(uri=URI),
    operation_id="getPetById",
    parameters={},
    output=HttpOutput.CONTENT,
    redirect=False,
    authentication=None,
    idempotency_key="run-1:/do/0/call:1",
)
BASIC = {"basic": {"username": "ann", "password": "${ .password }"}}
CREDENTIALS = Credentials(scheme="basic", properties={"username": "ann", "password": "pw"})
INPUT = {"id": 1, "password": "pw", "uri": URI, "operation": "getPetById"}


def call(use: Json | None = None, **properties: Any) -> Json:
    arguments = {"document": {"endpoint": URI}, "operationId": "getPetById", **properties}
    definition = workflow({"call": {"call": "openapi", "with": arguments}})
    return definition if use is None else {**definition, "use": {"authentications": use}}


def document(**properties: Any) -> Json:
    return {"document": {"endpoint": properties}}


@pytest.mark.parametrize(
    ("properties", "changes"),
    [
        ({}, {}),
        ({"document": {"name": "pets", "endpoint": {"uri": URI}}}, {}),
        ({"document": {"endpoint": "${ .uri }"}}, {}),
        (document(uri="https://pets.test/v2/{id}.json"),
         {"document": Resource(uri="https://pets.test/v2/1.json")}),
        (document(uri=URI, authentication=BASIC),
         {"document": Resource(uri=URI, authentication=CREDENTIALS)}),
        ({"operationId": "${ .operation }"}, {}),
        ({"parameters": {"petId": "${ .id }", "list": ["${ .id }", 2]}},
         {"parameters": {"petId": 1, "list": [1, 2]}}),
        ({"authentication": BASIC}, {"authentication": CREDENTIALS}),
        ({"authentication": {"use": "named"}, "use": {"named": BASIC}},
         {"authentication": CREDENTIALS}),
        ({"output": "raw"}, {"output": HttpOutput.RAW}),
        ({"output": "response"}, {"output": HttpOutput.RESPONSE}),
        ({"redirect": True}, {"redirect": True}),
    ],
)  # fmt: skip
async def test_a_property_makes_its_part_of_the_call(properties: Json, changes: Json) -> None:
    world = World(answer=lambda call: {"answer": 1})
    assert await world.run(call(**properties), INPUT) == {"answer": 1}
    assert world.calls == [replace(PLAIN, **changes)]


@pytest.mark.parametrize(
    ("properties", "kind"),
    [
        ({"document": {"endpoint": "${ .missing }"}}, "expression"),
        ({"document": {"endpoint": '${ "file:///a" }'}}, "configuration"),
        ({"document": {"endpoint": "file:///a"}}, "configuration"),
        ({"document": {"endpoint": "/a"}}, "configuration"),
        ({"operationId": "${ .id }"}, "expression"),
        ({"parameters": {"petId": "${ .id.x }"}}, "expression"),
        ({"authentication": {"bearer": {"token": "${ .id }"}}}, "authentication"),
        (document(uri=URI, authentication={"bearer": {"token": "${ .id }"}}), "authentication"),
    ],
)
async def test_what_an_expression_gives_may_not_serve(properties: Json, kind: str) -> None:
    error = await fault_of(call(**properties), INPUT)
    assert (error.type, error.instance) == (standard(kind), "/do/0/call")


WITH = "/do/0/call/with"


@pytest.mark.parametrize(
    ("definition", "code", "pointer"),
    [
        (workflow({"call": {"call": "openapi"}}), "missing-property", "/do/0/call"),
        (workflow({"call": {"call": "openapi", "with": {"operationId": "a", "document":
         {"endpoint": URI}, "operation": "b"}}}), "unknown-property", f"{WITH}/operation"),
        (call(document=URI), "wrong-type", f"{WITH}/document"),
        (call(document={"endpoint": 7}), "wrong-type", f"{WITH}/document/endpoint"),
        (call(document={"endpoint": {"uri": 7}}), "wrong-type", f"{WITH}/document/endpoint/uri"),
        (call(document={}), "missing-property", f"{WITH}/document"),
        (call(document={"endpoint": {}}), "missing-property", f"{WITH}/document/endpoint"),
        (call(document={"endpoint": URI, "name": 1}), "wrong-type", f"{WITH}/document/name"),
        (call(document={"endpoint": "${ . + }"}), "invalid-expression",
         f"{WITH}/document/endpoint"),
        (call(document={"endpoint": "file:///a"}), "unfetchable-document",
         f"{WITH}/document/endpoint"),
        (call(document={"endpoint": {"uri": "a.json"}}), "unfetchable-document",
         f"{WITH}/document/endpoint/uri"),
        (call(operationId=7), "wrong-type", f"{WITH}/operationId"),
        (call(parameters="${ . }"), "wrong-type", f"{WITH}/parameters"),
        (call(parameters={"a": "${ . + }"}), "invalid-expression", f"{WITH}/parameters/a"),
        (call(authentication={"use": "x"}), "unknown-reference", f"{WITH}/authentication/use"),
        (call(output="all"), "invalid-value", f"{WITH}/output"),
        (call(redirect="yes"), "wrong-type", f"{WITH}/redirect"),
    ],
)  # fmt: skip
def test_a_fault_of_a_definition_is_told(definition: Json, code: str, pointer: str) -> None:
    assert (code, pointer) in faults(definition)


def test_an_address_that_only_a_run_knows_is_no_warning() -> None:
    assert faults(call(document={"endpoint": "${ .uri }"})) == []
