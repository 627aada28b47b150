from google.protobuf.json_format import MessageToDict

from api.execution.v1 import execution_pb2
from biz.logs.log import LogLevel, LogQuery
from server.service.convert.log import log_query_from_proto, log_to_proto
from tests.fixtures.entities import LOG
from tests.fixtures.messages import UNKNOWN, all_fields, fields, refused


def test_every_field_of_a_log_line_is_filled() -> None:
    message = log_to_proto(LOG)
    assert fields(message) == all_fields(message)
    assert MessageToDict(message, preserving_proto_field_name=True) == {
        "time": "2025-03-14T15:09:26.535897Z",
        "level": "WARNING",
        "task": "/do/0/getPet",
        "message": "GET https://pets.test/7 answered 404",
        "fields": {"status": 404.0},
        "trace_id": LOG.trace_id,
    }


def test_a_filter_of_logs_has_all_lines_by_default() -> None:
    asked = execution_pb2.ListExecutionLogsRequest(id="e1")
    assert log_query_from_proto(asked) == LogQuery(execution_id="e1", level=LogLevel.DEBUG, task="")
    asked.task, asked.level = "/do/0/x", execution_pb2.ExecutionLog.ERROR
    expected = LogQuery(execution_id="e1", level=LogLevel.ERROR, task="/do/0/x")
    assert log_query_from_proto(asked) == expected


def test_an_unknown_level_is_refused() -> None:
    asked = execution_pb2.ListExecutionLogsRequest(id="e1", level=UNKNOWN)
    assert refused(lambda: log_query_from_proto(asked)) == [("level", "", "unknown-value")]
