"""Executions that take up where others ended: nothing that was done is done again."""

import json
import re
import uuid
from typing import Any

import pytest

from biz.dsl.lifecycle import LifecycleType
from biz.errors import ExecutionNotEnded, ExecutionRetried, RetryImpossible
from biz.executions.execution import Execution, ExecutionQuery, ExecutionStatus, StartRequest
from biz.executions.retry import RetryRequest
from biz.paging import PageRequest
from biz.pictures.picture import PictureFormat
from tests.fixtures.http_service import HttpService
from tests.fixtures.run_service import Service, definition, until
from tests.patience import PATIENCE

NAMESPACE = "test"
SET = {"set": {"x": 1}}


class Calls:
    """Tasks that call the service, and what it was sent."""

    def __init__(self, service: HttpService) -> None:
        self._service = service

    def post(self, body: Any) -> dict[str, Any]:
        return self._call("post", "/echo", body=body)

    def flaky(self, failures: int = 1) -> dict[str, Any]:
        return self._call("get", f"/flaky/{failures}")

    def sent(self) -> list[Any]:
        """The bodies, in any order of their own."""
        return sorted((json.loads(body) for _, body in self._service.bodies), key=str)

    def _call(self, method: str, path: str, **more: Any) -> dict[str, Any]:
        arguments = {"method": method, "endpoint": self._service.url + path, **more}
        return {"call": "http", "with": arguments}


@pytest.fixture
def calls(http_service: HttpService) -> Calls:
    return Calls(http_service)


async def retry(service: Service, id: str, **more: Any) -> Execution:
    """The execution that takes up, at its end."""
    taken_up = await service.retries.retry(RetryRequest(id=id, **more))
    return await until(
        lambda: service.executions.get(taken_up.id), lambda found: found.status.is_end
    )


async def paths(service: Service, id: str) -> dict[LifecycleType, list[str]]:
    """The tasks of a history by the types of their events."""
    page = await service.history.list(PageRequest(size=1000), execution_id=id, after_sequence=0)
    return {type: [e.task for e in page.items if e.type is type] for type in LifecycleType}


async def test_a_fault_in_a_loop_in_a_branch_is_taken_up(service: Service, calls: Calls) -> None:
    loop = {
        "for": {"in": "${ [1, 2, 3, 4] }", "each": "n"},
        "do": [
            {"post": calls.post("${ {n: $n} }")},
            {"fragile": {"if": "${ $n == 3 }", **calls.flaky()}},
            {"note": {"set": {"n": "${ $n }"}}},
        ],
    }
    faulted = await service.run(
        [
            {"first": {**calls.post({"first": 1}), "export": {"as": "${ {seen: .first} }"}}},
            {"all": {"fork": {"branches": [{"loop": loop}, {"b": calls.post({"branch": 1})}]}}},
            {"last": {"set": {"all": "${ . }", "seen": "${ $context.seen }"}}},
        ]
    )
    assert faulted.status is ExecutionStatus.FAULTED

    taken_up = await retry(service, faulted.id)

    assert taken_up.status is ExecutionStatus.COMPLETED
    assert taken_up.output["all"][0] == {"n": 4}
    assert calls.sent() == sorted(
        [{"first": 1}, {"branch": 1}, {"n": 1}, {"n": 2}, {"n": 3}, {"n": 4}], key=str
    )
    assert taken_up.retry_of == faulted.id
    assert (await service.executions.get(faulted.id)).retried_by == taken_up.id
    started = (await paths(service, taken_up.id))[LifecycleType.TASK_STARTED]
    assert "/do/1/all/fork/branches/0/loop/for/2/do/1/fragile" in started
    assert not any("/for/1/" in path or "first" in path for path in started)


async def test_any_task_can_be_taken_up_with_other_data(service: Service, calls: Calls) -> None:
    done = await service.run(
        [
            {"a": calls.post("${ {a: .n} }")},
            {"b": calls.post({"b": 1})},
            {"c": {"set": {"x": "${ .n }"}}},
        ],
        {"n": 1},
    )
    with pytest.raises(RetryImpossible):
        await service.retries.retry(RetryRequest(id=done.id))

    taken_up = await retry(service, done.id, from_task="/do/2/c", input={"n": 7})

    assert taken_up.output == {"x": 7}
    assert calls.sent() == [{"a": 1}, {"b": 1}]


