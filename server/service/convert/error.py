"""Errors of workflows."""

from api.execution.v1 import execution_pb2
from biz.dsl.errors import WorkflowError
from biz.errors import Violation
from server.service.convert.values import text_to_proto


def error_to_proto(error: WorkflowError) -> execution_pb2.Execution.Error:
    """The message."""
    return execution_pb2.Execution.Error(
        type=text_to_proto(error.type),
        title=text_to_proto(error.title),
        status=error.status,
        detail=text_to_proto(error.detail),
        instance=text_to_proto(error.instance),
    )


def error_from_proto(
    error: execution_pb2.Execution.Error, faults: list[Violation]
) -> WorkflowError:
    """The error that a mock answers with; adds a fault where it has no type."""
    if not error.type:
        message = "an error must have a type, such as communication"
        faults.append(Violation(field="mocks", code="missing-property", message=message))
    return WorkflowError.like(
        error.type, status=error.status, title=error.title, detail=error.detail
    )
