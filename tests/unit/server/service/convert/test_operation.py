"""Operations as messages."""

from dataclasses import replace

import pytest
from google.longrunning.operations_pb2 import Operation as OperationMessage

from api.execution.v1.execution_pb2 import (
    BatchExecutionsMetadata,
    BatchExecutionsRequest,
    BatchExecutionsResponse,
    Execution,
)
from biz.errors import InvalidArgument
from biz.executions.execution import ExecutionQuery, ExecutionStatus
from server.service.convert.operation import batch_request_from_proto, operation_to_proto
from tests.fixtures.entities import AT, OPERATION

Filter = BatchExecutionsRequest.Filter


def metadata_of(message: OperationMessage) -> BatchExecutionsMetadata:
    metadata = BatchExecutionsMetadata()
    assert message.metadata.Unpack(metadata)
    return metadata


def response_of(message: OperationMessage) -> BatchExecutionsResponse:
    response = BatchExecutionsResponse()
    assert message.response.Unpack(response)
    return response


def test_an_ended_operation_is_told_whole() -> None:
    message = operation_to_proto(OPERATION)
    assert (message.name, message.done) == ("operations/o-1", True)
    for told in (metadata_of(message), response_of(message)):
        assert len(told.ListFields()) == len(told.DESCRIPTOR.fields)
        assert (told.matched, told.succeeded, told.failed) == (3, 2, 1)
        [failure] = told.failures
        assert (failure.id, failure.reason) == ("e-1", "EXECUTION_ENDED")


def test_one_under_way_has_its_progress_only() -> None:
    message = operation_to_proto(replace(OPERATION, ended_at=None, succeeded=1))
    assert not message.done
    assert message.WhichOneof("result") is None
    assert metadata_of(message).succeeded == 1
    assert not metadata_of(message).HasField("ended_at")


def test_one_that_was_cut_short_ends_with_an_error() -> None:
    message = operation_to_proto(replace(OPERATION, succeeded=1))
    assert message.error.code == 1
    assert message.error.message
    assert metadata_of(message).succeeded == 1


def test_one_that_only_counted_has_no_name() -> None:
    counted = replace(OPERATION, id="", succeeded=0, failed=0, failures=())
    message = operation_to_proto(counted)
    assert (message.name, message.done) == ("", True)
    assert response_of(message).matched == 3


def test_every_field_of_a_filter_counts() -> None:
    filter = Filter(
        namespace="shop",
        template_id=7,
        template_name="order",
        status=[Execution.RUNNING],
        labels=["team=payments"],
        parent_id="e-0",
    )
    filter.created_after.FromDatetime(AT)
    filter.created_before.FromDatetime(AT)
    assert len(filter.ListFields()) == len(filter.DESCRIPTOR.fields)
    request = BatchExecutionsRequest(action=BatchExecutionsRequest.CANCEL, filter=filter)
    read = batch_request_from_proto(request)
    assert read.labels == ["team=payments"]
    assert read.query == ExecutionQuery(
        namespace="shop",
        template_id=7,
        template_name="order",
        statuses=[ExecutionStatus.RUNNING],
        parent_id="e-0",
        created_after=AT,
        created_before=AT,
    )


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"filter": Filter()}, "action"),
        ({"filter": Filter(), "action": 99}, "action"),
        ({"action": 3}, "filter"),
        ({"action": 3, "filter": Filter(status=[1, 0])}, "filter/status/1"),
    ],
)
def test_what_means_nothing_is_refused(fields: dict[str, object], place: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        batch_request_from_proto(BatchExecutionsRequest(**fields))
    assert [f"{f.field}{f.pointer}" for f in refused.value.violations] == [place]
