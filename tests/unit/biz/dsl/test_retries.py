import json
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest

from biz.dsl.calls.call import Call
from biz.dsl.errors import TaskFault, WorkflowError
from biz.dsl.memory_runtime import MemoryRuntime, run_in_memory
from biz.dsl.validator import check
from tests.fixtures.workflows import START, Json, faults, standard, workflow

CALL: Json = {"ask": {"call": "http", "with": {"method": "get", "endpoint": "https://x.test"}}}
SECOND: Json = {"seconds": 1}
BUSY = WorkflowError.standard("communication", "busy", status=503)


def retrying(retry: Any, *tasks: Json, **properties: Any) -> Json:
    catch = {"retry": retry, **properties.pop("catch", {})}
    return workflow({"t": {"try": list(tasks) or [CALL], "catch": catch}}, **properties)


class Busy:
    """A service that refuses so many times; `seconds` says when it was asked."""

    def __init__(self, refusals: int, error: WorkflowError = BUSY) -> None:
        self.seconds: list[float] = []
        self._left = refusals
        self._error = error
        self._clock: Callable[[], datetime] = lambda: START

    def run(self, definition: Json, input: Any = None, random: Sequence[float] = ()) -> Any:
        numbers = iter(random)
        runtime = MemoryRuntime(
            answer=self._answer, start=START, random=lambda: next(numbers)
        )  # fmt: skip
        self._clock = runtime.now
        checked = check(json.dumps(definition))
        assert not checked.errors
        return run_in_memory(checked.require(), {} if input is None else input, runtime)

    def _answer(self, call: Call) -> Any:
        self.seconds.append((self._clock() - START) / timedelta(seconds=1))
        if self._left:
            self._left -= 1
            raise TaskFault(self._error)
        return "done"


def asked(retry: Any, refusals: int = 99, **properties: Any) -> Sequence[float]:
    """When a service was asked, in a run that faults as it does in the end."""
    service = Busy(refusals)
    with pytest.raises(TaskFault) as raised:
        service.run(retrying(retry, **properties))
    assert raised.value.error.status == BUSY.status
    return service.seconds


def times(count: int, **policy: Any) -> Json:
    return {**policy, "limit": {"attempt": {"count": count}}}


@pytest.mark.parametrize(
    ("retry", "seconds"),
    [
        (times(0), [0]),
        (times(-1), [0]),
        (times(2), [0, 0, 0]),
        (times(3, delay=SECOND), [0, 1, 2, 3]),
        (times(3, delay="PT1S"), [0, 1, 2, 3]),
        (times(3, delay={"seconds": 2}, backoff={"constant": {}}), [0, 2, 4, 6]),
        (times(4, delay=SECOND, backoff={"linear": {}}), [0, 1, 3, 6, 10]),
        (times(4, delay=SECOND, backoff={"exponential": {}}), [0, 1, 3, 7, 15]),
        (times(2, backoff={"exponential": {}}), [0, 0, 0]),
        (times(2, delay={"milliseconds": 0}), [0, 0, 0]),
        (times(2.0, delay=SECOND), [0, 1, 2]),
    ],
)
def test_when_it_is_tried_again(retry: Json, seconds: Sequence[float]) -> None:
    assert asked(retry) == seconds


def test_it_ends_with_the_first_success() -> None:
    service = Busy(2)
    assert service.run(retrying({"delay": SECOND})) == "done"
    assert service.seconds == [0, 1, 2]


@pytest.mark.parametrize(
    ("jitter", "random", "seconds"),
    [
        ({"from": SECOND, "to": {"seconds": 3}}, [0, 0.5, 0.25], [0, 11, 23, 34.5]),
        ({"from": {"seconds": 0}, "to": SECOND}, [0.5] * 3, [0, 10.5, 21, 31.5]),
        ({"from": "PT2S", "to": "PT2S"}, [0.9] * 3, [0, 12, 24, 36]),
    ],
)
def test_a_random_time_of_a_range_is_added(
    jitter: Json, random: Sequence[float], seconds: Sequence[float]
) -> None:
    service = Busy(3)
    policy = times(3, delay={"seconds": 10}, jitter=jitter)
    assert service.run(retrying(policy), random=random) == "done"
    assert service.seconds == seconds


