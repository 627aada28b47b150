"""What the contract says of batches and their operations, line by line."""

import time
from typing import Any
from uuid import uuid4

import grpc
import pytest
from google.longrunning.operations_pb2 import Operation
from google.protobuf.duration_pb2 import Duration

from api.execution.v1 import execution_pb2 as pb
from api.execution.v1.execution_pb2_grpc import ExecutionServiceStub
from api.template.v1 import template_pb2
from api.template.v1.template_pb2_grpc import TemplateServiceStub
from tests.fixtures.definitions import GREET, definition
from tests.fixtures.statuses import code_of, error_info, refusal, violations
from tests.patience import PATIENCE_SECONDS

Code = grpc.StatusCode
Batch = pb.BatchExecutionsRequest
PAUSE = {"pause": {"wait": {"minutes": 5}}}


@pytest.fixture
def namespace(templates: TemplateServiceStub) -> str:
    """A namespace of its own, with two templates: `short` and `long`."""
    namespace = str(uuid4())
    for name, task in (("short", GREET), ("long", PAUSE)):
        config = definition(task, namespace=namespace, name=name)
        templates.CreateTemplate(template_pb2.CreateTemplateRequest(config=config))
    return namespace


def start(executions: ExecutionServiceStub, namespace: str, name: str) -> str:
    wait = Duration(seconds=PATIENCE_SECONDS if name == "short" else 1)
    request = pb.StartExecutionRequest(namespace=namespace, template_name=name, wait=wait)
    return executions.StartExecution(request).execution.id


def delete(namespace: str, **fields: Any) -> Batch:
    return Batch(action=Batch.DELETE, filter=Batch.Filter(namespace=namespace), **fields)


def ended(executions: ExecutionServiceStub, operation: Operation) -> pb.BatchExecutionsResponse:
    """The response of an operation, once it is done."""
    id = operation.name.removeprefix("operations/")
    end = time.monotonic() + PATIENCE_SECONDS
    while not operation.done:
        assert time.monotonic() < end
        time.sleep(0.05)
        operation = executions.GetOperation(pb.GetOperationRequest(id=id))
    response = pb.BatchExecutionsResponse()
    assert operation.response.Unpack(response), operation.error
    return response


def test_a_batch_does_what_it_can_and_names_what_refused(
    executions: ExecutionServiceStub, namespace: str
) -> None:
    short = [start(executions, namespace, "short") for _ in range(3)]
    live = start(executions, namespace, "long")

    response = ended(executions, executions.BatchExecutions(delete(namespace)))

    assert (response.matched, response.succeeded, response.failed) == (4, 3, 1)
    [failure] = response.failures
    assert (failure.id, failure.reason) == (live, "EXECUTION_NOT_ENDED")
    left = executions.ListExecutions(pb.ListExecutionsRequest(namespace=namespace)).executions
    assert [execution.id for execution in left] == [live]
    assert live not in short


def test_a_dry_run_counts(executions: ExecutionServiceStub, namespace: str) -> None:
    start(executions, namespace, "short")
    operation = executions.BatchExecutions(delete(namespace, validate_only=True, max_count=1))
    assert operation.name == ""
    assert ended(executions, operation).matched == 1
    left = executions.ListExecutions(pb.ListExecutionsRequest(namespace=namespace)).executions
    assert len(left) == 1


def test_more_than_max_count_is_refused(executions: ExecutionServiceStub, namespace: str) -> None:
    for _ in range(2):
        start(executions, namespace, "short")
    status = refusal(executions.BatchExecutions, delete(namespace, max_count=1))
    assert code_of(status) is Code.FAILED_PRECONDITION
    assert error_info(status).reason == "TOO_MANY_MATCHED"
    assert error_info(status).metadata["matched"] == "2"


def test_a_batch_that_means_nothing_is_refused_at_its_places(
    executions: ExecutionServiceStub,
) -> None:
    status = refusal(executions.BatchExecutions, Batch())
    assert code_of(status) is Code.INVALID_ARGUMENT
    assert {field for field, _ in violations(status)} == {"action", "filter"}


def test_operations_are_listed_and_an_ended_one_isnt_cancelled(
    executions: ExecutionServiceStub, namespace: str
) -> None:
    operation = executions.BatchExecutions(delete(namespace, reason="clean"))
    ended(executions, operation)
    [listed] = executions.ListOperations(pb.ListOperationsRequest(namespace=namespace)).operations
    assert (listed.name, listed.done) == (operation.name, True)
    metadata = pb.BatchExecutionsMetadata()
    assert listed.metadata.Unpack(metadata)
    assert (metadata.reason, metadata.action) == ("clean", Batch.DELETE)
    id = operation.name.removeprefix("operations/")
    assert executions.CancelOperation(pb.CancelOperationRequest(id=id)) == listed


def test_an_unknown_operation_is_not_found(executions: ExecutionServiceStub) -> None:
    for call, request in (
        (executions.GetOperation, pb.GetOperationRequest(id="unknown")),
        (executions.CancelOperation, pb.CancelOperationRequest(id="unknown")),
    ):
        status = refusal(call, request)
        assert code_of(status) is Code.NOT_FOUND
        assert error_info(status).reason == "OPERATION_NOT_FOUND"


@pytest.mark.parametrize(
    ("actions", "status"),
    [
        ((Batch.SUSPEND,), pb.Execution.SUSPENDED),
        ((Batch.SUSPEND, Batch.RESUME), pb.Execution.WAITING),
        ((Batch.CANCEL,), pb.Execution.CANCELLED),
        ((Batch.TERMINATE,), pb.Execution.TERMINATED),
    ],
)
def test_a_batch_controls_runs(
    executions: ExecutionServiceStub,
    namespace: str,
    actions: tuple[Batch.Action.ValueType, ...],
    status: pb.Execution.Status.ValueType,
) -> None:
    runs = [start(executions, namespace, "long") for _ in range(2)]
    for action in actions:
        request = Batch(action=action, filter=Batch.Filter(namespace=namespace), reason="why not")
        response = ended(executions, executions.BatchExecutions(request))
        assert (response.matched, response.succeeded, response.failed) == (2, 2, 0)
    end = time.monotonic() + PATIENCE_SECONDS
    for id in runs:
        request_of_run = pb.GetExecutionRequest(id=id)
        while executions.GetExecution(request_of_run).execution.status != status:
            assert time.monotonic() < end
            time.sleep(0.05)
