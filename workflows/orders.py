"""The orders that a run gets from outside."""

from temporalio import workflow

from biz.dsl.errors import WorkflowError
from biz.dsl.run_control import RunControl
from biz.engine import RunOrder, Verb


class Orders:
    """Does what a run is told: of each giver only what is newer than all before."""

    def __init__(self, control: RunControl) -> None:
        self._control = control
        self._seen = {True: 0, False: 0}

    @property
    def sequence(self) -> int:
        """That of the last order from outside of all runs, 0 before the first one."""
        return self._seen[False]

    def take(self, order: RunOrder) -> None:
        """Does it, or leaves it where it is an old one."""
        if order.sequence <= self._seen[order.from_parent]:
            return
        self._seen[order.from_parent] = order.sequence
        match order.verb:
            case Verb.SUSPEND:
                self._control.suspend(workflow.now())
            case Verb.RESUME:
                self._control.resume(workflow.now())
            case Verb.CANCEL if order.reason:
                self._control.stop(WorkflowError.ended("cancelled", order.reason))
            case Verb.CANCEL | Verb.TERMINATE:
                self._control.stop()
