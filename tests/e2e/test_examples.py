"""Each folder of examples runs, and gives what its README tells."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from app.cli import cli
from app.commands.demo import example_service
from tests.fixtures.stack import Stack

EXAMPLES = Path(__file__).parents[2] / "examples"
OUTPUTS: dict[str, dict[str, Any]] = {
    "hello": {"greeting": "Hello, Ada!"},
    "order-fulfilment": {
        "orderId": "A-1001",
        "result": "shipped",
        "lines": 3,
        "total": 112,
        "trackingNumber": "WE00000004",
    },
    "polling": {"job": "1", "looks": 3, "result": 42},
    "retry": {"sku": "TEA-250", "left": 12},
    "race": {"supplier": "near", "price": 9},
    "events": {"orderId": "A-1001", "paid": 112},
    "child": {"greetings": ["Hello, Ada!", "Hello, Grace!"]},
    "shell": {"words": 6},
    "functions": {"tea": 12, "cup": 6},
}


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[str]:
    """The service that the examples call, with nothing in it yet."""
    async with example_service(tmp_path / "service.log") as url:
        yield url


async def apply(stack: Stack, name: str) -> None:
    file = str(EXAMPLES / name / "workflow.yaml")
    words = ["apply", file, "--server", stack.grpc_address]
    await asyncio.to_thread(CliRunner().invoke, cli, words, catch_exceptions=False)


async def run(stack: Stack, name: str, **replaced: str) -> dict[str, Any]:
    """Applies an example, and runs it with its input, some of it replaced."""
    await apply(stack, name)
    given = json.loads(await asyncio.to_thread((EXAMPLES / name / "input.json").read_text))
    async with httpx.AsyncClient(base_url=stack.http_url, timeout=70) as http:
        body = {
            "namespace": "examples",
            "template_name": name,
            "input": {**given, **replaced},
            "wait": "60s",
        }
        answer = await http.post("/api/v1/executions", json=body)
    execution: dict[str, Any] = answer.raise_for_status().json()["execution"]
    assert execution["status"] == "COMPLETED", execution
    return execution


def test_each_example_has_a_workflow_an_input_and_a_readme() -> None:
    folders = [path for path in EXAMPLES.iterdir() if path.is_dir() and path.name[0] not in "._"]
    assert {folder.name for folder in folders} == set(OUTPUTS)
    for folder in folders:
        for file in ("workflow.yaml", "input.json", "README.md"):
            assert (folder / file).is_file(), f"{folder.name} has no {file}"


async def test_hello(stack: Stack) -> None:
    assert (await run(stack, "hello"))["output"] == OUTPUTS["hello"]


async def test_order_fulfilment(stack: Stack, service: str) -> None:
    execution = await run(stack, "order-fulfilment", shop=service)
    assert execution["output"] == OUTPUTS["order-fulfilment"]
    refused = await run(stack, "order-fulfilment", shop=service, orderId="A-1002")
    assert refused["output"] == {
        "orderId": "A-1002",
        "result": "refused",
        "reason": "the order is open",
    }


async def test_polling(stack: Stack, service: str) -> None:
    assert (await run(stack, "polling", service=service))["output"] == OUTPUTS["polling"]


@pytest.mark.parametrize("name", ["retry", "race"])
async def test_what_calls_the_shop(stack: Stack, service: str, name: str) -> None:
    assert (await run(stack, name, shop=service))["output"] == OUTPUTS[name]


@pytest.mark.parametrize("name", ["events", "shell", "functions"])
async def test_what_calls_nobody(stack: Stack, name: str) -> None:
    assert (await run(stack, name))["output"] == OUTPUTS[name]


async def test_child(stack: Stack) -> None:
    await apply(stack, "hello")
    assert (await run(stack, "child"))["output"] == OUTPUTS["child"]
