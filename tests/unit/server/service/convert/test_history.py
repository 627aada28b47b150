from dataclasses import replace

from api.execution.v1 import execution_pb2
from biz.executions.execution import ExecutionStatus
from biz.history.steps import HistoryEnd
from server.service.convert.history import lifecycle_event_to_proto, watch_record_to_proto
from tests.fixtures.entities import EVENT


def test_an_event_has_the_iterations_of_its_loop_where_it_stands_in_one() -> None:
    assert lifecycle_event_to_proto(replace(EVENT, iterations=0)).HasField("iterations")
    assert lifecycle_event_to_proto(replace(EVENT, iterations=3)).iterations == 3
    assert not lifecycle_event_to_proto(EVENT).HasField("iterations")


def test_a_watched_event_is_the_event_of_the_history() -> None:
    assert watch_record_to_proto(EVENT).event == lifecycle_event_to_proto(EVENT)


def test_the_end_of_a_watched_history_is_filled() -> None:
    end = HistoryEnd(status=ExecutionStatus.TERMINATED, last_sequence=7)
    message = watch_record_to_proto(end)
    assert not message.HasField("event")
    assert message.end.status == execution_pb2.Execution.TERMINATED
    assert message.end.last_sequence == 7
