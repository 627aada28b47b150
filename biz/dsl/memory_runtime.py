"""A runtime in memory: a virtual clock, and answers in place of calls."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from biz.dsl.branches import Branch
from biz.dsl.calls.call import Call
from biz.dsl.calls.child_call import ChildCall
from biz.dsl.calls.fetch_call import FetchCall
from biz.dsl.concurrency import first
from biz.dsl.errors import TaskFault, WorkflowError
from biz.dsl.events.arrivals import Arrival, EventPage, Listener
from biz.dsl.events.event import Event
from biz.dsl.events.interests import admits
from biz.dsl.expressions import EvaluationError
from biz.dsl.external.external_documents import document_fault
from biz.dsl.interpreter import Interpreter
from biz.dsl.lifecycle import LifecycleEvent
from biz.dsl.model import Workflow
from biz.dsl.run_control import RunControl
from biz.dsl.runtime import Progress, RunDescriptor
from biz.dsl.virtual_time import VirtualLoop


def run_in_memory(workflow: Workflow, input: Any, runtime: MemoryRuntime) -> Any:
    """The workflow's output; raises TaskFault where it faults, Stalled where it would wait forever.

    Not to be called where an event loop runs.
    """
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        try:
            return runner.run(Interpreter(workflow, runtime, runtime.control).run(input))
        finally:
            runtime.close()


@dataclass(frozen=True, slots=True)
class Answer:
    """How a call ends, after a time on the virtual clock: with a value, or an error if any.

    A value that `is_result` is the task's output itself, which no `output.as` is to change.
    """

    output: Any = None
    error: WorkflowError | None = None
    delay: timedelta = timedelta()
    is_result: bool = False


def _refuse(program: str, data: str) -> Any:
    raise EvaluationError("it may take too long to be evaluated in memory")


class MemoryRuntime:
    """Runs a workflow without a world. Time passes only while the workflow waits."""

    def __init__(
        self,
        *,
        answer: Callable[[Call], Any],
        start: datetime,
        evaluate: Callable[[str, str], Any] = _refuse,
        id: str = "memory",
        metadata: Mapping[str, Any] | None = None,
        events: Sequence[tuple[timedelta, Event]] = (),
        random: Callable[[], float] = lambda: 0.5,
        find: Callable[[ChildCall], Workflow | None] = lambda call: None,
        control: RunControl | None = None,
    ) -> None:
        """`answer` gives the output of each call or an Answer, or raises TaskFault.

        `evaluate` gives the result of a jq program that may not end on a JSON text, or raises
        EvaluationError. `random` gives the random numbers.
        `events` come from outside, each at a time after the start. `find` gives the workflows that
        the run has run; those that it doesn't know are answered. `control` holds the run, and
        those that it has run with it.
        """
        self._answer = answer
        self._evaluate = evaluate
        self._now = start
        self.events: list[LifecycleEvent] = []
        self.reached: dict[Branch, None] = {}
        self._is_closed = False
        self._random = random
        self._find = find
        self.control = control or RunControl()
        self._coming = sorted(
            ((start + after, event) for after, event in events), key=lambda coming: coming[0]
        )
        self._came: list[Event] = []
        self.emitted: list[Event] = []
        self._waiting: list[asyncio.Future[None]] = []
        self._run = RunDescriptor(
            id=id,
            started_at=start,
            runtime_name="workflow-engine",
            runtime_version="memory",
            runtime_metadata=metadata or {},
        )

    def describe(self) -> RunDescriptor:
        """See Runtime."""
        return self._run

    def now(self) -> datetime:
        """The virtual clock."""
        return self._now

    def random(self) -> float:
        """The next random number."""
        return self._random()

    def record(self, event: LifecycleEvent) -> None:
        """Keeps it in `events`."""
        if not self._is_closed:
            self.events.append(event)

    def reach(self, branch: Branch) -> None:
        """Keeps it in `reached`."""
        self.reached[branch] = None

    def close(self) -> None:
        """The run is over: what is still put away isn't told."""
        self._is_closed = True

    def show(self, progress: Callable[[], Progress]) -> None:
        """Nobody looks on."""

    async def sleep(self, duration: timedelta, progress: Progress) -> None:
        """Lets the clock move on once all wait."""
        await self.timer(duration)

    async def timer(self, duration: timedelta) -> None:
        """Lets the clock move on once all wait."""
        end = self._now + duration
        await asyncio.sleep(duration.total_seconds())
        self._now = max(self._now, end)

    async def call(self, call: Call, progress: Progress) -> Any:
        """Answers at once, or after the answer's delay.

        Null stands in the call for what reads secrets.
        """
        if call.is_complete:
            call.check()
        answer = await self._ask(call)
        if isinstance(call, FetchCall) and (fault := document_fault(answer, call.purpose)):
            detail = f"the document {call.resource.uri} {fault}"
            raise TaskFault(WorkflowError.standard("configuration", detail))
        return answer

    async def run_workflow(
        self, call: ChildCall, progress: Progress, stored: Callable[[str], None]
    ) -> Any:
        """A run of what is found, or else an answer. One that isn't awaited is never run.

        No run is known here that it could take up from.
        """
        call.check()
        stored(call.idempotency_key)
        workflow = self._find(call)
        if workflow is None:
            return await self._ask(call)
        if not call.awaited:
            return None
        child = MemoryRuntime(
            answer=self._answer,
            start=self._now,
            evaluate=self._evaluate,
            id=call.idempotency_key,
            metadata=self._run.runtime_metadata,
            random=self._random,
            find=self._find,
            control=self.control,
        )
        try:
            return await Interpreter(workflow, child, self.control).run(call.input)
        finally:
            self._now = max(self._now, child.now())

    async def emit(self, event: Event, progress: Progress) -> None:
        """Reaches the run's own listeners; the events are in `emitted`."""
        self.emitted.append(event)
        self._accept(event)

    async def fetch_events(self, listener: Listener, after: int, progress: Progress) -> EventPage:
        """All that have come by now; a sequence is the place of an event among them."""
        while self._coming and self._coming[0][0] <= self._now:
            self._accept(self._coming.pop(0)[1])
        arrivals = [
            Arrival(sequence=sequence, event=event)
            for sequence, event in enumerate(self._came[after:], start=after + 1)
            if admits(listener.interests, event)
        ]
        return EventPage(arrivals=arrivals, cursor=len(self._came), has_more=False)

    async def wait_for_events(self, listener: Listener) -> None:
        """Lets the clock move on to the next event, once all wait."""
        arrival: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(arrival)  # at once, so that nothing comes between
        waits = [self._wait_for(arrival)]
        if self._coming:
            waits.append(self.timer(self._coming[0][0] - self._now))
        await first(waits)

    async def stop_listening(self, listener: Listener) -> None:
        """Nothing is kept of a listener."""

    async def evaluate(self, program: str, data: str) -> Any:
        """Evaluates at once."""
        return self._evaluate(program, data)

    async def breathe(self) -> None:
        """Nothing else is there to give way to."""

    async def _ask(self, call: Call) -> Any:
        answer = self._answer(call)
        if not isinstance(answer, Answer):
            return answer
        if answer.delay:
            await self.timer(answer.delay)
        if answer.error is not None:
            raise TaskFault(answer.error)
        return answer.output

    def _accept(self, event: Event) -> None:
        if any((event["source"], event["id"]) == (e["source"], e["id"]) for e in self._came):
            return
        self._came.append(event)
        for waiting in self._waiting:
            if not waiting.done():
                waiting.set_result(None)
        self._waiting.clear()

    async def _wait_for(self, arrival: asyncio.Future[None]) -> None:
        await arrival
