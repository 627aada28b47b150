"""Runs containers through the API of Docker, which Podman has too."""

import asyncio
import posixpath
import re
import time
import uuid
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from typing import Any

import aiohttp
import structlog
from aiodocker import Docker
from aiodocker.containers import DockerContainer
from aiodocker.exceptions import DockerError

from biz.dsl.calls.container_call import (
    Cleanup,
    ContainerCall,
    PullPolicy,
    port_pairs,
    volume_pairs,
)
from biz.dsl.calls.process_call import ProcessResult, text, texts, variables
from biz.dsl.errors import TaskFault, WorkflowError
from workflows.activities.processes.output_lines import OutputLines
from workflows.activities.processes.runner import ProcessLimits, carried, stdin_of

EXECUTION = "workflow-engine.execution"
CALL = "workflow-engine.call"
STOP_AT = "workflow-engine.stop-at"
KEEP_SECONDS = "workflow-engine.keep-seconds"
"""Labels of containers: whose they are, and, for the sweeper, how long they may live."""

_SHELL = "sh"
_PIDS = 128
_STOP_SECONDS = 2
_CONNECT_SECONDS = 5
_ANSWER_SECONDS = 60
_PULL_SECONDS = 600
_SPARE_SECONDS = 300
"""How much longer than it should a container may live, until the sweeper sees to it."""

_NO_ANSWER = 900
"""How aiodocker says that it can't connect."""

_NOT_FOUND = 404
_CONFLICT = 409
_STDOUT, _STDERR = 1, 2
_UNNAMEABLE = re.compile(r"[^a-zA-Z0-9_.-]+")

_log = structlog.get_logger(__name__)


