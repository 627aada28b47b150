"""How a run ended, in the same words for both runtimes."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from biz.dsl.errors import TaskFault
from biz.dsl.lifecycle import LifecycleEvent, LifecycleType
from biz.dsl.memory_runtime import MemoryRuntime, run_in_memory
from biz.dsl.validator import check


@dataclass(frozen=True, kw_only=True)
class Ran:
    """`status` is completed, faulted or cancelled.

    `trace` are the tasks that were started, in their order, each by its path.
    """

    status: str
    output: Any = None
    error: Mapping[str, Any] | None = None
    trace: Sequence[str] = ()


def started(events: Iterable[LifecycleEvent]) -> Sequence[str]:
    """The paths of the tasks that were started."""
    return [event.task for event in events if event.type is LifecycleType.TASK_STARTED]


def ran_in_memory(definition: str, input: Any, runtime: MemoryRuntime) -> Ran:
    """Runs a definition, which must be valid. Not to be called where an event loop runs."""
    workflow = check(definition).require()
    try:
        output = run_in_memory(workflow, input, runtime)
    except TaskFault as fault:
        error = fault.error.to_json()
        return Ran(status="faulted", error=error, trace=started(runtime.events))
    return Ran(status="completed", output=output, trace=started(runtime.events))
