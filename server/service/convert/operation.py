"""Operations on many executions, and the requests for them."""

from google.longrunning.operations_pb2 import Operation as OperationMessage
from google.rpc import code_pb2, status_pb2

from api.execution.v1 import execution_pb2
from biz.errors import Violation
from biz.operations.operation import BatchAction, BatchRequest, Operation
from server.service.convert.execution_query import execution_filter_from_proto
from server.service.convert.refusal import refuse
from server.service.convert.time import optional_time_to_proto, time_to_proto
from server.service.convert.values import text_to_proto


def batch_request_from_proto(request: execution_pb2.BatchExecutionsRequest) -> BatchRequest:
    """What is to be done. Raises InvalidArgument."""
    faults: list[Violation] = []
    actions = execution_pb2.BatchExecutionsRequest.Action
    if not request.action or request.action not in actions.values():
        message = f"must be one of {', '.join(BatchAction)}"
        faults.append(Violation(field="action", code="unknown-value", message=message))
    if not request.HasField("filter"):
        message = "is missing; an empty object matches all executions"
        faults.append(Violation(field="filter", code="empty", message=message))
    query = execution_filter_from_proto(request.filter, faults)
    refuse(faults)
    return BatchRequest(
        action=BatchAction(actions.Name(request.action)),
        query=query,
        labels=list(request.filter.labels),
        validate_only=request.validate_only,
        max_count=request.max_count,
        reason=request.reason,
        request_id=request.request_id,
    )


def operation_to_proto(operation: Operation) -> OperationMessage:
    """The message; one that only counted has no name."""
    failures = [
        execution_pb2.BatchFailure(
            id=failure.execution_id,
            reason=failure.reason,
            message=text_to_proto(failure.message),
        )
        for failure in operation.failures
    ]
    message = OperationMessage(
        name=f"operations/{operation.id}" if operation.id else "",
        done=operation.ended_at is not None,
    )
    metadata = execution_pb2.BatchExecutionsMetadata(
        action=execution_pb2.BatchExecutionsRequest.Action.Value(operation.action.name),
        matched=operation.matched,
        succeeded=operation.succeeded,
        failed=operation.failed,
        failures=failures,
        reason=operation.reason,
        namespace=operation.namespace,
        created_at=time_to_proto(operation.created_at),
        ended_at=optional_time_to_proto(operation.ended_at),
        cancel_requested_at=optional_time_to_proto(operation.cancel_requested_at),
    )
    message.metadata.Pack(metadata)
    if operation.ended_at is None:
        return message
    if operation.is_cancelled and operation.id:
        detail = "the operation was cancelled; what it has done stays done"
        message.error.CopyFrom(status_pb2.Status(code=code_pb2.CANCELLED, message=detail))
        return message
    message.response.Pack(
        execution_pb2.BatchExecutionsResponse(
            matched=operation.matched,
            succeeded=operation.succeeded,
            failed=operation.failed,
            failures=failures,
        )
    )
    return message