def test_a_pause_never_grows_over_a_hundred_years() -> None:
    seconds = asked(times(2, delay="P60Y", backoff={"exponential": {}}))
    assert seconds[2] - seconds[1] == pytest.approx(timedelta(days=36_525).total_seconds())


@pytest.mark.parametrize(
    ("total", "seconds"),
    [
        ({"seconds": 3}, [0, 1, 2]),
        ({"milliseconds": 2500}, [0, 1, 2]),
        ({"seconds": 1}, [0]),
        ({"seconds": 0}, [0]),
        ("${ .total }", [0, 1]),
    ],
)
def test_it_isnt_tried_again_after_the_whole_time(total: Any, seconds: Sequence[float]) -> None:
    service = Busy(99)
    with pytest.raises(TaskFault):
        service.run(retrying({"delay": SECOND, "limit": {"duration": total}}), {"total": "PT2S"})
    assert service.seconds == seconds


def test_whichever_limit_is_reached_first_counts() -> None:
    limit = {"duration": {"seconds": 5}, "attempt": {"count": 2}}
    assert asked({"delay": SECOND, "limit": limit}) == [0, 1, 2]
    limit = {"duration": {"seconds": 2}, "attempt": {"count": 9}}
    assert asked({"delay": SECOND, "limit": limit}) == [0, 1]


def test_an_attempt_that_takes_too_long_is_tried_again() -> None:
    policy = {"limit": {"attempt": {"duration": {"seconds": 2}, "count": 2}}}
    service = Busy(0)
    with pytest.raises(TaskFault) as raised:
        service.run(retrying(policy, CALL, {"rest": {"wait": {"seconds": 9}}}))
    error = raised.value.error
    assert (error.type, error.status, error.instance) == (standard("timeout"), 408, "/do/0/t")
    assert service.seconds == [0, 2, 4]
    assert Busy(0).run(retrying(policy, CALL, {"rest": {"wait": SECOND}})) == "done"


def test_an_attempts_time_may_depend_on_the_error_before() -> None:
    duration = "${ if $error == null then {seconds: 1} else {seconds: 5} end }"
    policy = {"limit": {"attempt": {"duration": duration, "count": 3}}}
    service = Busy(0)
    assert service.run(retrying(policy, CALL, {"rest": {"wait": {"seconds": 3}}})) == "done"
    assert service.seconds == [0, 1]


@pytest.mark.parametrize(
    ("conditions", "attempts"),
    [
        ({"when": "$error.status == 503"}, 3),
        ({"when": "${ $error.status == 503 }"}, 3),
        ({"when": "$error.status == 500"}, 1),
        ({"exceptWhen": "$error.status == 503"}, 1),
        ({"exceptWhen": "$error.status == 500"}, 3),
        ({"when": "true", "exceptWhen": "true"}, 1),
        ({"when": "null"}, 1),
    ],
)
def test_a_condition_says_whether_it_is_tried_again(conditions: Json, attempts: int) -> None:
    assert len(asked(times(2, **conditions))) == attempts


def test_an_error_that_isnt_caught_isnt_tried_again() -> None:
    assert asked(times(2), catch={"errors": {"with": {"status": 500}}}) == [0]
    assert asked(times(2), catch={"when": "false"}) == [0]


def test_used_up_retries_go_to_the_tasks_that_handle_the_error() -> None:
    service = Busy(99)
    handle = {"do": [{"show": {"set": "${ [.id, $error.status] }"}}]}
    assert service.run(retrying(times(2), catch=handle), {"id": 7}) == [7, 503]
    assert len(service.seconds) == 3


