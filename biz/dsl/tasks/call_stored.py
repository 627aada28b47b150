"""Calls of functions in the catalog `default`: the workflows that this engine has stored.

DSL, "Default Catalog". A workflow that is stored is published there, by its name and version, for
all definitions of its namespace.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from biz.dsl.calls.child_call import ChildCall
from biz.dsl.external.catalogs import CatalogedFunction
from biz.dsl.frame import Outcome
from biz.dsl.model import Evaluable, Task
from biz.dsl.tasks.call_function import evaluate_arguments, read_arguments

if TYPE_CHECKING:
    from biz.dsl.frame import Frame
    from biz.dsl.parser import TaskSource

CATALOG = "default"
"""A definition may have one of this name itself, which then stands for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredCallTask(Task):
    """Runs a stored workflow as a run of its own, on `with` or else on its own input.

    Its output is that run's.
    """

    reference: CatalogedFunction
    arguments: Evaluable | None

    async def execute(self, frame: Frame) -> Outcome:
        """Has the workflow run."""
        call = ChildCall(
            namespace=frame.world.document.namespace,
            name=self.reference.name,
            version=self.reference.version,
            input=await evaluate_arguments(self.arguments, frame),
            awaited=True,
            idempotency_key=frame.world.next_call_key(frame.path),
        )
        return Outcome(await frame.world.run_workflow(call, frame.path))


def parse(source: TaskSource, reference: CatalogedFunction) -> Task:
    """The call of a function of the catalog; whether it is there shows when it is called."""
    return StoredCallTask(reference=reference, arguments=read_arguments(source), **source.common)