class ContainerEngine:
    """One engine at an address such as unix:///var/run/docker.sock; an empty one is none.

    Definitions may mount `volumes`, folders of the engine's host, and what is below them.
    """

    def __init__(self, *, address: str, limits: ProcessLimits, volumes: Collection[str]) -> None:
        self._address = address
        self._limits = limits
        self._volumes = volumes

    async def run(self, call: ContainerCall, execution_id: str) -> Any:
        """The output of the call; null once the container runs, where the call isn't awaited.

        Raises TaskFault. A cancellation stops the container.
        """
        if not self._address:
            raise _fault(
                "configuration",
                "there is no container engine; the setting CONTAINER_HOST has the address of one",
            )
        config = self._config(call, execution_id)
        async with self._connected() as docker:
            await self._provide_image(docker, call)
            if call.command is None and call.arguments:
                config["Cmd"] = [
                    *await _own_command(docker, call.image), *texts("arguments", call.arguments)
                ]  # fmt: skip
            container = await self._create(docker, call, config)
            if call.awaited:
                return await self._see_through(container, call)
            await self._begin(container, call)
            return None

    async def sweep(self) -> None:
        """Stops containers that are late, and deletes those whose time has come."""
        async with self._connected() as docker:
            for container in await docker.containers.list(all=True, filters={"label": [EXECUTION]}):
                with suppress(DockerError):  # another sweeper was faster
                    await _sweep(container, now=time.time())

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[Docker]:
        timeout = aiohttp.ClientTimeout(
            total=None, connect=_CONNECT_SECONDS, sock_read=_ANSWER_SECONDS
        )
        try:
            docker = Docker(url=self._address, timeout=timeout)
        except ValueError:
            raise _fault("configuration", "CONTAINER_HOST is no address of an engine") from None
        try:
            yield docker
        except DockerError as error:
            if error.status == _NO_ANSWER:
                raise _fault("communication", "the container engine doesn't answer") from None
            raise _fault("runtime", f"the container engine refuses: {error.message}") from None
        except (aiohttp.ClientError, OSError, TimeoutError):
            raise _fault("communication", "the container engine doesn't answer") from None
        finally:
            await docker.close()

    def _config(self, call: ContainerCall, execution_id: str) -> dict[str, Any]:
        ports = port_pairs(call.ports)
        labels = {EXECUTION: execution_id, CALL: call.idempotency_key}
        labels[STOP_AT] = str(int(time.time() + self._limits.seconds + _SPARE_SECONDS))
        if call.cleanup is Cleanup.EVENTUALLY:
            labels[KEEP_SECONDS] = str(call.keep_seconds)
        elif call.cleanup is Cleanup.ALWAYS:
            # Whoever waits for it deletes it, unless it is lost.
            labels[KEEP_SECONDS] = str(_SPARE_SECONDS if call.awaited else 0)
        reads = call.stdin is not None
        config: dict[str, Any] = {
            "Image": call.image,
            "Env": [f"{name}={value}" for name, value in variables(call.environment).items()],
            "Labels": labels,
            "ExposedPorts": {inside: {} for _, inside in ports},
            "Tty": False,
            "AttachStdin": reads,
            "OpenStdin": reads,
            "StdinOnce": reads,
            "HostConfig": {
                "PortBindings": {inside: [{"HostPort": host}] for host, inside in ports},
                "Binds": [f"{self._mountable(s)}:{t}" for s, t in volume_pairs(call.volumes)],
                "Memory": self._limits.memory_mb * 1024 * 1024,
                "PidsLimit": _PIDS,
                "SecurityOpt": ["no-new-privileges"],
            },
        }
        if call.command is not None:
            arguments = texts("arguments", call.arguments)
            config["Entrypoint"] = [_SHELL]
            config["Cmd"] = ["-c", text("the command", call.command), _SHELL, *arguments]
        return config

    def _mountable(self, source: str) -> str:
        """The name of a volume, or a folder that may be mounted. Raises TaskFault."""
        if "/" not in source:
            return source
        folder = posixpath.normpath(source)
        if any(f"{folder}/".startswith(f"{allowed.rstrip('/')}/") for allowed in self._volumes):
            return folder
        raise _fault(
            "authorization",
            f"{source[:200]} may not be mounted; the setting CONTAINER_VOLUMES has the folders "
            "that may",
        )

    async def _provide_image(self, docker: Docker, call: ContainerCall) -> None:
        if call.pull_policy is not PullPolicy.ALWAYS:
            try:
                await docker.images.inspect(call.image)
                return
            except DockerError as error:
                if error.status != _NOT_FOUND:
                    raise
            if call.pull_policy is PullPolicy.NEVER:
                detail = f"the image {call.image} isn't there, and its pullPolicy is never"
                raise _fault("configuration", detail)
        try:
            async with asyncio.timeout(_PULL_SECONDS):
                async for line in docker.images.pull(_tagged(call.image), stream=True):
                    if "error" in line:
                        raise _fault(
                            "configuration", f"the image {call.image} can't be had: {line['error']}"
                        )
        except DockerError as error:
            detail = f"the image {call.image} can't be had: {error.message}"
            raise _fault("configuration", detail) from None

    async def _create(
        self, docker: Docker, call: ContainerCall, config: Mapping[str, Any]
    ) -> DockerContainer:
        """The container, in place of one of an earlier attempt of the same call."""
        name = _name(call)
        try:
            return await docker.containers.create(dict(config), name=name)
        except DockerError as error:
            if error.status != _CONFLICT:
                raise
        earlier = await docker.containers.get(name)
        if earlier._container["Config"]["Labels"].get(CALL) != call.idempotency_key:
            raise _fault("configuration", f"there is a container {name} already")
        await earlier.delete(force=True)
        return await docker.containers.create(dict(config), name=name)

    async def _see_through(self, container: DockerContainer, call: ContainerCall) -> Any:
        """Runs a container to its end."""
        try:
            async with asyncio.timeout(self._limits.seconds):
                stdout, stderr = await self._outputs(container, call)
                ended = await container.wait()
        except TimeoutError:
            detail = f"the container ran longer than {self._limits.seconds:g} s"
            raise _fault("timeout", detail) from None
        finally:
            ending = asyncio.create_task(_end(container, call.cleanup))
            try:
                await asyncio.shield(ending)
            except asyncio.CancelledError:
                await ending
                raise
        result = ProcessResult(code=ended["StatusCode"], stdout=stdout, stderr=stderr)
        return carried(result.output(call.output))

    async def _outputs(self, container: DockerContainer, call: ContainerCall) -> tuple[str, str]:
        """Starts a container, and reads what it writes until it ends."""
        found = {_STDOUT: bytearray(), _STDERR: bytearray()}
        async with container.attach(stdout=True, stderr=True) as outputs:
            await self._begin(container, call)
            with OutputLines("stdout") as stdout, OutputLines("stderr") as stderr:
                lines = {_STDOUT: stdout, _STDERR: stderr}
                while (message := await outputs.read_out()) is not None:
                    found.setdefault(message.stream, bytearray()).extend(message.data)
                    if message.stream in lines:
                        lines[message.stream].feed(message.data)
                    if sum(map(len, found.values())) > self._limits.output_bytes:
                        most = self._limits.output_bytes
                        raise _fault("runtime", f"the container wrote more than {most} bytes")
        both = [found[stream].decode(errors="replace") for stream in (_STDOUT, _STDERR)]
        return both[0], both[1]

    async def _begin(self, container: DockerContainer, call: ContainerCall) -> None:
        if call.stdin is None:
            await container.start()
            return
        # With StdinOnce its input ends with the connection.
        async with container.attach(stdin=True) as stdin:
            await container.start()
            await stdin.write_in(stdin_of(call))


