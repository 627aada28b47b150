import asyncio
import gc
import socket
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Any

import grpc
import grpc.aio
import pytest
from google.protobuf.wrappers_pb2 import StringValue
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
    ProtoReflectionDescriptorDatabase,
)

from api.template.v1 import template_pb2, template_pb2_grpc
from biz.errors import TemplateNotFound
from server.grpc_server import GrpcServer, ListenError, Service
from server.interceptors.chain import Chain
from server.interceptors.errors import error_mapping
from server.interceptors.validation import validation
from tests.fixtures.statuses import code_of, error_info, status_of
from tests.patience import PATIENCE_SECONDS

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
NAME = "api.template.v1.TemplateService"


class Templates(template_pb2_grpc.TemplateServiceServicer):
    """Answers with the id asked for, once it may; 404 doesn't exist."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.cancelled = asyncio.Event()
        self.freed = asyncio.Event()
        self._refusal: weakref.ref[TemplateNotFound] | None = None

    async def GetTemplate(self, request: Any, context: object) -> Any:
        self.asked.set()
        if request.id == 404:
            raise self._not_found()
        try:
            await self.may_answer.wait()
        except asyncio.CancelledError:
            self.cancelled.set()
            raise
        template = template_pb2.Template(id=request.id)
        return template_pb2.GetTemplateResponse(template=template)

    def _not_found(self) -> TemplateNotFound:
        """An error whose end sets `freed`."""
        error = TemplateNotFound("there is no template 404")
        self._refusal = weakref.ref(error, lambda _: self.freed.set())
        return error


@pytest.fixture
def templates() -> Templates:
    return Templates()


@pytest.fixture
def new_server(templates: Templates) -> Callable[..., GrpcServer]:
    """Makes a server that isn't started."""

    def make(address: str = "127.0.0.1:0", **options: Any) -> GrpcServer:
        service = Service(
            name=NAME,
            add=template_pb2_grpc.add_TemplateServiceServicer_to_server,
            servicer=templates,
        )
        chain = Chain(error_mapping, validation)
        return GrpcServer(address=address, services=[service], chain=chain, **options)

    return make


@pytest.fixture
async def start(
    new_server: Callable[..., GrpcServer],
) -> AsyncIterator[Callable[..., Awaitable[GrpcServer]]]:
    """Makes and starts servers, and stops them after the test."""
    started: list[GrpcServer] = []

    async def make(**options: Any) -> GrpcServer:
        server = new_server(**options)
        await server.start()
        started.append(server)
        return server

    yield make
    for server in started:
        await server.stop(timedelta())


@pytest.fixture
async def server(start: Callable[..., Awaitable[GrpcServer]]) -> GrpcServer:
    return await start()


@pytest.fixture
async def channel(server: GrpcServer) -> AsyncIterator[grpc.aio.Channel]:
    async with grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel:
        yield channel


def get(channel: grpc.aio.Channel, id: int = 1) -> Any:
    stub = template_pb2_grpc.TemplateServiceStub(channel)
    return stub.GetTemplate(template_pb2.GetTemplateRequest(id=id))


async def health(channel: grpc.aio.Channel, service: str) -> Any:
    stub = health_pb2_grpc.HealthStub(channel)
    return (await stub.Check(health_pb2.HealthCheckRequest(service=service))).status


async def test_it_serves_on_the_port_that_it_names(channel: grpc.aio.Channel) -> None:
    assert (await get(channel, id=7)).template.id == 7


async def test_health_is_known_of_the_whole_and_of_each_service(channel: grpc.aio.Channel) -> None:
    assert await health(channel, "") == SERVING
    assert await health(channel, NAME) == SERVING


async def test_the_health_of_an_unknown_service_has_a_status_with_details(
    channel: grpc.aio.Channel,
) -> None:
    call = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(service="x"))
    status = await status_of(call)
    assert code_of(status) is grpc.StatusCode.NOT_FOUND
    assert error_info(status).reason == "NOT_FOUND"


async def test_reflection_names_and_describes_the_services(server: GrpcServer) -> None:
    def look() -> tuple[set[str], list[str]]:
        with grpc.insecure_channel(f"127.0.0.1:{server.port}") as channel:
            database = ProtoReflectionDescriptorDatabase(channel)
            file = database.FindFileContainingSymbol(NAME)
            return set(database.get_services()), [service.name for service in file.service]

    names, described = await asyncio.to_thread(look)
    assert names == {NAME, "grpc.health.v1.Health", "grpc.reflection.v1alpha.ServerReflection"}
    assert described == ["TemplateService"]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0.0.0.0", "[::]"])
