from api.execution.v1 import execution_pb2
from server.service.convert.execution_query import execution_query_from_proto
from tests.fixtures.entities import AT
from tests.fixtures.messages import UNKNOWN, refused

Execution = execution_pb2.Execution


def test_a_filter_by_time_is_read_as_utc() -> None:
    request = execution_pb2.ListExecutionsRequest()
    request.created_after.FromDatetime(AT)
    query = execution_query_from_proto(request)
    assert (query.created_after, query.created_before) == (AT, None)


def test_a_list_names_every_field_that_it_cant_take() -> None:
    request = execution_pb2.ListExecutionsRequest(
        parent_id="e-1", view=UNKNOWN, status=[Execution.PENDING, 0, UNKNOWN]
    )
    assert refused(lambda: execution_query_from_proto(request)) == [
        ("view", "", "unknown-value"),
        ("status", "/1", "unknown-value"),
        ("status", "/2", "unknown-value"),
    ]