async def _own_command(docker: Docker, image: str) -> list[str]:
    """What an image runs by itself, behind its entrypoint."""
    return (await docker.images.inspect(image)).get("Config", {}).get("Cmd") or []


async def _end(container: DockerContainer, cleanup: Cleanup) -> None:
    """Stops a container that still runs, and deletes it where that is wanted."""
    try:
        async with asyncio.timeout(_ANSWER_SECONDS):
            await container.stop(t=_STOP_SECONDS)
            if cleanup is Cleanup.ALWAYS:
                await container.delete(force=True, v=True)
    except (DockerError, aiohttp.ClientError, TimeoutError) as error:
        _log.warning("a container is left to the sweeper", container=container.id, error=str(error))


async def _sweep(container: DockerContainer, *, now: float) -> None:
    """Stops a container, or deletes it, as its labels say."""
    shown = await container.show()
    labels = shown["Config"]["Labels"]
    if shown["State"]["Running"]:
        if float(labels.get(STOP_AT, now)) < now:
            await container.stop(t=_STOP_SECONDS)
    elif KEEP_SECONDS in labels and _ended_at(shown, now) + float(labels[KEEP_SECONDS]) < now:
        await container.delete(force=True, v=True)


def _ended_at(shown: Mapping[str, Any], now: float) -> float:
    """When a container ended; one that never ran counts by its creation."""
    text = shown["State"].get("FinishedAt") or ""
    if text.startswith("0001"):
        text = shown.get("Created") or ""
    try:
        # The engines write nanoseconds, which Python doesn't read.
        return datetime.fromisoformat(f"{text[:19]}+00:00").timestamp()
    except ValueError:
        return now


def _name(call: ContainerCall) -> str:
    """The definition's own, or as the standard recommends; the same for each attempt."""
    if call.name is not None:
        return text("the name", call.name)
    id = uuid.uuid5(uuid.NAMESPACE_URL, call.idempotency_key)
    name = f"{call.workflow}-{id}.{call.namespace}-{call.task}"
    return _UNNAMEABLE.sub("-", name)[:200]


def _tagged(image: str) -> str:
    """An image with its tag: without one, all would be pulled."""
    last = image.rpartition("/")[2]
    return image if ":" in last or "@" in image else f"{image}:latest"


def _fault(kind: str, detail: str) -> TaskFault:
    return TaskFault(WorkflowError.standard(kind, detail))