def test_each_attempt_begins_with_the_tasks_input() -> None:
    service = Busy(2)
    grow: Json = {"grow": {"set": "${ . + 1 }"}}
    definition = retrying(times(5), grow, {"keep": {"set": ".", "export": {"as": "."}}}, CALL)
    definition["do"].append({"show": {"set": "${ $context }"}})
    assert service.run(definition, 1) == 2


@pytest.mark.parametrize(
    "policy",
    [
        {"delay": "${ .none }"},
        {"delay": "${ error }"},
        {"delay": SECOND, "jitter": {"from": "${ 1 }", "to": SECOND}},
        {"delay": SECOND, "jitter": {"from": SECOND, "to": "${ -1 }"}},
        {"limit": {"duration": "${ .none }"}},
        {"limit": {"attempt": {"duration": "${ .none }"}}},
        {"when": "error"},
        {"exceptWhen": "error"},
    ],
)
def test_a_policy_that_fails_faults_the_task_at_once(policy: Json) -> None:
    service = Busy(1)
    with pytest.raises(TaskFault) as raised:
        service.run(retrying(policy, catch={"do": [{"handled": {"set": "1"}}]}))
    assert raised.value.error.type == standard("expression")
    assert raised.value.error.instance == "/do/0/t"
    assert len(service.seconds) <= 1


def test_a_policy_may_be_named() -> None:
    policies = {"quick": times(2, delay=SECOND, when="$error.status == 503")}
    assert asked("quick", use={"retries": policies}) == [0, 1, 2]


@pytest.mark.parametrize(
    ("retry", "code", "pointer"),
    [
        (5, "wrong-type", ""),
        (None, "wrong-type", ""),
        ({"whenever": "."}, "unknown-property", "/whenever"),
        ({"when": 5}, "wrong-type", "/when"),
        ({"when": "|"}, "invalid-expression", "/when"),
        ({"exceptWhen": "$err"}, "unavailable-variable", "/exceptWhen"),
        ({"delay": "soon"}, "invalid-duration", "/delay"),
        ({"delay": 5}, "wrong-type", "/delay"),
        ({"backoff": {}}, "invalid-value", "/backoff"),
        ({"backoff": {"linear": {}, "constant": {}}}, "invalid-value", "/backoff"),
        ({"backoff": "linear"}, "wrong-type", "/backoff"),
        ({"backoff": {"linear": None}}, "wrong-type", "/backoff/linear"),
        ({"backoff": {"random": {}}}, "unknown-property", "/backoff/random"),
        ({"backoff": {"linear": {"by": 1}}}, "ignored-property", "/backoff/linear"),
        ({"limit": 5}, "wrong-type", "/limit"),
        ({"limit": {"count": 5}}, "unknown-property", "/limit/count"),
        ({"limit": {"duration": "5s"}}, "invalid-duration", "/limit/duration"),
        ({"limit": {"attempt": 5}}, "wrong-type", "/limit/attempt"),
        ({"limit": {"attempt": {"count": "5"}}}, "wrong-type", "/limit/attempt/count"),
        ({"limit": {"attempt": {"count": -1}}}, "unusable-value", "/limit/attempt/count"),
        ({"limit": {"attempt": {"count": 1.5}}}, "wrong-type", "/limit/attempt/count"),
        ({"limit": {"attempt": {"duration": {"secs": 1}}}}, "unknown-property",
         "/limit/attempt/duration/secs"),
        ({"jitter": {}}, "missing-property", "/jitter"),
        ({"jitter": {"from": SECOND}}, "missing-property", "/jitter"),
        ({"jitter": {"from": SECOND, "to": "x"}}, "invalid-duration", "/jitter/to"),
        ({"jitter": "PT1S"}, "wrong-type", "/jitter"),
    ],
)  # fmt: skip
def test_what_is_no_policy(retry: Any, code: str, pointer: str) -> None:
    assert (code, f"/do/0/t/catch/retry{pointer}") in faults(retrying(retry))
