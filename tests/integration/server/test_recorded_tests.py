"""`test --from-execution`: what has run becomes a test, and the test tells a broken definition."""

import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from google.protobuf.duration_pb2 import Duration
from typer.testing import CliRunner, Result

from api.execution.v1 import execution_pb2 as pb
from api.execution.v1.execution_pb2_grpc import ExecutionServiceStub
from api.template.v1 import template_pb2
from api.template.v1.template_pb2_grpc import TemplateServiceStub
from app.cli import cli
from app.failure import Failure
from server.service.convert.values import value_to_proto
from tests.fixtures.definitions import definition
from tests.fixtures.http_service import HttpService
from tests.patience import PATIENCE_SECONDS

RETRIED = {"retry": {"delay": {"milliseconds": 10}, "limit": {"attempt": {"count": 1}}}}


def call(path: str, **properties: Any) -> dict[str, Any]:
    endpoint = f'${{ $workflow.input.url + "{path}" }}'
    return {"call": "http", "with": {"method": "get", "endpoint": endpoint}, **properties}


TASKS: list[dict[str, Any]] = [
    {
        "pets": {
            "for": {"in": "${ [1, 2] }"},
            "do": [{"pet": call("/pets/1", output={"as": "${ .name }"})}],
        }
    },
    {
        "both": {
            "fork": {
                "branches": [
                    {"paid": {"listen": {"to": {"one": {"with": {"type": "paid"}}}}}},
                    {"echo": call("/echo")},
                    {"tell": {"emit": {"event": {"with": {"type": "told", "data": 1}}}}},
                ]
            }
        }
    },
    {
        "race": {
            "fork": {
                "compete": True,
                "branches": [{"slow": call("/slow/2")}, {"quick": call("/text")}],
            }
        }
    },
    {
        "safe": {
            "try": [{"busy": call("/status/503")}],
            "catch": {**RETRIED, "do": [{"note": {"set": {"gaveUp": True}}}]},
        }
    },
    {"gone": call("/status/404")},
]


def run_test(*words: object) -> Result:
    return CliRunner().invoke(cli, ["test", *map(str, words)], catch_exceptions=False)


def run(
    templates: TemplateServiceStub,
    executions: ExecutionServiceStub,
    url: str,
    *tasks: dict[str, Any],
    event: bool = True,
) -> pb.Execution:
    config = definition(*tasks, namespace=f"n{uuid4()}")
    template = templates.CreateTemplate(template_pb2.CreateTemplateRequest(config=config)).template
    start = pb.StartExecutionRequest(template_id=template.id, input=value_to_proto({"url": url}))
    execution = executions.StartExecution(start).execution
    if event:
        paid = {"specversion": "1.0", "id": "1", "source": "/s", "type": "paid", "data": {"sum": 7}}
        executions.SignalExecution(
            pb.SignalExecutionRequest(id=execution.id, event=value_to_proto(paid))
        )
    wait = pb.GetExecutionRequest(id=execution.id, wait=Duration(seconds=PATIENCE_SECONDS))
    return executions.GetExecution(wait).execution


def test_a_run_with_loops_a_fork_an_event_and_a_fault_becomes_a_test(
    templates: TemplateServiceStub,
    executions: ExecutionServiceStub,
    grpc_addr: str,
    http_service: HttpService,
    tmp_path: Path,
) -> None:
    execution = run(templates, executions, http_service.url, *TASKS)
    assert execution.status == pb.Execution.FAULTED
    file = tmp_path / "incident_test.yaml"
    made = run_test("--from-execution", execution.id, file, "--server", grpc_addr)
    assert made.exit_code == 0, made.output
    passed = run_test(file)
    assert passed.exit_code == 0, passed.output

    text = file.read_text()
    for right, broken in (
        ("type: paid\n", "type: payed\n"),
        ("in: ${ [1, 2] }", "in: ${ [1] }"),
        ("count: 1\n", "count: 2\n"),
    ):
        assert right in text
        file.write_text(text.replace(right, broken, 1))
        failed = run_test(file)
        assert failed.exit_code == 1, broken
        assert "FAIL  the execution" in failed.stdout


def test_a_run_that_completed_is_printed_for_a_definition_elsewhere(
    templates: TemplateServiceStub,
    executions: ExecutionServiceStub,
    grpc_addr: str,
    http_service: HttpService,
) -> None:
    execution = run(templates, executions, http_service.url, {"echo": call("/text")}, event=False)
    words = ("--from-execution", execution.id, "--workflow", "it.yaml", "--server", grpc_addr)
    made = run_test(*words)
    assert made.exit_code == 0, made.output
    assert "workflow: it.yaml\ncases:\n" in made.stdout
    assert "/do/0/echo:\n" in made.stdout


def test_a_run_that_goes_on_cant_become_a_test(
    templates: TemplateServiceStub, executions: ExecutionServiceStub, grpc_addr: str
) -> None:
    config = definition({"pause": {"wait": {"hours": 1}}}, namespace=f"n{uuid4()}")
    template = templates.CreateTemplate(template_pb2.CreateTemplateRequest(config=config)).template
    start = pb.StartExecutionRequest(template_id=template.id, wait=Duration(seconds=1))
    execution = executions.StartExecution(start).execution
    with pytest.raises(Failure, match="can't become a test"):
        run_test("--from-execution", execution.id, "--server", grpc_addr)


def test_large_values_are_fetched(
    templates: TemplateServiceStub,
    executions: ExecutionServiceStub,
    grpc_addr: str,
    http_service: HttpService,
    tmp_path: Path,
) -> None:
    grow = {"grow": {"set": {"x": '${ [range(9000) | "0123456789" * 10] }'}}}
    double = {"double": {"set": {"y": "${ [.x, .x] }"}}}
    small = {"small": {"set": {"z": "${ .y[0][0] }"}}}
    execution = run(templates, executions, http_service.url, grow, double, small, event=False)
    file = tmp_path / "large_test.yaml"
    made = run_test("--from-execution", execution.id, file, "--server", grpc_addr)
    assert made.exit_code == 0, made.output
    assert run_test(file).exit_code == 0
    assert json.dumps("0123456789" * 10) in file.read_text()
    with pytest.raises(Failure, match="can't be written"):
        run_test("--from-execution", execution.id, tmp_path / "no" / "x", "--server", grpc_addr)
