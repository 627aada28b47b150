"""MCP calls to a real server, over HTTP and as a process: what comes back, how they fail."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from temporalio.testing import ActivityEnvironment

from biz.dsl.calls.mcp_call import McpCall, McpHttp, McpStdio
from biz.dsl.credentials import Credentials
from biz.dsl.errors import WorkflowError
from tests.fixtures import mcp_server
from tests.fixtures.activities import CONTEXT, Recorded, error_of, perform
from tests.fixtures.mcp_server import McpPeer
from tests.fixtures.performers import KeptLines, new_authenticator, new_performer
from tests.fixtures.polling import until
from tests.fixtures.workflows import standard
from workflows.activities.http_calls.sender import new_http_client
from workflows.activities.mcp.mcp_call import McpActivities
from workflows.activities.processes.policy import ProcessKind, ProcessPolicy

ROOT = Path(mcp_server.__file__).parents[2]
ALLOWED = ProcessPolicy(kinds=[ProcessKind.MCP])

Build = Callable[..., McpActivities]


@pytest.fixture
def kept() -> KeptLines:
    """The log of the calls."""
    return KeptLines()


@pytest.fixture
async def build(kept: KeptLines) -> AsyncIterator[Build]:
    """Makes the activities, by default of a worker that may start servers."""
    async with new_http_client(timeout_seconds=10) as client:

        def new(processes: ProcessPolicy = ALLOWED) -> McpActivities:
            return McpActivities(
                performer=new_performer(Recorded(), logs=kept),
                client=client,
                authenticator=new_authenticator(client),
                max_response_bytes=50_000,
                processes=processes,
            )

        yield new


def call(method: str = "tools/list", **properties: Any) -> McpCall:
    defaults: dict[str, Any] = {
        "method": method,
        "parameters": {},
        "protocol_version": "2025-06-18",
        "client_name": "tester",
        "client_version": "0.0.1",
        "timeout_seconds": 30.0,
        "http": None,
        "stdio": None,
        "idempotency_key": "run:/do/0/call:1",
    }
    return McpCall(**{**defaults, **properties})


def at(uri: str, **properties: Any) -> McpHttp:
    return McpHttp(**{"uri": uri, "headers": {}, **properties})


def process(*arguments: str, **environment: str) -> McpStdio:
    return McpStdio(
        command=sys.executable,
        arguments=arguments or [mcp_server.__file__],
        environment={"PYTHONPATH": str(ROOT), **environment},
    )


async def fault_of(activity: Callable[..., Awaitable[Any]], asked: McpCall) -> WorkflowError:
    return WorkflowError.from_json(await error_of(activity, asked))


@pytest.fixture(params=["http", "stdio"])
def peer(request: pytest.FixtureRequest, mcp_peer: McpPeer) -> dict[str, Any]:
    """The server by each transport."""
    return {"http": at(f"{mcp_peer.url}/mcp")} if request.param == "http" else {"stdio": process()}


def tool(name: str, **arguments: Any) -> dict[str, Any]:
    return {"method": "tools/call", "parameters": {"name": name, "arguments": arguments}}


async def test_a_tool_is_called(build: Build, peer: dict[str, Any]) -> None:
    result = await perform(build().call, call(**tool("add", a=2, b=3), **peer))
    assert result["content"] == [{"type": "text", "text": "5"}]
    assert result["structuredContent"] == {"result": 5}
    assert result["isError"] is False


async def test_a_newer_version_of_the_protocol_is_spoken_too(
    build: Build, peer: dict[str, Any]
) -> None:
    asked = call(**tool("add", a=2, b=3), protocol_version="2026-07-28", **peer)
    assert (await perform(build().call, asked))["structuredContent"] == {"result": 5}


async def test_the_log_tells_of_each_call(
    build: Build, peer: dict[str, Any], kept: KeptLines
) -> None:
    await perform(build().call, call(**tool("add", a=2, b=3), **peer))
    await fault_of(build().call, call(**tool("fail", why="no luck"), **peer))
    well, failed = (line.message for line in kept.lines if "tools/call of" in line.message)
    assert well.endswith(" succeeded")
    assert "no luck" in failed
    assert failed.count("tools/call of") == 1


async def test_a_tool_that_fails_is_a_runtime_error(build: Build, peer: dict[str, Any]) -> None:
    error = await fault_of(build().call, call(**tool("fail", why="no luck"), **peer))
    assert (error.type, error.status) == (standard("runtime"), 500)
    assert "no luck" in error.detail


async def test_a_call_that_takes_too_long_is_a_timeout(build: Build, peer: dict[str, Any]) -> None:
    asked = call(**tool("rest", seconds=2), timeout_seconds=1.5, **peer)
    error = await fault_of(build().call, asked)
    assert (error.type, error.status) == (standard("timeout"), 408)
    assert error.detail.endswith("didn't answer in 1.5 seconds")


async def test_an_answer_that_is_too_large_is_a_communication_error(
    build: Build, peer: dict[str, Any]
) -> None:
    error = await fault_of(build().call, call(**tool("large", size=100_000), **peer))
    assert error.type == standard("communication")


@pytest.mark.parametrize(
    ("method", "parameters", "expected"),
    [
        ("tools/list", {}, lambda result: result["tools"][0]["name"] == "add"),
        ("prompts/list", {}, lambda result: [p["name"] for p in result["prompts"]] == ["greet"]),
        ("prompts/get", {"name": "greet", "arguments": {"name": "Ann"}},
         lambda result: result["messages"][0]["content"]["text"] == "Greet Ann."),
        ("resources/list", {},
         lambda result: [r["uri"] for r in result["resources"]] == ["peer://motto"]),
        ("resources/read", {"uri": "peer://motto"},
         lambda result: result["contents"][0]["text"] == "as simple as possible"),
        ("resources/templates/list", {},
         lambda result: result["resourceTemplates"][0]["uriTemplate"] == "peer://pets/{name}"),
    ],
)  # fmt: skip
async def test_each_method_gives_its_json_rpc_result(
    build: Build,
    mcp_peer: McpPeer,
    method: str,
    parameters: dict[str, Any],
    expected: Callable[[Any], bool],
) -> None:
    asked = call(method, parameters=parameters, http=at(f"{mcp_peer.url}/mcp"))
    assert expected(await perform(build().call, asked))


async def test_null_is_sent_as_it_is(build: Build, mcp_peer: McpPeer) -> None:
    asked = call(**tool("kind_of", value=None), http=at(f"{mcp_peer.url}/mcp"))
    assert (await perform(build().call, asked))["structuredContent"] == {"result": "NoneType"}


@pytest.mark.parametrize(
    ("method", "parameters"),
    [
        ("prompts/get", {"name": "nobody"}),
        ("tools/call", {"arguments": {}}),
        ("resources/read", {"uri": "peer://nothing"}),
    ],
)
async def test_a_json_rpc_error_is_a_runtime_error(
    build: Build, mcp_peer: McpPeer, method: str, parameters: dict[str, Any]
) -> None:
    asked = call(method, parameters=parameters, http=at(f"{mcp_peer.url}/mcp"))
    error = await fault_of(build().call, asked)
    assert error.type == standard("runtime")
    assert error.detail.startswith(f"{method} of the MCP server at {mcp_peer.url}/mcp failed: ")


async def test_an_unknown_version_of_the_protocol_is_a_configuration_error(
    build: Build, mcp_peer: McpPeer
) -> None:
    asked = call(protocol_version="2020-01-01", http=at(f"{mcp_peer.url}/mcp"))
    error = await fault_of(build().call, asked)
    assert error.type == standard("configuration")
    assert "2020-01-01" in error.detail


async def test_http_headers_and_credentials_are_sent(build: Build, mcp_peer: McpPeer) -> None:
    http = at(
        f"{mcp_peer.url}/mcp",
        headers={"X-Team": "blue"},
    )
    credentials = Credentials(scheme="bearer", properties={"token": "t0ken"})
    await perform(build().call, call(http=http, authentication=credentials))
    assert mcp_peer.headers["x-team"] == "blue"
    assert mcp_peer.headers["authorization"] == "Bearer t0ken"
    assert mcp_peer.headers["mcp-protocol-version"] == "2025-06-18"


@pytest.mark.parametrize(
    ("path", "kind", "status", "detail"),
    [
        ("/denied", "communication", 401, "/denied answered 401"),
        ("/broken", "communication", 503, "/broken answered 503"),
        ("/missing", "communication", 404, "/missing answered 404"),
        ("/text", "runtime", 500, "Unexpected content type"),
        ("/odd", "communication", 500, "answered what the protocol doesn't know"),
    ],
)
async def test_a_server_that_speaks_something_else_is_told(
    build: Build, mcp_peer: McpPeer, path: str, kind: str, status: int, detail: str
) -> None:
    error = await fault_of(build().call, call(http=at(mcp_peer.url + path)))
    assert (error.type, error.status) == (standard(kind), status)
    assert detail in error.detail


@pytest.mark.parametrize(
    ("uri", "kind"),
    [
        ("http://127.0.0.1:1/mcp", "communication"),
        ("ftp://127.0.0.1/mcp", "configuration"),
        ("http://", "configuration"),
        ("http://127.0.0.1:99999/mcp", "configuration"),
    ],
)
async def test_a_server_that_cant_be_reached_is_told(build: Build, uri: str, kind: str) -> None:
    error = await fault_of(build().call, call(http=at(uri)))
    assert error.type == standard(kind)


async def test_a_silent_server_is_a_timeout_without_one_in_the_definition(
    mcp_peer: McpPeer,
) -> None:
    async with new_http_client(timeout_seconds=0.3) as client:
        activities = McpActivities(
            performer=new_performer(Recorded()),
            client=client,
            authenticator=new_authenticator(client),
            max_response_bytes=50_000,
            processes=ALLOWED,
        )
        asked = call(
            "tools/call",
            parameters={"name": "rest", "arguments": {"seconds": 0.6}},
            timeout_seconds=None,
            http=at(f"{mcp_peer.url}/mcp"),
        )
        error = await fault_of(activities.call, asked)
    assert error.type == standard("timeout")


async def test_a_process_sees_nothing_of_the_workers_environment(
    build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://secret")
    asked = call("tools/call", parameters={"name": "environment"}, stdio=process(GREETING="hello"))
    seen = (await perform(build().call, asked))["structuredContent"]
    assert seen["variables"]["GREETING"] == "hello"
    assert set(seen["variables"]) - {"LC_CTYPE"} == {"PATH", "HOME", "PYTHONPATH", "GREETING"}
    assert seen["variables"]["HOME"] == seen["folder"]
    assert not await asyncio.to_thread(Path(seen["folder"]).exists)


@pytest.mark.parametrize(
    "policy", [ProcessPolicy(), ProcessPolicy(kinds=[ProcessKind.MCP], namespaces=["other"])]
)
async def test_a_process_needs_a_setting(build: Build, policy: ProcessPolicy) -> None:
    error = await fault_of(build(policy).call, call(stdio=process()))
    assert (error.type, error.status) == (standard("authorization"), 403)


@pytest.mark.parametrize(
    ("stdio", "kind", "detail"),
    [
        (McpStdio(command="no-such-program", arguments=[], environment={}),
         "configuration", "no-such-program can't be started: No such file or directory"),
        (McpStdio(command="/dev/null", arguments=[], environment={}),
         "configuration", "/dev/null can't be started: Permission denied"),
        (process("-c", "pass"), "communication", "Connection closed"),
        (process("-c", "print('x' * 100_000)"), "communication", "too large"),
        (process("-c", "print('hello'); import sys; sys.stdin.close(); input()"),
         "communication", "Connection closed"),
    ],
)  # fmt: skip
async def test_a_process_that_isnt_a_server_is_told(
    build: Build, stdio: McpStdio, kind: str, detail: str
) -> None:
    error = await fault_of(build().call, call(stdio=stdio))
    assert error.type == standard(kind)
    assert detail in error.detail


async def test_a_process_that_dies_is_a_communication_error(build: Build) -> None:
    asked = call("tools/call", parameters={"name": "crash", "arguments": {}}, stdio=process())
    error = await fault_of(build().call, asked)
    assert error.type == standard("communication")


async def test_a_process_ends_with_its_call_and_all_that_it_started(
    build: Build, tmp_path: Path
) -> None:
    program = (
        "import os, subprocess, time, signal\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "child = subprocess.Popen(['sleep', '600'])\n"
        f"open({str(tmp_path / 'pids')!r}, 'w').write(f'{{os.getpid()}} {{child.pid}}\\n')\n"
        "time.sleep(600)\n"
    )
    environment = ActivityEnvironment()
    asked = call(stdio=process("-c", program))
    running = asyncio.create_task(environment.run(build().call, asked, CONTEXT))
    pids = tmp_path / "pids"
    await until(lambda: pids.exists() and pids.read_text().endswith("\n"))
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    for pid in pids.read_text().split():
        await until(lambda pid=pid: not _lives(int(pid)))


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