async def test_the_newest_definition_can_take_up(service: Service, calls: Calls) -> None:
    name = json.loads(definition([]))["document"]["name"]

    def version(number: int, *tasks: Any) -> str:
        document = {"dsl": "1.0.0", "namespace": "test", "name": name, "version": f"{number}.0.0"}
        return json.dumps({"document": document, "do": tasks})

    await service.templates.create(
        config=version(1, {"a": calls.post({"a": 1})}, {"b": calls.flaky(9)})
    )
    started = await service.executions.start(StartRequest(namespace="test", template_name=name))
    faulted = await service.executions.get(started.id, wait=PATIENCE)
    repaired = version(
        2, {"new": {"set": {"x": 1}}}, {"a": calls.post({"a": 2})}, {"b": calls.post({"b": 2})}
    )
    await service.templates.create(config=repaired)

    taken_up = await retry(service, faulted.id, latest_template=True)

    assert (taken_up.status, taken_up.template_version) == (ExecutionStatus.COMPLETED, "2.0.0")
    assert calls.sent() == [{"a": 1}, {"b": 2}]


async def test_what_happened_to_the_output_alone_repeats_nothing(
    service: Service, calls: Calls
) -> None:
    faulted = await service.run([{"a": calls.post({"a": 1})}], output={"as": '${ error("no") }'})

    again = await retry(service, faulted.id)

    assert again.status is ExecutionStatus.FAULTED
    assert calls.sent() == [{"a": 1}]


async def test_a_cancelled_run_goes_on_with_what_it_waited_for(
    service: Service, calls: Calls
) -> None:
    started = await service.start([{"a": calls.post({"a": 1})}, {"w": {"wait": {"seconds": 3}}}])
    await until(lambda: service.executions.get(started.id), lambda e: "/do/1/w" in e.current_tasks)
    with pytest.raises(ExecutionNotEnded):
        await service.retries.retry(RetryRequest(id=started.id))
    await service.temporal.get_workflow_handle(started.id).cancel()
    await until(lambda: service.executions.get(started.id), lambda e: e.status.is_end)

    taken_up = await retry(service, started.id)

    assert taken_up.status is ExecutionStatus.COMPLETED
    assert calls.sent() == [{"a": 1}]


async def test_an_execution_is_taken_up_once(service: Service, calls: Calls) -> None:
    faulted = await service.run([{"a": calls.flaky(9)}])
    request = RetryRequest(id=faulted.id, request_id="once")

    taken_up = await service.retries.retry(request)

    assert (await service.retries.retry(request)).id == taken_up.id
    with pytest.raises(ExecutionRetried) as refused:
        await service.retries.retry(RetryRequest(id=faulted.id))
    assert refused.value.metadata["retried_by"] == taken_up.id


async def test_a_retry_listens_for_what_the_run_before_had_not_consumed(
    service: Service, calls: Calls
) -> None:
    hear = {"listen": {"to": {"one": {"with": {"type": "heard"}}}}}
    started = await service.start([{"one": hear}, {"f": calls.flaky(1)}, {"two": hear}])
    for number in ("1", "2"):
        event = {"specversion": "1.0", "id": number, "source": "/x", "type": "heard"}
        await service.events.publish({**event, "data": {"n": number}}, namespace="test")
    faulted = await until(lambda: service.executions.get(started.id), lambda e: e.status.is_end)
    assert faulted.status is ExecutionStatus.FAULTED

    assert (await retry(service, started.id)).output == [{"n": "2"}]


async def test_what_a_completed_run_has_consumed_is_not_heard_again(service: Service) -> None:
    hear = {"listen": {"to": {"one": {"with": {"type": "heard"}}}}}
    started = await service.start([{"one": hear}, {"two": hear}])
    for number in ("1", "2"):
        event = {"specversion": "1.0", "id": number, "source": "/x", "type": "heard"}
        await service.events.publish({**event, "data": {"n": number}}, namespace="test")
    done = await until(lambda: service.executions.get(started.id), lambda e: e.status.is_end)
    assert done.status is ExecutionStatus.COMPLETED
    third = {"specversion": "1.0", "id": "3", "source": "/x", "type": "heard", "data": {"n": "3"}}
    await service.events.publish(third, namespace="test")

    assert (await retry(service, done.id, from_task="/do/1/two")).output == [{"n": "3"}]


