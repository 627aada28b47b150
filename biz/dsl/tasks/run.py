"""DSL reference, "Run": which kind of process a run task runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from biz.dsl.calls.process_call import ProcessOutput
from biz.dsl.model import Task
from biz.dsl.reading.reader import Node
from biz.dsl.tasks.run_container import ContainerTask
from biz.dsl.tasks.run_script import ScriptTask
from biz.dsl.tasks.run_shell import ShellTask
from biz.dsl.tasks.run_workflow import RunWorkflowTask

if TYPE_CHECKING:
    from biz.dsl.parser import TaskSource

REQUIRED = ("run",)
OPTIONAL = ()

_KINDS: Mapping[str, Callable[[TaskSource, Node, Mapping[str, Any]], Task]] = {
    "container": ContainerTask.parse,
    "script": ScriptTask.parse,
    "shell": ShellTask.parse,
    "workflow": RunWorkflowTask.parse,
}


def is_performed(definition: Mapping[str, Any]) -> bool:
    """Whether an activity runs it, so that its expressions may read secrets."""
    run = definition["run"]
    return isinstance(run, dict) and "workflow" not in run


def parse(source: TaskSource) -> Task | None:
    """The run task of the kind that it names, None where it doesn't name exactly one."""
    node = source.fields["run"]
    fields = node.object(optional=("await", "return", *_KINDS))
    options = {
        "awaited": fields["await"].boolean() if "await" in fields else True,
        "process_output": (
            ProcessOutput(fields["return"].choice(*ProcessOutput))
            if "return" in fields
            else ProcessOutput.STDOUT
        ),
    }
    found = [name for name in _KINDS if name in fields]
    if len(found) != 1:
        if isinstance(node.value, dict):
            node.error("invalid-value", f"must have one of {', '.join(_KINDS)}")
        return None
    return _KINDS[found[0]](source, fields[found[0]], options)