async def test_a_port_in_use_is_one_clear_line(
    new_server: Callable[..., GrpcServer], host: str
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"{host}:{taken.getsockname()[1]}"
        with pytest.raises(ListenError) as refusal:
            await new_server(address=address).start()
    assert str(refusal.value) == f"can't listen on {address}: the port is in use"


async def test_two_servers_never_share_a_port(
    server: GrpcServer, new_server: Callable[..., GrpcServer]
) -> None:
    with pytest.raises(ListenError, match="in use"):
        await new_server(address=f"127.0.0.1:{server.port}").start()


@pytest.mark.parametrize("address", ["203.0.113.1:0", "nowhere.invalid:0"])
async def test_an_address_of_another_machine_is_one_clear_line(
    new_server: Callable[..., GrpcServer], address: str
) -> None:
    with pytest.raises(ListenError, match=f"can't listen on {address}: .+") as refusal:
        await new_server(address=address).start()
    assert "\n" not in str(refusal.value)


async def test_stopping_lets_calls_in_flight_end(
    templates: Templates, server: GrpcServer, channel: grpc.aio.Channel
) -> None:
    templates.may_answer.clear()
    call = get(channel)
    await templates.asked.wait()
    stopping = asyncio.create_task(server.stop(timedelta(seconds=30)))
    await asyncio.sleep(0.05)
    assert not stopping.done()
    templates.may_answer.set()
    assert (await call).template.id == 1
    await stopping
    await server.wait()


async def test_stopping_cancels_what_takes_longer_than_the_grace(
    templates: Templates, server: GrpcServer, channel: grpc.aio.Channel
) -> None:
    templates.may_answer.clear()
    call = get(channel)
    await templates.asked.wait()
    await server.stop(timedelta(seconds=0.1))
    with pytest.raises(grpc.aio.AioRpcError):
        await call
    await asyncio.wait_for(templates.cancelled.wait(), PATIENCE_SECONDS)


async def test_a_stopping_server_is_not_serving_and_takes_no_new_calls(
    templates: Templates, server: GrpcServer, channel: grpc.aio.Channel
) -> None:
    templates.may_answer.clear()
    in_flight = get(channel)
    await templates.asked.wait()
    watch = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest(service=NAME))
    assert (await watch.read()).status == SERVING
    stopping = asyncio.create_task(server.stop(timedelta(seconds=0.5)))
    assert (await watch.read()).status == NOT_SERVING
    async with grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as late:
        with pytest.raises(grpc.aio.AioRpcError) as refusal:
            await get(late)
    assert refusal.value.code() is grpc.StatusCode.UNAVAILABLE
    templates.may_answer.set()
    assert (await in_flight).template.id == 1
    await stopping


async def test_a_server_that_never_started_can_be_stopped(
    new_server: Callable[..., GrpcServer],
) -> None:
    server = new_server()
    await server.stop(timedelta(seconds=1))
    await server.wait()


async def test_messages_over_the_limit_are_refused(
    start: Callable[..., Awaitable[GrpcServer]],
) -> None:
    server = await start(max_receive_bytes=1000)
    async with grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel:
        send = channel.unary_unary(f"/{NAME}/GetTemplate", StringValue.SerializeToString)
        await send(StringValue())
        with pytest.raises(grpc.aio.AioRpcError) as refusal:
            await send(StringValue(value="x" * 1001))
    assert refusal.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


async def test_a_burst_of_calls_waits_its_turn(channel: grpc.aio.Channel) -> None:
    answers = await asyncio.gather(*(get(channel, id=id) for id in range(1000, 5000)))
    assert [answer.template.id for answer in answers] == list(range(1000, 5000))


async def test_what_a_refusal_leads_to_is_freed_at_once(
    templates: Templates, channel: grpc.aio.Channel
) -> None:
    gc.disable()
    try:
        with pytest.raises(grpc.aio.AioRpcError):
            await get(channel, id=404)
        await asyncio.wait_for(templates.freed.wait(), PATIENCE_SECONDS)
    finally:
        gc.enable()
