"""DSL reference, "Workflow Process"."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from biz.dsl.calls.child_call import ChildCall
from biz.dsl.calls.process_call import ProcessOutput
from biz.dsl.expressions import is_evaluated
from biz.dsl.frame import Outcome
from biz.dsl.model import Evaluable, Task
from biz.dsl.reading.reader import Node
from biz.dsl.values import Literal, read_expression, read_value

if TYPE_CHECKING:
    from biz.dsl.frame import Frame
    from biz.dsl.parser import TaskSource

_OF_PROCESSES = (ProcessOutput.STDERR, ProcessOutput.CODE, ProcessOutput.ALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunWorkflowTask(Task):
    """Runs a stored workflow as a run of its own.

    Its output is that run's, null where `process_output` is none. One that isn't `awaited` is only
    started; the output is the input then.
    """

    namespace: Evaluable
    workflow: Evaluable
    version: Evaluable
    child_input: Evaluable
    process_output: ProcessOutput
    awaited: bool

    @classmethod
    def parse(cls, source: TaskSource, node: Node, options: Mapping[str, Any]) -> RunWorkflowTask:
        """Reads the value of `workflow`; `options` are the properties beside it."""
        variables = source.variables
        fields = node.object(required=("namespace", "name", "version"), optional=("input",))
        if options["process_output"] in _OF_PROCESSES:
            node.warning("ignored-property", "a workflow has only its output to return, or none")
        return cls(
            namespace=_read_name(fields["namespace"], variables),
            workflow=_read_name(fields["name"], variables),
            version=_read_name(fields["version"], variables),
            child_input=_read_input(fields.get("input"), variables),
            **options,
            **source.common,
        )

    async def execute(self, frame: Frame) -> Outcome:
        """Evaluates which workflow it is and its input, and has it run."""
        call = ChildCall(
            namespace=await frame.evaluate(self.namespace),
            name=await frame.evaluate(self.workflow),
            version=await frame.evaluate(self.version),
            input=await frame.evaluate(self.child_input),
            awaited=self.awaited,
            idempotency_key=frame.world.next_call_key(frame.path),
        )
        output = await frame.world.run_workflow(call, frame.path)
        if not self.awaited:
            return Outcome(frame.input)
        return Outcome(None if self.process_output is ProcessOutput.NONE else output)


def _read_name(node: Node, variables: frozenset[str]) -> Evaluable:
    if node.string() == "" and node.is_string:
        node.error("empty", "must not be empty")
    return read_value(node, variables)


def _read_input(node: Node | None, variables: frozenset[str]) -> Evaluable:
    """An object, or an expression that gives any value."""
    if node is None:
        return Literal({})
    if isinstance(node.value, str) and is_evaluated(node.value):
        return read_expression(node, variables)
    node.mapping()
    return read_value(node, variables)
