"""gRPC calls against a real service: with its proto, with descriptors, and by reflection."""

import base64
from collections.abc import AsyncIterator, Callable
from typing import Any

import grpc
import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorSet

from biz.dsl.calls.grpc_call import GrpcCall
from biz.dsl.calls.resource import Resource
from biz.dsl.credentials import Credentials
from biz.logs.log import LogLevel
from tests.fixtures.activities import Recorded, error_of, perform
from tests.fixtures.grpc_peer import PROTO, SERVICE, GrpcPeer
from tests.fixtures.http_service import HttpService
from tests.fixtures.performers import KeptLines, new_authenticator, new_performer, new_sender
from tests.fixtures.workflows import standard
from tests.patience import PATIENCE_SECONDS
from workflows.activities.documents import Documents
from workflows.activities.grpc_calls import grpc_call, proto_compiler
from workflows.activities.grpc_calls.grpc_call import GrpcActivities
from workflows.activities.http_calls.sender import new_http_client

Make = Callable[..., GrpcCall]
BY_REFLECTION = Resource(uri="file://pets.proto")


@pytest.fixture
def kept() -> KeptLines:
    """The log of the calls."""
    return KeptLines()


@pytest.fixture
def timeout_seconds() -> float:
    """How long a call waits; less where that is the test."""
    return PATIENCE_SECONDS


@pytest.fixture
async def activities(kept: KeptLines, timeout_seconds: float) -> AsyncIterator[GrpcActivities]:
    async with new_http_client(timeout_seconds=timeout_seconds) as client:
        yield GrpcActivities(
            performer=new_performer(Recorded(), logs=kept),
            authenticator=new_authenticator(client),
            documents=Documents(sender=new_sender(client)),
            timeout_seconds=timeout_seconds,
            max_response_bytes=10_000,
        )


@pytest.fixture
def make(grpc_peer: GrpcPeer, http_service: HttpService, pets_files: FileDescriptorSet) -> Make:
    """Makes a call of a method, by the proto that is served at a path."""
    http_service.documents["/pets.proto"] = PROTO.encode()
    http_service.documents["/pets.binpb"] = pets_files.SerializeToString()

    def call(method: str = "GetPet", path: str = "/pets.proto", **properties: Any) -> GrpcCall:
        defaults: dict[str, Any] = {
            "proto": Resource(uri=http_service.url + path) if path else BY_REFLECTION,
            "service": SERVICE,
            "host": "127.0.0.1",
            "port": grpc_peer.port,
            "tls": False,
            "method": method,
            "arguments": {},
            "idempotency_key": "run:/do/0/call:1",
        }
        return GrpcCall(**{**defaults, **properties})

    return call


@pytest.mark.parametrize("path", ["/pets.proto", "/pets.binpb", ""])
async def test_a_method_answers_json(activities: GrpcActivities, make: Make, path: str) -> None:
    call = make(path=path, arguments={"petId": 7})
    assert await perform(activities.call, call) == {
        "id": 7,
        "displayName": "pet7",
        "tags": [],
        "kind": "CAT",
        "bornAt": "2026-01-02T03:04:05Z",
    }


async def test_the_log_tells_of_each_call(
    activities: GrpcActivities, make: Make, kept: KeptLines
) -> None:
    call = make(arguments={"petId": 7})
    await perform(activities.call, call)
    await error_of(activities.call, make("NoSuch"))
    well, failed = (line for line in kept.lines if not line.message.startswith("GET "))
    assert well.message == f"{SERVICE}/GetPet at 127.0.0.1:{call.port} succeeded"
    assert (well.level, well.task) == (LogLevel.INFO, "/do/0/call")
    assert well.fields["duration_ms"] > 0
    assert failed.level is LogLevel.WARNING
    assert failed.fields["status"] >= 400


async def test_arguments_may_have_their_names_of_the_proto(
    activities: GrpcActivities, make: Make
) -> None:
    for value in (7, 7.0, "7"):
        pet = await perform(activities.call, make(arguments={"pet_id": value}))
        assert pet["id"] == 7


