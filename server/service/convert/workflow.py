"""Diagnostics and pictures of definitions."""

from api.workflow.v1 import workflow_pb2
from biz.dsl.reading.diagnostics import Diagnostic
from biz.errors import Violation
from biz.pictures.picture import PictureFormat
from server.service.convert.refusal import check_enum, refuse
from server.service.convert.values import text_to_proto


def diagnostic_to_proto(diagnostic: Diagnostic) -> workflow_pb2.Diagnostic:
    """The message."""
    return workflow_pb2.Diagnostic(
        severity=workflow_pb2.Diagnostic.Severity.Value(diagnostic.severity.name),
        code=diagnostic.code,
        message=text_to_proto(diagnostic.message),
        pointer=text_to_proto(diagnostic.pointer),
        line=diagnostic.line,
        column=diagnostic.column,
    )


def picture_format_from_proto(
    format: workflow_pb2.RenderWorkflowRequest.Format.ValueType,
) -> PictureFormat:
    """SVG unless another one is asked for. Raises InvalidArgument."""
    faults: list[Violation] = []
    formats = workflow_pb2.RenderWorkflowRequest.Format
    check_enum(formats.DESCRIPTOR, format, "format", faults)
    refuse(faults)
    is_mermaid = format == workflow_pb2.RenderWorkflowRequest.MERMAID
    return PictureFormat.MERMAID if is_mermaid else PictureFormat.SVG
