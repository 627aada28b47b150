"""Pictures over HTTP and by the command line, against a stack as `up` starts it."""

import json
import re
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import httpx
import pytest

from app.failure import Failure
from tests.fixtures.definitions import GREET, definition
from tests.fixtures.refusals import refusal
from tests.fixtures.stack import Stack
from tests.fixtures.terminal import Terminal
from tests.patience import PATIENCE_SECONDS

NAMESPACE = "pictures"
TASK = f"/do/0/{next(iter(GREET))}"


@pytest.fixture
def http(stack: Stack) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"{stack.http_url}/api/v1", timeout=PATIENCE_SECONDS) as client:
        yield client


@pytest.fixture
def template(http: httpx.Client) -> dict[str, Any]:
    """A stored template, with a name of its own."""
    config = definition(GREET, namespace=NAMESPACE, name=f"p{uuid.uuid4().hex[:8]}")
    answer = http.post("/templates", json={"config": config}).raise_for_status()
    found: dict[str, Any] = answer.json()["template"]
    return found


@pytest.fixture
def execution(http: httpx.Client, template: dict[str, Any]) -> str:
    """The id of an execution of it that has completed."""
    body = {"template_id": template["id"], "wait": "30s"}
    ended = http.post("/executions", json=body).raise_for_status().json()["execution"]
    assert ended["status"] == "COMPLETED"
    return str(ended["id"])


def drawn(http: httpx.Client, **source: Any) -> str:
    answer = http.post("/workflows:render", json=source).raise_for_status()
    return str(answer.json()["content"])


def tasks(svg: str) -> list[str]:
    """The references of the tasks in a picture."""
    found = (each.get("data-task") for each in ElementTree.fromstring(svg).iter())
    return [task for task in found if task]


def test_a_text_a_template_and_an_execution_are_drawn_over_http(
    http: httpx.Client, template: dict[str, Any], execution: str
) -> None:
    plain = drawn(http, config=template["config"])
    assert tasks(plain) == [TASK]
    assert drawn(http, template_id=template["id"], format="SVG") == plain
    assert drawn(http, template_name=template["name"], namespace=NAMESPACE) == plain
    run = drawn(http, execution_id=execution)
    assert tasks(run) == [TASK]
    state = re.compile(f'class="[a-z ]* completed[a-z ]*" data-task="{TASK}"')
    assert state.search(run)
    assert not state.search(plain)


def test_mermaid_is_written_over_http(http: httpx.Client, execution: str) -> None:
    chart = drawn(http, execution_id=execution, format="MERMAID")
    assert "flowchart TD" in chart.splitlines()


@pytest.mark.parametrize(
    ("source", "status", "reason"),
    [
        ({}, 400, "INVALID_ARGUMENT"),
        ({"config": "do: 5"}, 400, "INVALID_DEFINITION"),
        ({"template_id": 999_999}, 404, "TEMPLATE_NOT_FOUND"),
        ({"template_name": "nobody"}, 404, "TEMPLATE_NOT_FOUND"),
        ({"execution_id": "nobody"}, 404, "EXECUTION_NOT_FOUND"),
    ],
)
def test_what_cannot_be_drawn_is_told_over_http(
    http: httpx.Client, source: dict[str, Any], status: int, reason: str
) -> None:
    refused = refusal(http.post("/workflows:render", json=source))
    assert (refused.status, refused.reason) == (status, reason)


def test_the_command_draws_a_template_and_an_execution_as_http_does(
    terminal: Terminal,
    http: httpx.Client,
    template: dict[str, Any],
    execution: str,
    tmp_path: Path,
) -> None:
    by_name = terminal.run("render", template["name"], "--template", "-n", NAMESPACE)
    assert by_name.stdout == drawn(http, template_id=template["id"])
    by_version = terminal.run(
        "render", template["name"], "-t", "-n", NAMESPACE, "--version", template["version"]
    )
    assert by_version.stdout == by_name.stdout
    file = tmp_path / "run.mmd"
    assert terminal.run("render", execution, "--execution", "-o", str(file)).stdout == ""
    assert file.read_text() == drawn(http, execution_id=execution, format="MERMAID")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--template"], "there is no template default/nobody (NOT_FOUND)"),
        (["--execution"], "there is no execution nobody (NOT_FOUND)"),
    ],
)
def test_the_command_tells_what_is_not_there(
    terminal: Terminal, words: list[str], message: str
) -> None:
    with pytest.raises(Failure) as ended:
        terminal.run("render", "nobody", *words)
    assert ended.value.message == message


def test_a_full_view_over_http_has_the_definition_that_runs(
    http: httpx.Client, template: dict[str, Any], execution: str
) -> None:
    changed = json.dumps({**json.loads(template["config"]), "do": [{"other": {"set": {"a": 1}}}]})
    http.put(f"/templates/{template['id']}", json={"config": changed}).raise_for_status()
    full = http.get(f"/executions/{execution}", params={"view": "FULL"}).json()["execution"]
    assert full["definition"] == template["config"]
    assert http.get(f"/executions/{execution}").json()["execution"]["definition"] == ""
