"""Walks a workflow: the data flow, the order of tasks, and nothing else.

DSL, "Data Flow" and "Task Flow". What a task does is in `biz.dsl.tasks`; what it asks of the
world goes through `biz.dsl.world`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from copy import copy
from typing import Any

from biz.dsl.arguments import TaskArguments, WorkflowArguments
from biz.dsl.branches import IF_FAILS, IF_HOLDS
from biz.dsl.checkpoint import AT, CONTEXT, DATA, DONE, INPUT, RESULT, Checkpoint
from biz.dsl.concurrency import gather
from biz.dsl.depth import is_deeper
from biz.dsl.durations import InvalidDuration, resolve_duration, shown_duration
from biz.dsl.errors import TaskFault, WorkflowError
from biz.dsl.expressions import EvaluationError
from biz.dsl.extensions import execute_extended
from biz.dsl.external.external_functions import load_function
from biz.dsl.external.external_schemas import ExternalSchema
from biz.dsl.frame import Frame, Outcome
from biz.dsl.lifecycle import ABSENT
from biz.dsl.model import Evaluable, Task, TaskList, Transformation, Workflow
from biz.dsl.reading.pointers import child
from biz.dsl.run_control import RunControl
from biz.dsl.runtime import Runtime
from biz.dsl.schemas import Schema
from biz.dsl.world import OutOfTime, World

MAX_OUTPUT_DEPTH = 32
MAX_OUTPUT_BYTES = 1024 * 1024
MAX_FUNCTION_DEPTH = 50
"""So many functions may call each other; a recursion without an end faults."""


class Interpreter:
    """One run of one workflow."""

    def __init__(
        self,
        workflow: Workflow,
        runtime: Runtime,
        control: RunControl | None = None,
        *,
        checkpoint: Checkpoint | None = None,
    ) -> None:
        """`control` holds the run, if there is one; `checkpoint` is where it takes up, if any."""
        self._workflow = workflow
        self._checkpoint = checkpoint if checkpoint and checkpoint.notes else None
        self._faulted = ""
        self._world = World(
            runtime,
            workflow.document,
            control=control or RunControl(),
            secrets=workflow.secrets,
            checkpoint=checkpoint,
        )
        self._arguments = self._workflow_arguments(None)
        self._extensions = workflow.extensions
        self._function_depth = 0

    async def run(self, input: Any) -> Any:
        """The workflow's output on a JSON value; raises TaskFault where it faults."""
        self._arguments = self._workflow_arguments(input)
        with self._world.chronicle.workflow(input) as told, self._world.controlled():
            try:
                told.output = output = await self._in_time(input)
            except TaskFault as fault:
                self._faulted = fault.path
                raise
            return output

    def checkpoint(self) -> Checkpoint:
        """Where the run stands; once it has faulted or was cancelled, where it did then."""
        return self._world.checkpoint(self._arguments.context, self._faulted)

    def remains(self) -> Checkpoint:
        """What another run must know of one that has completed: the events it has consumed."""
        return Checkpoint(consumed=self._world.consumed)

    async def _in_time(self, input: Any) -> Any:
        if self._workflow.timeout is None:
            return await self._run(input)
        try:
            duration = await resolve_duration(
                self._workflow.timeout, lambda value: self._evaluate(value, input, "/timeout")
            )
        except InvalidDuration as error:
            raise _fault("expression", f"the duration {error}", "/timeout") from None
        try:
            return await self._world.limit(duration, self._run(input))
        except OutOfTime:
            detail = f"the workflow took longer than {shown_duration(duration)}"
            raise _fault("timeout", detail, "/timeout") from None

    async def _run(self, input: Any) -> Any:
        if self._checkpoint is None:
            await self._require_valid(self._workflow.input.schema, input, "input")
            data = await self._transform(self._workflow.input, input, "/input/from")
            self._set_context(data)
        else:  # each task has its data from the checkpoint
            data = input
            self._set_context(self._checkpoint.context)
        result = self._world.notes.take("", RESULT, ABSENT)
        if result is ABSENT:
            result = (await self.run_list(self._workflow.do, data, "/do", {})).output
        self._world.notes.put("", RESULT, result)
        output = await self._transform(self._workflow.output, result, "/output/as")
        await self._require_valid(self._workflow.output.schema, output, "output")
        _require_storable(output)
        return output

    async def run_list(
        self, tasks: TaskList, data: Any, path: str, local: Mapping[str, Any]
    ) -> Outcome:
        """See Walk."""
        if not tasks.tasks:
            await self._world.breathe()  # as each task does: a loop over none may be long too
        under_way = self._world.notes.take(path, AT)
        place = tasks.places.get(under_way, 0)
        while place < len(tasks.tasks):
            task = tasks.tasks[place]
            self._world.notes.put(path, AT, task.name)
            outcome = await self.run_task(task, data, child(f"{path}/{place}", task.name), local)
            data = outcome.output
            if outcome.ended or outcome.then == "end":
                return Outcome(data, ended=True)
            if outcome.then == "exit":
                self._world.notes.drop(path, AT)
                return Outcome(data, exited=True)
            place = place + 1 if outcome.then == "continue" else tasks.places[outcome.then or ""]
        self._world.notes.drop(path, AT)
        return Outcome(data)

    async def run_task(self, task: Task, data: Any, path: str, local: Mapping[str, Any]) -> Outcome:
        """See Walk; within the task's timeout, where it has one."""
        await self._world.breathe()
        notes = self._world.notes
        data = notes.take(path, DATA, data)
        under_way = notes.take(path, INPUT, ABSENT)
        context = notes.take(path, CONTEXT, ABSENT)
        if context is not ABSENT:
            self._set_context(context)
        notes.put(path, DATA, data)
        await self._world.passed()
        arguments = TaskArguments(
            around=self._arguments,
            task=task,
            raw_input=data,
            started_at=self._world.now(),
            local=local,
        )
        frame = Frame(task, data, arguments, local, path, self, self._world)
        if under_way is ABSENT and task.condition is not None:
            holds = await frame.holds(task.condition)
            self._world.reach(task.branch(IF_HOLDS if holds else IF_FAILS))
            if not holds:
                notes.drop(path, DATA)
                return Outcome(data, then="continue", skipped=True)
        with self._world.chronicle.task(path, data) as told:
            outcome = await self._do_in_time(frame, arguments, under_way)
            told.output = outcome.output
        if not outcome.ended:
            notes.drop(path, DATA, INPUT, DONE)
        return outcome

    async def _do_in_time(self, frame: Frame, arguments: TaskArguments, under_way: Any) -> Outcome:
        if frame.task.timeout is None:
            return await self._do(frame, arguments, under_way)
        duration = await frame.duration(frame.task.timeout)
        try:
            return await self._world.limit(duration, self._do(frame, arguments, under_way))
        except OutOfTime:
            detail = f"the task took longer than {shown_duration(duration)}"
            raise frame.fault("timeout", detail) from None

    async def run_function(self, function: Task, data: Any, path: str) -> Outcome:
        """See Walk."""
        if self._function_depth == MAX_FUNCTION_DEPTH:
            detail = f"more than {MAX_FUNCTION_DEPTH} functions call each other"
            raise TaskFault(WorkflowError.standard("runtime", detail))
        inner = copy(self)
        inner._function_depth += 1
        # In a task of asyncio's own: the stack is as deep as one function, not as all of them.
        outcomes = await gather([inner.run_task(function, data, path, {})])
        return outcomes[0]

    def load_function(self, document: Any, name: str, pointer: str) -> Task:
        """See Walk."""
        return load_function(document, name, pointer)

    def without_extensions(self) -> Interpreter:
        """See Walk."""
        inner = copy(self)
        inner._extensions = ()
        return inner

    async def _do(self, frame: Frame, arguments: TaskArguments, under_way: Any) -> Outcome:
        """One task in the order of the standard's data flow, steps 3 to 9; `frame` is raw yet.

        `under_way` is what the task has worked on already, where a run takes up in the middle.
        """
        task, data = frame.task, frame.input
        if under_way is not ABSENT:
            data = under_way
        else:
            await self._require_valid(task.input.schema, data, "input", frame)
            if task.input.value is not None:
                data = await frame.evaluate(task.input.value)
        if data is not frame.input:
            frame = Frame(task, data, arguments, frame.local, frame.path, frame.walk, frame.world)
        self._world.notes.put(frame.path, INPUT, data)
        arguments.input = data
        done = self._world.notes.take(frame.path, DONE)
        try:
            outcome = Outcome(*done) if done else await execute_extended(frame, self._extensions)
        except TaskFault as found:
            raise found.at(task.pointer) from None
        if outcome.ended:
            return outcome
        self._world.notes.put(frame.path, DONE, [outcome.output, outcome.then])
        arguments.raw_output = outcome.output
        output = arguments.output = await self.produce(frame, task.output, outcome.output)
        await self.export(frame, task.export, output)
        return Outcome(output, then=outcome.then or task.then)

    async def produce(self, frame: Frame, output: Transformation, data: Any) -> Any:
        """See Walk."""
        if output.value is not None:
            data = await frame.evaluate(output.value, data)
        await self._require_valid(output.schema, data, "output", frame)
        return data

    async def export(self, frame: Frame, export: Transformation, output: Any) -> None:
        """See Walk."""
        if export.value is not None:
            self._set_context(await frame.evaluate(export.value, output))
        await self._require_valid(export.schema, self._arguments.context, "context", frame)

    def _set_context(self, context: Any) -> None:
        self._arguments.context = self._world.chronicle.context = context

    async def _require_valid(
        self,
        schema: Schema | ExternalSchema | None,
        data: Any,
        what: str,
        frame: Frame | None = None,
    ) -> None:
        """Faults with a validation error where `data` breaks `schema`.

        `frame` is that of the task whose data it is; without one it is the workflow's.
        """
        if isinstance(schema, ExternalSchema):
            schema = await schema.load(frame or self._own_frame(data, f"/{what}"))
        if schema is None:
            return
        faults = schema.faults(data)
        if not faults:
            await self._world.charge(schema.cost(data))
            return
        detail = f"the {what} breaks its schema: " + "; ".join(
            f"{found.pointer or '/'} {found.message}" for found in faults
        )
        raise _fault("validation", detail, frame.task.pointer if frame else f"/{what}")

    def _own_frame(self, data: Any, pointer: str) -> Frame:
        """A frame for what the workflow itself needs of the world."""
        whole = _Whole(kind="", name="", pointer=pointer, definition={})
        return Frame(whole, data, self._arguments, {}, pointer, self, self._world)

    async def _transform(self, transformation: Transformation, data: Any, pointer: str) -> Any:
        if transformation.value is None:
            return data
        return await self._evaluate(transformation.value, data, pointer)

    async def _evaluate(self, evaluable: Evaluable, data: Any, pointer: str) -> Any:
        try:
            return await evaluable.evaluate(data, self._arguments)
        except EvaluationError as error:
            raise _fault("expression", str(error), pointer) from None

    def _workflow_arguments(self, raw_input: Any) -> WorkflowArguments:
        return WorkflowArguments(workflow=self._workflow, raw_input=raw_input, world=self._world)


class _Whole(Task):
    """Stands for the workflow where a task is asked for."""

    async def execute(self, frame: Frame) -> Outcome:
        """Its tasks are done by the interpreter."""
        raise AssertionError("the workflow as a whole is no task of a list")


def _fault(kind: str, detail: str, instance: str) -> TaskFault:
    return TaskFault(WorkflowError.standard(kind, detail, instance=instance))


def _require_storable(output: Any) -> None:
    """Faults where an output is deeper or larger than what the service can carry."""
    if is_deeper(output, MAX_OUTPUT_DEPTH):
        limit = f"{MAX_OUTPUT_DEPTH} levels deep"
    elif len(json.dumps(output)) > MAX_OUTPUT_BYTES:
        limit = f"{MAX_OUTPUT_BYTES} bytes long"
    else:
        return
    raise _fault("runtime", f"the workflow's output is more than {limit}", "/output")
