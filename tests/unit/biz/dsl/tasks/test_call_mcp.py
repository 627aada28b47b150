"""Call tasks for MCP: what they send, and what is refused."""

from dataclasses import replace
from typing import Any

import pytest

from biz.dsl.calls.call import Call
from biz.dsl.calls.mcp_call import McpCall, McpHttp, McpStdio
from biz.dsl.credentials import Credentials
from biz.dsl.errors import TaskFault, WorkflowError
from tests.fixtures.workflows import Json, World, fault_of, faults, standard, workflow

URI = "https://mcp.test/mcp"
HTTP = {"http": {"endpoint": URI}}
STDIO = {"stdio": {"command": "uvx"}}
PLAIN = McpCall(
    method="tools/list",
    parameters={},
    protocol_version="2025-06-18",
    client_name="workflow-engine",
    client_version="memory",
    timeout_seconds=None,
    http=McpHttp(uri=URI, headers={}),
    stdio=None,
    idempotency_key="run-1:/do/0/call:1",
)
INPUT = {"id": 1, "name": "ann", "nothing": None, "list": [1], "call": {"name": "add"}, "uri": URI}


def call(**properties: Any) -> Json:
    arguments = {"method": "tools/list", "transport": HTTP, **properties}
    return workflow({"call": {"call": "mcp", "with": arguments}})


def stdio(**properties: Any) -> McpStdio:
    return McpStdio(**{"command": "uvx", "arguments": [], "environment": {}, **properties})


@pytest.mark.parametrize(
    ("properties", "changes"),
    [
        ({}, {}),
        ({"method": "resources/templates/list"}, {"method": "resources/templates/list"}),
        ({"parameters": {"name": "add", "arguments": {"a": "${ .id }"}}},
         {"parameters": {"name": "add", "arguments": {"a": 1}}}),
        ({"parameters": "${ .call }"}, {"parameters": {"name": "add"}}),
        ({"parameters": ".call"}, {"parameters": {"name": "add"}}),
        ({"protocolVersion": "2025-03-26"}, {"protocol_version": "2025-03-26"}),
        ({"timeout": {"seconds": 5}}, {"timeout_seconds": 5.0}),
        ({"timeout": "PT0.5S"}, {"timeout_seconds": 0.5}),
        ({"client": {"name": "me", "version": "${ .name }"}},
         {"client_name": "me", "client_version": "ann"}),
        ({"transport": {"http": {"endpoint": "${ .uri }", "headers": {"X-Name": "${ .name }"}}}},
         {"http": McpHttp(uri=URI, headers={"X-Name": "ann"})}),
        ({"transport": {"http": {"endpoint": {"uri": URI, "authentication": {
            "bearer": {"token": "${ .name }"}}}}}},
         {"authentication": Credentials(scheme="bearer", properties={"token": "ann"})}),
        ({"transport": STDIO}, {"http": None, "stdio": stdio()}),
        ({"transport": {"stdio": {"command": "${ .name }", "arguments": ["-x", "${ .name }"],
                                  "environment": {"TOKEN": "${ .name }"}}}},
         {"http": None,
          "stdio": stdio(command="ann", arguments=["-x", "ann"], environment={"TOKEN": "ann"})}),
    ],
)  # fmt: skip
async def test_the_request_is_evaluated(properties: Json, changes: Json) -> None:
    world = World(answer=lambda call: {"tools": []})
    assert await world.run(call(**properties), INPUT) == {"tools": []}
    assert world.calls == [replace(PLAIN, **changes)]


