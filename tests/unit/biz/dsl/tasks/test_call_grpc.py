from dataclasses import replace
from typing import Any

import pytest

from biz.dsl.calls.grpc_call import GrpcCall
from biz.dsl.calls.resource import Resource
from biz.dsl.credentials import Credentials
from tests.fixtures.workflows import Json, World, fault_of, faults, standard, workflow

PROTO = "https://pets.test/pets.proto"
PLAIN = GrpcCall(
    proto=Resource(uri=PROTO),
    service="pets.v1.Pets",
    host="pets.test",
    port=50051,
    tls=False,
    method="GetPet",
    arguments={},
    idempotency_key="run-1:/do/0/call:1",
)
BEARER = {"bearer": {"token": "${ .token }"}}
CREDENTIALS = Credentials(scheme="bearer", properties={"token": "t"})
INPUT = {"id": 7, "token": "t", "method": "GetPet", "service": "pets.v1.Pets"}
SERVICE = {"name": "pets.v1.Pets", "host": "pets.test", "port": 50051}


def call(service: Json | None = None, metadata: Any = None, **properties: Any) -> Json:
    arguments = {"proto": {"endpoint": PROTO}, "service": SERVICE, "method": "GetPet"}
    arguments |= properties
    if service is not None:
        arguments["service"] = service
    task = {"call": "grpc", "with": arguments}
    return workflow({"call": task if metadata is None else {**task, "metadata": metadata}})


@pytest.mark.parametrize(
    ("properties", "changes"),
    [
        ({}, {}),
        ({"proto": {"endpoint": "file://app/greet.proto"}},
         {"proto": Resource(uri="file://app/greet.proto")}),
        ({"proto": {"endpoint": {"uri": PROTO, "authentication": BEARER}}},
         {"proto": Resource(uri=PROTO, authentication=CREDENTIALS)}),
        ({"method": "${ .method }", "service": {**SERVICE, "name": "${ .service }"}}, {}),
        ({"arguments": {"petId": "${ .id }", "tags": ["a"]}},
         {"arguments": {"petId": 7, "tags": ["a"]}}),
        ({"service": {**SERVICE, "authentication": BEARER}}, {"authentication": CREDENTIALS}),
        ({"service": {**SERVICE, "port": 443}}, {"port": 443, "tls": True}),
        ({"service": {"name": "pets.v1.Pets", "host": "pets.test"}}, {"port": 443, "tls": True}),
        ({"service": {**SERVICE, "port": 443}, "metadata": {"tls": False}}, {"port": 443}),
        ({"metadata": {"tls": True}}, {"tls": True}),
        ({"metadata": {"team": "pets"}}, {}),
    ],
)  # fmt: skip
async def test_a_property_makes_its_part_of_the_call(properties: Json, changes: Json) -> None:
    world = World(answer=lambda call: {"answer": 1})
    assert await world.run(call(**properties), INPUT) == {"answer": 1}
    assert world.calls == [replace(PLAIN, **changes)]


@pytest.mark.parametrize(
    ("properties", "kind"),
    [
        ({"method": "${ .id }"}, "expression"),
        ({"service": {**SERVICE, "name": "${ .id }"}}, "expression"),
        ({"arguments": {"petId": "${ .id.x }"}}, "expression"),
        ({"proto": {"endpoint": "${ .id }"}}, "expression"),
        ({"proto": {"endpoint": "${ .token }"}}, "configuration"),
        ({"proto": {"endpoint": "ftp://pets.test/a.proto"}}, "configuration"),
        ({"service": {**SERVICE, "authentication": {"bearer": {"token": "${ .id }"}}}},
         "authentication"),
    ],
)  # fmt: skip
async def test_what_an_expression_gives_may_not_serve(properties: Json, kind: str) -> None:
    error = await fault_of(call(**properties), INPUT)
    assert (error.type, error.instance) == (standard(kind), "/do/0/call")


WITH = "/do/0/call/with"


@pytest.mark.parametrize(
    ("definition", "code", "pointer"),
    [
        (workflow({"call": {"call": "grpc"}}), "missing-property", "/do/0/call"),
        (workflow({"call": {"call": "grpc", "with": {}}}), "missing-property", WITH),
        (call(proto=PROTO), "wrong-type", f"{WITH}/proto"),
        (call(proto={"endpoint": 7}), "wrong-type", f"{WITH}/proto/endpoint"),
        (call(service={}), "missing-property", f"{WITH}/service"),
        (call(service={**SERVICE, "tls": True}), "unknown-property", f"{WITH}/service/tls"),
        (call(service={**SERVICE, "name": 7}), "wrong-type", f"{WITH}/service/name"),
        (call(service={**SERVICE, "host": 7}), "wrong-type", f"{WITH}/service/host"),
        (call(service={**SERVICE, "host": "-a"}), "invalid-value", f"{WITH}/service/host"),
        (call(service={**SERVICE, "host": "http://a"}), "invalid-value", f"{WITH}/service/host"),
        (call(service={**SERVICE, "host": "${ .host }"}), "invalid-value", f"{WITH}/service/host"),
        (call(service={**SERVICE, "port": "1"}), "wrong-type", f"{WITH}/service/port"),
        (call(service={**SERVICE, "port": -1}), "invalid-value", f"{WITH}/service/port"),
        (call(service={**SERVICE, "port": 65536}), "invalid-value", f"{WITH}/service/port"),
        (call(service={**SERVICE, "authentication": {"use": "x"}}), "unknown-reference",
         f"{WITH}/service/authentication/use"),
        (call(method=["GetPet"]), "wrong-type", f"{WITH}/method"),
        (call(arguments="${ . }"), "wrong-type", f"{WITH}/arguments"),
        (call(arguments={"a": "${ . + }"}), "invalid-expression", f"{WITH}/arguments/a"),
        (call(metadata={"tls": "yes"}), "ignored-property", "/do/0/call/metadata/tls"),
        (call(metadata=[]), "wrong-type", "/do/0/call/metadata"),
    ],
)  # fmt: skip
def test_a_fault_of_a_definition_is_told(definition: Json, code: str, pointer: str) -> None:
    assert (code, pointer) in faults(definition)


@pytest.mark.parametrize("uri", ["file:///pets.proto", "${ .uri }", "https://a.test/{id}"])
def test_a_proto_that_the_service_tells_itself_is_no_fault(uri: str) -> None:
    assert faults(call(proto={"endpoint": uri})) == []