async def test_a_number_that_no_double_holds_is_a_string(
    activities: GrpcActivities, make: Make
) -> None:
    exact = await perform(activities.call, make(arguments={"petId": 2**53 - 1}))
    large = await perform(activities.call, make(arguments={"petId": str(2**53 + 1)}))
    assert (exact["id"], large["id"]) == (2**53 - 1, str(2**53 + 1))


async def test_a_stream_of_answers_is_an_array(activities: GrpcActivities, make: Make) -> None:
    pets = await perform(activities.call, make("ListPets", arguments={"petId": 1, "count": 3}))
    assert [pet["id"] for pet in pets] == [1, 2, 3]
    assert await perform(activities.call, make("ListPets")) == []


async def test_a_stream_of_requests_stands_under_messages(
    activities: GrpcActivities, make: Make
) -> None:
    messages = [{"displayName": "a"}, {"displayName": "b"}]
    summary = await perform(activities.call, make("AddPets", arguments={"messages": messages}))
    assert (summary["count"], summary["names"]) == (2, ["a", "b"])
    summary = await perform(activities.call, make("AddPets", arguments={"displayName": "a"}))
    assert summary["names"] == ["a"]
    assert (await perform(activities.call, make("AddPets", arguments={"messages": []})))[
        "count"
    ] == 0


async def test_both_may_be_streams(activities: GrpcActivities, make: Make) -> None:
    messages = [{"displayName": "a"}, {"displayName": "b"}]
    pets = await perform(activities.call, make("Chat", arguments={"messages": messages}))
    assert [pet["displayName"] for pet in pets] == ["hello a", "hello b"]


async def test_the_idempotency_key_is_metadata(activities: GrpcActivities, make: Make) -> None:
    metadata = (await perform(activities.call, make("AddPets")))["metadata"]
    assert metadata["idempotency-key"] == "run:/do/0/call:1"
    assert "authorization" not in metadata


@pytest.mark.parametrize(
    ("scheme", "properties", "value"),
    [
        ("bearer", {"token": "t"}, "Bearer t"),
        (
            "basic",
            {"username": "ann", "password": "pw"},
            f"Basic {base64.b64encode(b'ann:pw').decode()}",
        ),
    ],
)
@pytest.mark.parametrize("path", ["/pets.proto", ""])
async def test_a_policy_authenticates_by_metadata(
    activities: GrpcActivities,
    make: Make,
    scheme: str,
    properties: dict[str, str],
    value: str,
    path: str,
) -> None:
    login = Credentials(scheme=scheme, properties=properties)
    summary = await perform(activities.call, make("AddPets", path, authentication=login))
    assert summary["metadata"]["authorization"] == value


