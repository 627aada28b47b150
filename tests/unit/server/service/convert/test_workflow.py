from dataclasses import replace

from api.workflow.v1 import workflow_pb2
from biz.dsl.reading.diagnostics import Diagnostic, Severity
from server.service.convert.workflow import diagnostic_to_proto
from tests.fixtures.messages import all_fields, fields


def test_every_field_of_a_diagnostic_is_filled() -> None:
    diagnostic = Diagnostic(
        code="syntax",
        message="write \ud800 better",
        pointer="/do/0",
        severity=Severity.WARNING,
        line=3,
        column=5,
    )
    message = diagnostic_to_proto(diagnostic)
    assert fields(message) == all_fields(message)
    assert message.severity == workflow_pb2.Diagnostic.WARNING
    assert message.message == "write \ufffd better"
    severities = {diagnostic_to_proto(replace(diagnostic, severity=s)).severity for s in Severity}
    assert severities == set(workflow_pb2.Diagnostic.Severity.values()) - {0}
