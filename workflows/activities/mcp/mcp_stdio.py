"""Runs an MCP server as a process, and talks to it over its standard input and output."""

import asyncio
import os
import signal
import tempfile
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from mcp.shared.message import SessionMessage
from mcp_types import jsonrpc_message_adapter

from biz.dsl.calls.mcp_call import McpStdio
from biz.dsl.errors import TaskFault, WorkflowError

Messages = tuple[Any, Any]
"""What a session reads from and writes to, as the SDK's transports give it."""

_PATH = "/usr/local/bin:/usr/bin:/bin"
_GRACE_SECONDS = 2.0
"""How long a server has to end by itself when its input ends."""


@asynccontextmanager
async def stdio_transport(server: McpStdio, *, max_message_bytes: int) -> AsyncIterator[Messages]:
    """A session's streams to a process that ends with the block, and with all that it started.

    It sees nothing of the worker's environment, and works in a folder of its own that is its home.
    Raises TaskFault, alone or in a group.
    """
    with tempfile.TemporaryDirectory(prefix="mcp-", ignore_cleanup_errors=True) as folder:
        starting = asyncio.create_task(_start(server, folder, max_message_bytes))
        try:
            process = await asyncio.shield(starting)
        except asyncio.CancelledError:  # half started, it could leave its children behind
            await _end(await starting)
            raise
        try:
            received, incoming = anyio.create_memory_object_stream[SessionMessage | Exception]()
            outgoing, sent = anyio.create_memory_object_stream[SessionMessage]()
            async with received, incoming, outgoing, sent, anyio.create_task_group() as group:
                group.start_soon(_read, process, received)
                group.start_soon(_write, process, sent)
                try:
                    yield incoming, outgoing
                finally:
                    group.cancel_scope.cancel()
        finally:
            await _end(process)


async def _start(server: McpStdio, folder: str, limit: int) -> Process:
    environment: Mapping[str, str] = {"PATH": _PATH, "HOME": folder, **server.environment}
    try:
        return await asyncio.create_subprocess_exec(
            server.command,
            *server.arguments,
            stdin=PIPE,
            stdout=PIPE,
            stderr=DEVNULL,
            cwd=folder,
            env=environment,
            limit=limit,
            start_new_session=True,
        )
    except OSError as error:
        detail = f"the MCP server {server.command} can't be started: {error.strerror}"
        raise TaskFault(WorkflowError.standard("configuration", detail)) from None


async def _read(
    process: Process, received: MemoryObjectSendStream[SessionMessage | Exception]
) -> None:
    """Passes on a message a line until the process closes its output."""
    assert process.stdout is not None
    async with received:
        while True:
            try:
                line = await process.stdout.readline()
            except ValueError:
                detail = "the MCP server sent a message that is too large"
                raise TaskFault(WorkflowError.standard("communication", detail)) from None
            if not line:
                return
            message: SessionMessage | Exception
            try:
                message = SessionMessage(jsonrpc_message_adapter.validate_json(line, by_name=False))
            except ValueError as error:
                message = error
            await received.send(message)


async def _write(process: Process, sent: MemoryObjectReceiveStream[SessionMessage]) -> None:
    """Passes on a line a message until the process closes its input."""
    assert process.stdin is not None
    with suppress(ConnectionError):
        async for item in sent:
            text = item.message.model_dump_json(by_alias=True, exclude_unset=True)
            process.stdin.write(f"{text}\n".encode())
            await process.stdin.drain()


async def _end(process: Process) -> None:
    """Lets it end, then ends what is left of it and of what it started."""
    assert process.stdin is not None
    process.stdin.close()
    try:
        with suppress(TimeoutError):
            async with asyncio.timeout(_GRACE_SECONDS):
                await process.wait()
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await asyncio.shield(_reap(process))


async def _reap(process: Process) -> None:
    """Takes what is left in its pipes, since they close at their ends only."""
    with suppress(TimeoutError):
        async with asyncio.timeout(_GRACE_SECONDS):
            await process.communicate()
