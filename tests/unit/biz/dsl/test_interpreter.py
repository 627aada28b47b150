import json
from datetime import timedelta
from typing import Any

import pytest

from biz.dsl.calls.call import Call
from biz.dsl.errors import TaskFault, WorkflowError
from biz.dsl.interpreter import MAX_OUTPUT_BYTES, MAX_OUTPUT_DEPTH, Interpreter
from biz.dsl.memory_runtime import MemoryRuntime
from biz.dsl.runtime import Progress
from biz.dsl.validator import load_workflow
from tests.fixtures.workflows import START, Json, fault_of, no_answer, output_of, standard, workflow


class BreathingRuntime(MemoryRuntime):
    """Notes what the interpreter told it."""

    def __init__(self) -> None:
        super().__init__(answer=lambda call: None, start=START)
        self.breaths = 0
        self.progress: list[Progress] = []

    async def breathe(self) -> None:
        self.breaths += 1

    async def sleep(self, duration: timedelta, progress: Progress) -> None:
        self.progress.append(progress)

    async def call(self, call: Call, progress: Progress) -> Any:
        self.progress.append(progress)


async def breathing(definition: Json, input: Any) -> BreathingRuntime:
    runtime = BreathingRuntime()
    await Interpreter(load_workflow(json.dumps(definition)), runtime).run(input)
    return runtime


def loop(*tasks: Json, **properties: Any) -> Json:
    return {"loop": {"for": {"in": "$workflow.input"}, "do": list(tasks), **properties}}


def branches(count: int, task: Json) -> Json:
    return {"all": {"fork": {"branches": [{f"b{i}": task} for i in range(count)]}}}


NOTHING: Json = {"nothing": {"do": []}}


@pytest.mark.parametrize(
    ("definition", "input", "breaths"),
    [
        (workflow(NOTHING), [], 0),
        (workflow(loop({"t": {"set": {"x": 1}}})), [0] * 100, 0),
        (workflow(loop({"t": {"set": {"x": 1}}})), [0] * 1000, 5),
        (workflow(branches(1000, {"set": {"x": 1}})), {}, 5),
        (workflow(loop()), [0] * 1000, 5),
        (workflow(loop({"w": {"wait": {"seconds": 1}}})), [0] * 1000, 0),
        (workflow({"t": {"set": {f"p{i}": "${ 1 }" for i in range(50)}}}), ["x" * 1_000_000], 12),
        (workflow(*({f"t{i}": {"set": "."}} for i in range(50))), ["x" * 1_000_000], 12),
        (
            workflow(
                *(
                    {f"t{i}": {"set": "1", "input": {"schema": {"document": True}}}}
                    for i in range(9)
                )
            ),
            ["x" * 1_000_000],
            2,
        ),
    ],
    ids=[
        "nothing",
        "few tasks",
        "many tasks",
        "branches",
        "empty loop",
        "waits",
        "large task",
        "large data",
        "schemas",
    ],
)
async def test_a_run_gives_way_after_an_amount_of_work(
    definition: Json, input: Any, breaths: int
) -> None:
    assert abs((await breathing(definition, input)).breaths - breaths) <= 1


async def test_a_run_gives_way_at_the_same_places_each_time() -> None:
    definition = workflow(loop({"t": {"set": "${ [$item, .] | length }"}}))
    assert len({(await breathing(definition, [0] * 777)).breaths for _ in range(3)}) == 1


async def test_the_runtime_is_told_the_task_with_its_iterations() -> None:
    call = {"c/d": {"call": "http", "with": {"method": "get", "endpoint": "http://x.test"}}}
    runtime = await breathing(workflow(loop({"w": {"wait": "PT1S"}}, call)), [0, 0])
    assert runtime.progress == [
        Progress(current_tasks=(f"/do/0/loop/for/{i}/do/{task}",), waiting=waiting)
        for i in (0, 1)
        for task, waiting in (("0/w", True), ("1/c~1d", False))
    ]


def nested(levels: int) -> Any:
    value: Any = "x"
    for _ in range(levels):
        value = [value]
    return value


async def test_an_output_may_be_so_deep() -> None:
    deep = nested(MAX_OUTPUT_DEPTH)
    assert await output_of(workflow(), deep) == deep
    error = await fault_of(workflow(), nested(MAX_OUTPUT_DEPTH + 1))
    assert (error.type, error.status, error.instance) == (standard("runtime"), 500, "/output")


async def test_an_output_may_be_so_large() -> None:
    large = "x" * (MAX_OUTPUT_BYTES - 2)
    assert await output_of(workflow(), large) == large
    error = await fault_of(workflow(), large + "x")
    assert (error.type, error.status, error.instance) == (standard("runtime"), 500, "/output")


async def test_data_within_a_run_may_be_deeper_than_its_output() -> None:
    definition = workflow({"deep": {"set": "${ [.] }", "output": {"as": ".[0] | length"}}})
    assert await output_of(definition, nested(100)) == 1


async def test_data_that_is_too_deep_faults_its_task() -> None:
    definition = workflow({"deep": {"set": "${ reduce .[] as $x (0; [.]) }"}}, {"t": {"set": "."}})
    error = await fault_of(definition, [0] * 5000)
    assert (error.type, error.instance) == (standard("expression"), "/do/1/t")


async def test_a_run_can_be_repeated() -> None:
    workflow_ = load_workflow(json.dumps(workflow({"t": {"set": "${ $context }"}})))
    interpreter = Interpreter(workflow_, MemoryRuntime(answer=no_answer, start=START))
    assert [await interpreter.run(i) for i in (1, 2)] == [1, 2]


def test_a_fault_keeps_the_place_that_it_has() -> None:
    error = WorkflowError.standard("timeout", "too late", instance="/do/0/a")
    fault = TaskFault(error)
    assert fault.at("/do/1/b") is fault
    placed = TaskFault(WorkflowError.standard("timeout", "too late")).at("/do/0/a")
    assert placed.error == error
    assert str(placed) == "too late"


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        *(("configuration", 400), ("validation", 400), ("expression", 400), ("timeout", 408)),
        *(("authentication", 401), ("authorization", 403), ("communication", 500)),
        ("runtime", 500),
    ],
)
def test_a_standard_error(kind: str, status: int) -> None:
    error = WorkflowError.standard(kind, "why")
    assert (error.type, error.status) == (standard(kind), status)
    assert WorkflowError.from_json(error.to_json()) == error
    assert error.to_json() == {
        "type": error.type, "status": status, "title": error.title, "detail": "why"
    }  # fmt: skip
    assert WorkflowError.standard(kind, "why", status=499).status == 499
