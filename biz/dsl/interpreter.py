"""Walks a workflow: the data flow, the order of tasks, and nothing else.

DSL, "Data Flow" and "Task Flow". What a task does is in `biz.dsl.tasks`; what it asks of the
world goes through the runtime.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import quote

from biz.dsl.arguments import Meter, TaskArguments, WorkflowArguments
from biz.dsl.depth import is_deeper
from biz.dsl.errors import TaskFault, WorkflowError
from biz.dsl.expressions import EvaluationError
from biz.dsl.frame import Frame, Outcome
from biz.dsl.model import Task, TaskList, Transformation, Workflow
from biz.dsl.pointers import child
from biz.dsl.runtime import HttpCall, Progress, Runtime
from biz.dsl.schemas import Schema

MAX_OUTPUT_DEPTH = 32
MAX_OUTPUT_BYTES = 1024 * 1024
_TASKS_IN_A_BREATH = 200
_CHARACTERS_IN_A_BREATH = 4_000_000


class Interpreter:
    """One run of one workflow."""

    def __init__(self, workflow: Workflow, runtime: Runtime) -> None:
        self._workflow = workflow
        self._runtime = runtime
        self._meter = Meter()
        self._tasks_since_breath = 0
        self._calls = 0
        self._run = runtime.describe()
        self._arguments = self._workflow_arguments(None)

    async def run(self, input: Any) -> Any:
        """The workflow's output on a JSON value; raises TaskFault where it faults."""
        self._arguments = self._workflow_arguments(input)
        self._require_valid(self._workflow.input.schema, input, "input")
        data = await self._transform(self._workflow.input, input, "/input/from")
        self._arguments.context = data
        outcome = await self.run_list(self._workflow.do, data, "/do", {})
        output = await self._transform(self._workflow.output, outcome.output, "/output/as")
        self._require_valid(self._workflow.output.schema, output, "output")
        _require_storable(output)
        return output

    async def run_list(
        self, tasks: TaskList, data: Any, path: str, local: Mapping[str, Any]
    ) -> Outcome:
        """Does tasks from the first one on, as their flow directives say."""
        if not tasks.tasks:
            await self._breathe()  # as each task does: a loop over none may be long too
        place = 0
        while place < len(tasks.tasks):
            task = tasks.tasks[place]
            outcome = await self._do(task, data, child(f"{path}/{place}", task.name), local)
            data = outcome.output
            if outcome.ended or outcome.then == "end":
                return Outcome(data, ended=True)
            if outcome.then == "exit":
                break
            place = place + 1 if outcome.then == "continue" else tasks.places[outcome.then or ""]
        return Outcome(data)

    async def _do(self, task: Task, data: Any, path: str, local: Mapping[str, Any]) -> Outcome:
        """One task in the order of the standard's data flow, steps 3 to 9."""
        await self._breathe()
        arguments = TaskArguments(
            around=self._arguments,
            task=task,
            raw_input=data,
            started_at=self._runtime.now(),
            local=local,
        )
        frame = Frame(task, data, arguments, local, path, self)
        if task.condition is not None and not await frame.holds(task.condition):
            return Outcome(data, then="continue")
        self._require_valid(task.input.schema, data, "input", task)
        if task.input.value is not None:
            data = await frame.evaluate(task.input.value)
            frame = Frame(task, data, arguments, local, path, self)
        arguments.input = data
        try:
            outcome = await task.execute(frame)
        except TaskFault as found:
            raise found.at(task.pointer) from None
        if outcome.ended:
            return outcome
        output = arguments.raw_output = outcome.output
        if task.output.value is not None:
            output = await frame.evaluate(task.output.value, output)
        self._require_valid(task.output.schema, output, "output", task)
        arguments.output = output
        if task.export.value is not None:
            self._arguments.context = await frame.evaluate(task.export.value, output)
        self._require_valid(task.export.schema, self._arguments.context, "context", task)
        return Outcome(output, then=outcome.then or task.then)

    def _require_valid(
        self, schema: Schema | None, data: Any, what: str, task: Task | None = None
    ) -> None:
        """Faults with a validation error where `data` breaks `schema`."""
        if schema is None:
            return
        faults = schema.faults(data)
        if not faults:
            self._meter.charge(schema.cost(data))
            return
        detail = f"the {what} breaks its schema: " + "; ".join(
            f"{found.pointer or '/'} {found.message}" for found in faults
        )
        instance = f"/{what}" if task is None else task.pointer
        raise TaskFault(WorkflowError.standard("validation", detail, instance=instance))

    async def _transform(self, transformation: Transformation, data: Any, pointer: str) -> Any:
        if transformation.value is None:
            return data
        try:
            return await transformation.value.evaluate(data, self._arguments)
        except EvaluationError as error:
            raise TaskFault(
                WorkflowError.standard("expression", str(error), instance=pointer)
            ) from None

    def _workflow_arguments(self, raw_input: Any) -> WorkflowArguments:
        return WorkflowArguments(
            workflow=self._workflow,
            run=self._run,
            raw_input=raw_input,
            meter=self._meter,
            evaluate=self._evaluate,
        )

    async def _evaluate(self, program: str, data: str) -> Any:
        """Has the runtime evaluate, which gives way too."""
        self._rest()
        return await self._runtime.evaluate(program, data)

    async def _breathe(self) -> None:
        """Gives way after a fixed amount of work, never by a clock: a replay does the same."""
        self._tasks_since_breath += 1
        if (
            self._tasks_since_breath >= _TASKS_IN_A_BREATH
            or self._meter.size >= _CHARACTERS_IN_A_BREATH
        ):
            self._rest()
            await self._runtime.breathe()

    def _rest(self) -> None:
        self._tasks_since_breath = self._meter.size = 0

    async def sleep(self, duration: timedelta, path: str) -> None:
        """See World."""
        self._rest()
        await self._runtime.sleep(duration, Progress(current_tasks=(path,), waiting=True))

    async def call_http(self, call: HttpCall, path: str) -> Any:
        """See World."""
        self._rest()
        return await self._runtime.call_http(call, Progress(current_tasks=(path,), waiting=False))

    def next_call_key(self, path: str) -> str:
        """See World."""
        self._calls += 1
        return f"{self._run.id}:{quote(path)}:{self._calls}"


def _require_storable(output: Any) -> None:
    """Faults where an output is deeper or larger than what the service can carry."""
    if is_deeper(output, MAX_OUTPUT_DEPTH):
        limit = f"{MAX_OUTPUT_DEPTH} levels deep"
    elif len(json.dumps(output)) > MAX_OUTPUT_BYTES:
        limit = f"{MAX_OUTPUT_BYTES} bytes long"
    else:
        return
    detail = f"the workflow's output is more than {limit}"
    raise TaskFault(WorkflowError.standard("runtime", detail, instance="/output"))