async def test_a_terminated_run_goes_on_where_it_was(service: Service, calls: Calls) -> None:
    branches = [{"w": {"wait": {"seconds": 3}}}, {"b": {"do": [{"p": calls.post({"b": 1})}]}}]
    all = {"fork": {"branches": branches}}
    started = await service.start([{"a": calls.post({"a": 1})}, {"all": all}])
    branch = "/do/1/all/fork/branches/1/b"
    completed: list[str] = []
    while branch not in completed:
        completed = (await paths(service, started.id))[LifecycleType.TASK_COMPLETED]
    await service.control.terminate(started.id, reason="enough")

    taken_up = await retry(service, started.id)

    assert taken_up.status is ExecutionStatus.COMPLETED
    assert calls.sent() == [{"a": 1}, {"b": 1}]


async def store(service: Service, tasks: list[Any], name: str = "", version: str = "1.0.0") -> Any:
    """A template that others can run; the value of `run` that does."""
    name = name or f"child-{uuid.uuid4()}"
    document = {"dsl": "1.0.0", "namespace": NAMESPACE, "name": name, "version": version}
    await service.templates.create(config=json.dumps({"document": document, "do": tasks}))
    return {"run": {"workflow": {"namespace": NAMESPACE, "name": name, "version": "latest"}}}


async def child_of(service: Service, id: str) -> Execution:
    """The first one that an execution has run."""
    page = await service.executions.list(
        PageRequest(order_by="created_at"), query=ExecutionQuery(parent_id=id)
    )
    return page.items[0]


async def test_what_a_workflow_did_that_a_run_has_run_is_not_done_again(
    service: Service, calls: Calls
) -> None:
    inner = await store(service, [{"c": calls.post({"c": 1})}, {"f": calls.flaky(2)}])
    middle = await store(service, [{"b": calls.post({"b": 1})}, {"run": inner}])
    done = await store(service, [{"d": calls.post({"d": 1})}])
    loop = {"for": {"in": "${ [1, 2] }"}, "do": [{"middle": middle}]}
    faulted = await service.run([{"a": calls.post({"a": 1})}, {"loop": loop}, {"done": done}])
    assert faulted.status is ExecutionStatus.FAULTED

    again = await retry(service, faulted.id)
    assert again.status is ExecutionStatus.FAULTED
    taken_up = await retry(service, again.id)

    assert taken_up.status is ExecutionStatus.COMPLETED
    twice = [{"b": 1}, {"b": 1}, {"c": 1}, {"c": 1}]
    assert calls.sent() == [{"a": 1}, *twice, {"d": 1}]
    first, second, third = [await child_of(service, run.id) for run in (faulted, again, taken_up)]
    assert (first.retried_by, second.retry_of) == (second.id, first.id)
    assert (second.retried_by, third.retry_of) == (third.id, second.id)
    assert third.status is ExecutionStatus.COMPLETED


async def test_a_workflow_that_was_terminated_with_its_run_goes_on(
    service: Service, calls: Calls
) -> None:
    child = await store(service, [{"b": calls.post({"b": 1})}, {"w": {"wait": {"seconds": 2}}}])
    started = await service.start([{"a": calls.post({"a": 1})}, {"run": child}])
    await until(lambda: service.executions.get(started.id), lambda e: e.started_at is not None)
    await until(
        lambda: service.executions.list(
            PageRequest(), query=ExecutionQuery(parent_id=started.id, full=True)
        ),
        lambda page: any("/do/1/w" in child.current_tasks for child in page.items),
    )
    await service.control.terminate(started.id, reason="enough")

    taken_up = await retry(service, started.id)

    assert taken_up.status is ExecutionStatus.COMPLETED
    assert calls.sent() == [{"a": 1}, {"b": 1}]


async def test_a_workflow_that_was_retried_by_itself_is_not_run_again(
    service: Service, calls: Calls
) -> None:
    child = await store(service, [{"b": calls.post({"b": 1})}, {"f": calls.flaky()}])
    faulted = await service.run([{"run": child}, {"s": {"set": {"got": "${ . }"}}}])
    alone = await retry(service, (await child_of(service, faulted.id)).id)

    taken_up = await retry(service, faulted.id)

    assert taken_up.output == {"got": alone.output}
    assert calls.sent() == [{"b": 1}]
    children = ExecutionQuery(parent_id=taken_up.id)
    assert not (await service.executions.list(PageRequest(), query=children)).items


