"""WatchExecution over gRPC, on the whole service."""

import json
import time
import uuid
from collections.abc import Iterator, Sequence
from typing import Any

import grpc
import pytest

from api.execution.v1.execution_pb2 import (
    Execution,
    StartExecutionRequest,
    WatchExecutionRequest,
    WatchExecutionResponse,
)
from api.execution.v1.execution_pb2_grpc import ExecutionServiceStub
from api.template.v1.template_pb2 import CreateTemplateRequest
from api.template.v1.template_pb2_grpc import TemplateServiceStub
from tests.fixtures.statuses import code_of, error_info, refusal, violations
from tests.patience import PATIENCE_SECONDS

_WORKFLOW = "io.serverlessworkflow.workflow."
_TASK = "io.serverlessworkflow.task."


class Starter:
    """Starts runs."""

    def __init__(self, templates: TemplateServiceStub, executions: ExecutionServiceStub) -> None:
        self._templates = templates
        self._executions = executions

    def __call__(self, *tasks: Any) -> str:
        """The id of a run of these tasks."""
        name = f"watched-{uuid.uuid4()}"
        document = {"dsl": "1.0.0", "namespace": "test", "name": name, "version": "1.0.0"}
        config = json.dumps({"document": document, "do": tasks})
        template = self._templates.CreateTemplate(CreateTemplateRequest(config=config)).template
        request = StartExecutionRequest(template_id=template.id)
        return str(self._executions.StartExecution(request).execution.id)


@pytest.fixture
def start(templates: TemplateServiceStub, executions: ExecutionServiceStub) -> Starter:
    return Starter(templates, executions)


def watch(
    executions: ExecutionServiceStub, id: str, after_sequence: int = 0
) -> Iterator[WatchExecutionResponse]:
    request = WatchExecutionRequest(id=id, after_sequence=after_sequence)
    return iter(executions.WatchExecution(request, timeout=PATIENCE_SECONDS))


def sequences(records: Sequence[WatchExecutionResponse]) -> list[int]:
    return [record.event.sequence for record in records if record.HasField("event")]


def test_a_run_is_seen_from_its_beginning_to_its_end(
    executions: ExecutionServiceStub, start: Starter
) -> None:
    id = start(
        {"first": {"set": {"n": 1}}}, {"pause": {"wait": {"seconds": 1, "milliseconds": 200}}}
    )

    records = list(watch(executions, id))

    assert [(record.event.type, record.event.task) for record in records[:-1]] == [
        (f"{_WORKFLOW}started.v1", ""),
        (f"{_TASK}created.v1", "/do/0/first"),
        (f"{_TASK}started.v1", "/do/0/first"),
        (f"{_TASK}completed.v1", "/do/0/first"),
        (f"{_TASK}created.v1", "/do/1/pause"),
        (f"{_TASK}started.v1", "/do/1/pause"),
        (f"{_TASK}completed.v1", "/do/1/pause"),
        (f"{_WORKFLOW}completed.v1", ""),
    ]
    assert sequences(records) == list(range(1, 9))
    assert records[-1].end == WatchExecutionResponse.End(
        status=Execution.COMPLETED, last_sequence=8
    )


def test_a_task_that_takes_long_is_seen_within_a_second_of_its_start(
    executions: ExecutionServiceStub, start: Starter
) -> None:
    id = start({"pause": {"wait": {"seconds": 4}}})

    records = watch(executions, id)
    record = next(each for each in records if each.event.type == f"{_TASK}started.v1")

    assert time.time() - record.event.time.ToDatetime().timestamp() < 1


def test_a_run_that_has_ended_gives_its_history_and_its_end(
    executions: ExecutionServiceStub, start: Starter
) -> None:
    id = start({"fail": {"raise": {"error": {"type": "about:blank", "status": 500}}}})
    first = list(watch(executions, id))

    again = list(watch(executions, id))

    assert again == first
    assert again[-1].end.status == Execution.FAULTED


def test_watching_is_taken_up_after_a_sequence_number(
    executions: ExecutionServiceStub, start: Starter
) -> None:
    id = start(
        {"first": {"set": {"n": 1}}}, {"pause": {"wait": {"seconds": 1, "milliseconds": 200}}}
    )
    records = watch(executions, id)
    seen = [next(records) for _ in range(3)]
    records.cancel()  # type: ignore[attr-defined]

    rest = list(watch(executions, id, after_sequence=3))

    assert sequences([*seen, *rest]) == list(range(1, 9))
    assert sequences(list(watch(executions, id, after_sequence=8))) == []
    assert list(watch(executions, id, after_sequence=99))[-1].end.last_sequence == 8


def test_what_isnt_there_cant_be_watched(executions: ExecutionServiceStub) -> None:
    status = refusal(lambda: list(watch(executions, "missing")))
    assert code_of(status) is grpc.StatusCode.NOT_FOUND
    assert error_info(status).reason == "EXECUTION_NOT_FOUND"


def test_a_negative_sequence_number_is_refused(executions: ExecutionServiceStub) -> None:
    status = refusal(lambda: list(watch(executions, "any", after_sequence=-1)))
    assert code_of(status) is grpc.StatusCode.INVALID_ARGUMENT
    assert [field for field, _ in violations(status)] == ["after_sequence"]