async def test_a_proto_is_compiled_once(
    activities: GrpcActivities, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    await perform(activities.call, make())
    monkeypatch.setattr(proto_compiler, "_command", lambda: ["false"])
    await perform(activities.call, make())


async def test_a_service_is_asked_for_its_proto_once_in_a_while(
    activities: GrpcActivities, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    reflect = grpc_call.reflect

    async def counted(*arguments: Any) -> FileDescriptorSet:
        asked.append(1)
        return await reflect(*arguments)

    monkeypatch.setattr(grpc_call, "reflect", counted)
    monkeypatch.setattr(grpc_call, "_KEPT", 1)
    for host in ("127.0.0.1", "127.0.0.1", "localhost", "127.0.0.1"):
        await perform(activities.call, make(path="", host=host))
    assert len(asked) == 3


@pytest.mark.parametrize(
    ("code", "kind", "status"),
    [
        ("UNAUTHENTICATED", "authentication", 401),
        ("PERMISSION_DENIED", "authorization", 403),
        ("DEADLINE_EXCEEDED", "timeout", 408),
        ("CANCELLED", "communication", 499),
        ("INVALID_ARGUMENT", "communication", 400),
        ("FAILED_PRECONDITION", "communication", 400),
        ("OUT_OF_RANGE", "communication", 400),
        ("NOT_FOUND", "communication", 404),
        ("ALREADY_EXISTS", "communication", 409),
        ("ABORTED", "communication", 409),
        ("RESOURCE_EXHAUSTED", "communication", 429),
        ("UNIMPLEMENTED", "communication", 501),
        ("UNAVAILABLE", "communication", 503),
        ("INTERNAL", "communication", 500),
        ("UNKNOWN", "communication", 500),
        ("DATA_LOSS", "communication", 500),
    ],
)
async def test_a_status_is_an_error_of_its_kind(
    activities: GrpcActivities, make: Make, code: str, kind: str, status: int
) -> None:
    number = grpc.StatusCode[code].value[0]
    call = make("Fail", "/pets.binpb", arguments={"code": number, "message": "no pet"})
    error = await error_of(activities.call, call)
    assert (error["type"], error["status"]) == (standard(kind), status)
    name = f"pets.v1.Pets/Fail at 127.0.0.1:{call.port}"
    assert error["detail"] == f"{name} answered {code}: no pet"


@pytest.mark.parametrize(
    ("properties", "kind", "detail"),
    [
        ({"arguments": {"petID": 1}}, "validation", 'no field named "petID"'),
        ({"arguments": {"petId": "x"}}, "validation", "petId"),
        ({"arguments": {"petId": 1.5}}, "validation", "petId"),
        ({"arguments": {"petId": [1]}}, "validation", "petId"),
        ({"arguments": {"content": 7}}, "validation", "content"),
        ({"method": "AddPets", "arguments": {"messages": [1]}}, "validation", "pets.v1.Pet"),
        ({"method": "AddPets", "arguments": {"messages": 1}}, "validation", "messages"),
        ({"method": "ListPets", "arguments": {"messages": []}}, "validation", "messages"),
        ({"method": "GetPets"}, "configuration", "did you mean GetPet?"),
        ({"method": "Zzz"}, "configuration", "there are GetPet, ListPets, AddPets, Chat, Fail"),
        ({"service": "pets.v1.Pet"}, "configuration", "did you mean pets.v1.Pets?"),
        ({"service": "zzz"}, "configuration", "there are pets.v1.Pets"),
        ({"service": 7}, "expression", "the service's name must be a string, not a number"),
        ({"method": None}, "expression", "the method must be a string, not null"),
        ({"proto": Resource(uri=7)}, "expression", "must give a string"),
        ({"proto": Resource(uri="ftp://a/b")}, "configuration", "can't be fetched by ftp"),
        ({"authentication": Credentials(scheme="bearer", properties={"token": "é"})},
         "authentication", "letters that gRPC can't send"),
        ({"authentication": Credentials(scheme="bearer", properties={"token": 1})},
         "authentication", "token"),
        ({"authentication": Credentials(scheme="digest",
                                        properties={"username": "a", "password": "b"})},
         "configuration", "a digest is made for each request over HTTP"),
        ({"port": 1}, "communication", "at 127.0.0.1:1 answered UNAVAILABLE"),
        ({"host": "nowhere.invalid"}, "communication", "at nowhere.invalid:"),
        ({"tls": True}, "communication", "answered UNAVAILABLE"),
        ({"arguments": {"count": 20_000}}, "communication", "RESOURCE_EXHAUSTED"),
        ({"method": "ListPets", "arguments": {"petId": 1, "count": 6_000}}, "communication",
         "answered more than 10000 messages or 10000 bytes"),
    ],
)  # fmt: skip
async def test_what_fails_is_an_error_of_its_kind(
    activities: GrpcActivities, make: Make, properties: dict[str, Any], kind: str, detail: str
) -> None:
    error = await error_of(activities.call, make(**{"path": "/pets.binpb", **properties}))
    assert error["type"] == standard(kind)
    assert detail in error["detail"]


@pytest.mark.parametrize("timeout_seconds", [0.5])
async def test_a_slow_answer_is_a_timeout(activities: GrpcActivities, make: Make) -> None:
    call = make("Fail", "/pets.binpb", arguments={"seconds": 5})
    error = await error_of(activities.call, call)
    assert error["type"] == standard("timeout")
    assert "DEADLINE_EXCEEDED" in error["detail"]


@pytest.mark.parametrize("timeout_seconds", [0.5])
async def test_a_stream_that_falls_silent_is_a_timeout(
    activities: GrpcActivities, make: Make, grpc_peer: GrpcPeer
) -> None:
    grpc_peer.delay = 30
    call = make("ListPets", "/pets.binpb", arguments={"count": 2})
    error = await error_of(activities.call, call)
    assert (error["type"], error["status"]) == (standard("timeout"), 408)
    assert error["detail"].endswith("didn't answer in time")


async def test_an_output_that_is_too_large_faults(
    activities: GrpcActivities, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grpc_call, "_LARGEST_OUTPUT", 10)
    error = await error_of(activities.call, make(path="/pets.binpb"))
    assert "answered more than 10 bytes" in error["detail"]


class TestReflection:
    async def test_a_service_may_tell_nothing(
        self, activities: GrpcActivities, make: Make, silent_grpc_peer: GrpcPeer
    ) -> None:
        error = await error_of(activities.call, make(path="", port=silent_grpc_peer.port))
        assert error["type"] == standard("configuration")
        assert "it has no reflection" in error["detail"]
        call = make(port=silent_grpc_peer.port, arguments={"petId": 1})
        assert (await perform(activities.call, call))["id"] == 1

    async def test_an_unknown_service_is_a_configuration_error(
        self, activities: GrpcActivities, make: Make
    ) -> None:
        error = await error_of(activities.call, make(path="", service="pets.v1.Cats"))
        assert error["type"] == standard("configuration")
        assert "the server doesn't tell the proto of pets.v1.Cats" in error["detail"]

    async def test_a_server_that_is_away_is_a_communication_error(
        self, activities: GrpcActivities, make: Make
    ) -> None:
        error = await error_of(activities.call, make(path="", port=1))
        assert (error["type"], error["status"]) == (standard("communication"), 503)


class TestProtos:
    @pytest.mark.parametrize(
        ("content", "detail"),
        [
            (b'syntax = "proto3"; message {', "doesn't compile: document.proto:1:28: Expected"),
            (b'syntax = "proto3"; import "other.proto";', "other.proto: File not found"),
            (b'syntax = "proto3"; import "../x.proto";', "doesn't compile"),
            (b'syntax = "proto3"; import "/etc/passwd";', "doesn't compile"),
            (b"\xff\xfe", "is no text in UTF-8"),
            (b" " * (1024 * 1024 + 1), "is no proto: it has more than 1048576 bytes"),
            (b'syntax = "proto3"; message A { string a = 1; }', "there is none"),
        ],
    )
    async def test_one_that_doesnt_serve_is_a_configuration_error(
        self,
        activities: GrpcActivities,
        make: Make,
        http_service: HttpService,
        content: bytes,
        detail: str,
    ) -> None:
        http_service.documents["/bad.proto"] = content
        error = await error_of(activities.call, make(path="/bad.proto"))
        assert error["type"] == standard("configuration")
        assert detail in error["detail"]
        assert "/tmp" not in error["detail"]

    async def test_one_that_takes_long_is_given_up(
        self, activities: GrpcActivities, make: Make, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(proto_compiler, "_LONGEST_SECONDS", 0.1)
        monkeypatch.setattr(proto_compiler, "_command", lambda: ["/bin/sleep", "5"])
        error = await error_of(activities.call, make())
        assert "takes too long to compile" in error["detail"]

    async def test_a_set_without_its_imports_is_incomplete(
        self,
        activities: GrpcActivities,
        make: Make,
        http_service: HttpService,
        pets_files: FileDescriptorSet,
    ) -> None:
        alone = FileDescriptorSet(file=[pets_files.file[-1]])
        http_service.documents["/alone.binpb"] = alone.SerializeToString()
        error = await error_of(activities.call, make(path="/alone.binpb"))
        assert error["type"] == standard("configuration")
        assert "the proto of pets.v1.Pets is incomplete" in error["detail"]

    async def test_many_are_kept_for_a_while(
        self,
        activities: GrpcActivities,
        make: Make,
        http_service: HttpService,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(proto_compiler, "_KEPT", 1)
        for path in ("/pets.proto", "/pets.binpb", "/pets.proto"):
            assert (await perform(activities.call, make(path=path)))["id"] == 0

    async def test_one_that_cant_be_had_is_a_communication_error(
        self, activities: GrpcActivities, make: Make
    ) -> None:
        error = await error_of(activities.call, make(path="/nowhere.proto"))
        assert (error["type"], error["status"]) == (standard("communication"), 404)