async def test_a_repaired_workflow_takes_up_with_the_newest_definition_alone(
    service: Service, calls: Calls
) -> None:
    name = f"repaired-{uuid.uuid4()}"
    child = await store(service, [{"b": calls.post({"b": 1})}, {"f": calls.flaky(9)}], name)
    faulted = await service.run([{"run": child}])
    await store(
        service,
        [{"new": {"set": {"x": 1}}}, {"b": calls.post({"b": 2})}, {"f": calls.post({"f": 1})}],
        name,
        "2.0.0",
    )

    again = await retry(service, faulted.id)
    assert again.status is ExecutionStatus.FAULTED
    taken_up = await retry(service, again.id, latest_template=True)

    assert taken_up.status is ExecutionStatus.COMPLETED
    assert calls.sent() == [{"b": 1}, {"f": 1}]


async def test_a_workflow_whose_checkpoint_is_gone_is_not_begun_anew_by_itself(
    service: Service, calls: Calls
) -> None:
    child = await store(service, [{"b": calls.post({"b": 1})}, {"f": calls.flaky()}])
    faulted = await service.run([{"run": child}])
    lost = await child_of(service, faulted.id)
    await service.removal.delete(lost.id)

    again = await retry(service, faulted.id)
    assert again.error is not None
    assert "can't be taken up" in str(again.error.detail)
    assert calls.sent() == [{"b": 1}]
    anew = await retry(service, again.id, from_task="/do/0/run")

    assert anew.status is ExecutionStatus.COMPLETED
    assert calls.sent() == [{"b": 1}, {"b": 1}]


async def test_an_output_that_faulted_is_made_without_another_call(
    service: Service, calls: Calls
) -> None:
    name = f"output-{uuid.uuid4()}"
    broken = {**calls.post({"b": 1}), "output": {"as": '${ error("no") }'}}
    await store(service, [{"all": {"do": [{"b": broken}]}}], name)
    started = await service.executions.start(StartRequest(namespace=NAMESPACE, template_name=name))
    faulted = await service.executions.get(started.id, wait=PATIENCE)
    assert faulted.status is ExecutionStatus.FAULTED
    repaired = {**broken, "output": {"as": "${ {got: .body} }"}}
    await store(service, [{"all": {"do": [{"b": repaired}]}}], name, "2.0.0")

    taken_up = await retry(service, faulted.id, latest_template=True)

    assert json.loads(taken_up.output["got"]) == {"b": 1}
    assert calls.sent() == [{"b": 1}]


async def test_events_for_the_run_before_alone_are_for_the_one_that_takes_up(
    service: Service, calls: Calls
) -> None:
    hear = {"listen": {"to": {"one": {"with": {"type": "heard"}}}}}
    started = await service.start([{"one": hear}, {"f": calls.flaky(2)}, {"two": hear}])
    for number in ("1", "2"):
        event = {"specversion": "1.0", "id": number, "source": "/x", "type": "heard"}
        await service.events.signal(started.id, {**event, "data": {"n": number}})
    faulted = await until(lambda: service.executions.get(started.id), lambda e: e.status.is_end)
    assert faulted.status is ExecutionStatus.FAULTED

    again = await retry(service, started.id)
    assert again.status is ExecutionStatus.FAULTED
    assert (await retry(service, again.id)).output == [{"n": "2"}]


async def test_a_picture_shows_what_runs_before_have_done(service: Service, calls: Calls) -> None:
    loop = {"for": {"in": "${ [1, 2] }"}, "do": [{"f": calls.flaky(2)}, {"s": SET}]}
    faulted = await service.run([{"a": calls.post({"a": 1})}, {"loop": loop}, {"end": SET}])
    again = await retry(service, faulted.id)
    done = await retry(service, again.id)
    anew = await retry(service, done.id, from_task="/do/2/end")

    async def states(execution: Execution) -> list[str]:
        drawn = await service.pictures.of_execution(execution.id, PictureFormat.MERMAID)
        return re.findall(r":::(\w+)", drawn)

    assert await states(again) == ["kept", "faulted", "faulted"]
    assert await states(done) == ["kept", "completed", "completed", "completed", "completed"]
    assert await states(anew) == ["kept", "kept", "kept", "kept", "completed"]