@pytest.mark.parametrize(
    ("properties", "detail"),
    [
        ({"parameters": "${ .list }"}, "the parameters must be an object, not an array"),
        ({"parameters": "${ .nothing }"}, "the parameters must be an object, not null"),
        ({"client": {"name": "${ .id }", "version": "1"}}, "the client's name must be text"),
        ({"client": {"name": "me", "version": "${ .id }"}}, "the client's version must be text"),
        ({"transport": {"http": {"endpoint": "${ .id }"}}}, "must give a string"),
        ({"transport": {"http": {"endpoint": URI, "headers": {"X": "${ .call }"}}}},
         '"X" in the headers can\'t be an object'),
        ({"transport": {"stdio": {"command": "${ .id }"}}}, "the command must be text"),
        ({"transport": {"stdio": {"command": ""}}}, "the command is empty"),
        ({"transport": {"stdio": {"command": "a\0b"}}}, "can't hold a NUL character"),
        ({"transport": {"stdio": {"command": "a", "arguments": ["${ .id }"]}}},
         "the arguments must be text, not a number"),
        ({"transport": {"stdio": {"command": "a", "environment": {"N": "${ .id }"}}}},
         "the environment must be text, not a number"),
        ({"transport": {"stdio": {"command": "a", "environment": {"A=B": "x"}}}},
         '"A=B" can\'t be the name of an environment variable'),
        ({"timeout": "${ .name }"}, "the duration must be ISO 8601"),
        ({"parameters": {"n": "${ .name | tonumber }"}}, "ann"),
    ],
)  # fmt: skip
async def test_what_an_expression_gives_wrongly_faults_the_task(
    properties: Json, detail: str
) -> None:
    error = await fault_of(call(**properties), INPUT)
    assert (error.type, error.instance) == (standard("expression"), "/do/0/call")
    assert detail in error.detail


async def test_the_fault_of_a_call_can_be_caught() -> None:
    def answer(call: Call) -> Any:
        raise TaskFault(WorkflowError.standard("runtime", "the tool failed"))

    attempt = workflow(
        {
            "attempt": {
                "try": [{"call": call()["do"][0]["call"]}],
                "catch": {
                    "errors": {"with": {"type": standard("runtime")}},
                    "do": [{"note": {"set": {"why": "${ $error.detail }"}}}],
                },
            }
        }
    )
    assert await World(answer=answer).run(attempt, {}) == {"why": "the tool failed"}


AT = "/do/0/call/with"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"transport": HTTP}, [("missing-property", AT)]),
        ({"method": "tools/list"}, [("missing-property", AT)]),
        ({"method": "tools/run", "transport": HTTP}, [("invalid-value", f"{AT}/method")]),
        ({"method": "tools/list", "transport": {}}, [("invalid-value", f"{AT}/transport")]),
        ({"method": "tools/list", "transport": "http"}, [("wrong-type", f"{AT}/transport")]),
        ({"method": "tools/list", "transport": {**HTTP, **STDIO}},
         [("invalid-value", f"{AT}/transport")]),
        ({"method": "tools/list", "transport": {"http": {}}},
         [("missing-property", f"{AT}/transport/http")]),
        ({"method": "tools/list", "transport": {"stdio": {"command": 1}}},
         [("wrong-type", f"{AT}/transport/stdio/command")]),
        ({"method": "tools/list", "transport": {"stdio": {"command": "a", "arguments": "b"}}},
         [("wrong-type", f"{AT}/transport/stdio/arguments")]),
        ({"method": "tools/list", "transport": {"stdio": {"command": "a", "environment": []}}},
         [("wrong-type", f"{AT}/transport/stdio/environment")]),
        ({"method": "tools/list", "transport": {"http": {"endpoint": URI, "headers": {"n": 1}}}},
         [("wrong-type", f"{AT}/transport/http/headers/n")]),
        ({"method": "tools/list", "transport": HTTP, "parameters": []},
         [("wrong-type", f"{AT}/parameters")]),
        ({"method": "tools/list", "transport": HTTP, "parameters": "not jq ("},
         [("invalid-expression", f"{AT}/parameters")]),
        ({"method": "tools/list", "transport": HTTP, "timeout": "soon"},
         [("invalid-duration", f"{AT}/timeout")]),
        ({"method": "tools/list", "transport": HTTP, "client": {"name": "me"}},
         [("missing-property", f"{AT}/client")]),
        ({"method": "tools/list", "transport": HTTP, "protocolVersion": 1},
         [("wrong-type", f"{AT}/protocolVersion")]),
        ({"method": "tools/list", "transport": {**HTTP, "options": {"a": "b"}}},
         [("ignored-property", f"{AT}/transport/options")]),
        ({"method": "tools/list", "transport": {**HTTP, "more": 1}, "other": 2},
         [("ignored-property", f"{AT}/transport/more"), ("ignored-property", f"{AT}/other")]),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_where_it_is(
    arguments: Json, expected: list[tuple[str, str]]
) -> None:
    assert faults(workflow({"call": {"call": "mcp", "with": arguments}})) == expected


def test_a_call_without_arguments_is_refused() -> None:
    assert faults(workflow({"call": {"call": "mcp"}})) == [("missing-property", "/do/0/call")]
