"""The language's runtime on Temporal: its clock, timers and activities.

A run keeps the revision that it was started with. From revision 1 on it writes its history, from
revision 2 on also when no call takes it along, from revision 3 on with the iterations of loops, and
with fewer calls at once.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError

from biz.dsl.branches import Branch
from biz.dsl.calls.call import Call
from biz.dsl.calls.child_call import ChildCall
from biz.dsl.calls.emission import Emission
from biz.dsl.calls.temporal_call import TemporalCall
from biz.dsl.checkpoint import Checkpoint
from biz.dsl.errors import TaskFault, WorkflowError
from biz.dsl.events.arrivals import EventPage, Listener
from biz.dsl.events.event import Event
from biz.dsl.expressions import EvaluationError
from biz.dsl.lifecycle import LifecycleEvent
from biz.dsl.run_control import RunControl
from biz.dsl.runtime import Progress, RunDescriptor
from biz.dsl.sizes import MAX_JSON_BYTES, json_size
from biz.engine import RunRequest
from biz.executions.execution import ExecutionEnd, ExecutionProgress, ExecutionStatus
from workflows.activities.checkpoints import CheckpointActivities
from workflows.activities.child_call import StoredChild
from workflows.activities.expressions.evaluation import EvaluationActivities
from workflows.activities.giving_way import breathe
from workflows.activities.performer import CallContext
from workflows.activities.recording import RecordingActivities
from workflows.cancellation import cancellable
from workflows.child_runs import ChildRuns
from workflows.event_listening import EventListening
from workflows.history_buffer import HistoryBuffer
from workflows.orders import Orders
from workflows.team_calls import call_team

RUNTIME_NAME = "workflow-engine"
MAX_DEPTH = 50
MAX_CALL_BYTES = 2 * MAX_JSON_BYTES

_Result = TypeVar("_Result")

_FIRST_WITH_HISTORY = 1
_FIRST_THAT_WRITES_WHEN_IDLE = 2
_FIRST_THAT_TELLS_ITERATIONS = 3
_FIRST_OF_FEWER_AT_ONCE = 3

_MOST_CALLS_BEFORE = 200
_MOST_CALLS_AT_ONCE = 50
"""Those that begin together go to Temporal in one message of 4 MiB, made within two seconds."""

_MOST_HISTORY_OF_A_CALL = 4_000
"""Characters; more is written before: what a call carries stays in Temporal's own history."""

_MORE_THAN_A_RUN_SHOWS = 1_000_000
"""Where its worker was lost, a run shows anew, and otherwise perhaps, from an earlier number on."""

_SHOWN_FROM = timedelta(seconds=1)
"""What happens before a wait shorter than this may be written after it."""

_SUMMARY_LENGTH = 100
"""Temporal takes at most 400 bytes to show beside an activity."""

_RECORDING_TIMEOUT = timedelta(seconds=10)
_RECORDING_RETRY = RetryPolicy(
    initial_interval=timedelta(milliseconds=200), maximum_interval=timedelta(seconds=10)
)
_CALL_HEARTBEAT = timedelta(seconds=10)
"""A worker that is so long without a sign of life is lost; see `workflows.worker`."""

_CALL_RETRY = RetryPolicy(
    initial_interval=timedelta(milliseconds=200),
    maximum_interval=timedelta(seconds=10),
    maximum_attempts=20,
)
"""Attempts follow lost workers; what a service answers is final."""

_EVALUATION_TIMEOUT = timedelta(minutes=10)
_EVALUATION_RETRY = RetryPolicy(
    initial_interval=timedelta(milliseconds=200),
    maximum_interval=timedelta(seconds=10),
    maximum_attempts=10,
)
"""Attempts follow lost processes; what an evaluation came to is final."""


class TemporalRuntime:
    """Implements `biz.dsl.runtime.Runtime` inside of a workflow."""

    def __init__(
        self,
        *,
        execution_id: str,
        namespace: str,
        engine_version: str,
        revision: int,
        listening: EventListening,
        control: RunControl,
        orders: Orders,
        depth: int,
    ) -> None:
        self._execution_id = execution_id
        self._namespace = namespace
        self._engine_version = engine_version
        self._revision = revision
        self._depth = depth
        self._has_history = revision >= _FIRST_WITH_HISTORY
        self._history = HistoryBuffer()
        self._listening = listening
        self._control = control
        self._orders = orders
        self.children = ChildRuns(control)
        self._standing: Callable[[], Progress] | None = None
        self._calls = asyncio.Semaphore(
            _MOST_CALLS_AT_ONCE if revision >= _FIRST_OF_FEWER_AT_ONCE else _MOST_CALLS_BEFORE
        )
        self._sequence = 0
        self._naps = 0
        self._has_ended = False
        self._writing = asyncio.create_task(self._write_when_idle())

    def describe(self) -> RunDescriptor:
        """See Runtime."""
        return RunDescriptor(
            id=self._execution_id,
            started_at=workflow.info().start_time,
            runtime_name=RUNTIME_NAME,
            runtime_version=self._engine_version,
            runtime_metadata={},
        )

    def now(self) -> datetime:
        """Temporal's time of the present workflow task."""
        return workflow.now()

    def random(self) -> float:
        """Temporal's series of the run."""
        return workflow.random().random()

    def reach(self, branch: Branch) -> None:
        """Nobody asks."""

    def record(self, event: LifecycleEvent) -> None:
        """Keeps it for the next thing that writes."""
        if self._revision < _FIRST_THAT_TELLS_ITERATIONS:
            event = replace(event, iterations=None)
        if self._has_history:
            self._history.add(event)

    def show(self, progress: Callable[[], Progress]) -> None:
        """Has it written beside what the run does."""
        self._standing = progress

    def unwritten_history(self) -> str:
        """The text of a batch: what was told, and isn't known to be written."""
        return self._history.unwritten()

    async def sleep(self, duration: timedelta, progress: Progress) -> None:
        """A durable timer."""
        if duration >= _SHOWN_FROM:
            await self._record_progress(progress)
            await workflow.sleep(duration)
            return
        self._naps += 1
        try:
            await workflow.sleep(duration)
        finally:
            self._naps -= 1

    async def timer(self, duration: timedelta) -> None:
        """A durable timer."""
        await workflow.sleep(duration)

    async def call(self, call: Call, progress: Progress) -> Any:
        """An activity, or what a team's own workers do; its fault is the task's."""
        if isinstance(call, TemporalCall):
            await self._record_progress(progress)
            return await call_team(call)
        return await self._execute(call, progress)

    async def run_workflow(
        self, call: ChildCall, progress: Progress, stored: Callable[[str], None]
    ) -> Any:
        """A child workflow, once an activity has stored its execution."""
        if self._depth >= MAX_DEPTH:
            detail = f"workflows run each other more than {MAX_DEPTH} deep"
            raise TaskFault(WorkflowError.standard("runtime", detail))
        child = await self._execute(call, progress, StoredChild)
        stored(child.execution_id)
        if child.is_done:
            return child.output
        request = RunRequest(
            execution_id=child.execution_id,
            definition=child.definition,
            input=child.input,
            engine_version=self._engine_version,
            namespace=child.namespace,
            revision=self._revision,
            depth=self._depth + 1,
            takes_up=child.takes_up,
        )
        return await self.children.run(request, summary=child.summary, awaited=call.awaited)

    async def _execute(
        self, call: Call, progress: Progress, result: type[_Result] | None = None
    ) -> Any:
        if json_size(call) > MAX_CALL_BYTES:
            detail = f"what the call sends has more than {MAX_CALL_BYTES} bytes"
            raise TaskFault(WorkflowError.standard("runtime", detail))
        async with self._calls:
            await self._control.passed()
            if not self._history.fits(_MOST_HISTORY_OF_A_CALL):
                await self._record_events()
            try:
                with self._history.taken() as events, cancellable():
                    return await workflow.execute_activity(
                        call.KIND,
                        args=[call, self._context(progress, events)],
                        result_type=result,
                        start_to_close_timeout=call.LONGEST,
                        heartbeat_timeout=_CALL_HEARTBEAT,
                        retry_policy=_CALL_RETRY,
                        summary=progress.current_tasks[-1][-_SUMMARY_LENGTH:],
                    )
            except ActivityError as error:
                raise _call_fault(error) from error

    def _context(self, progress: Progress, events: str) -> CallContext:
        return CallContext(
            execution_id=self._execution_id,
            namespace=self._namespace,
            progress=self._next(progress),
            events=events,
        )

    async def emit(self, event: Event, progress: Progress) -> None:
        """An activity, as a call is."""
        await self.call(Emission(idempotency_key=event["id"], event=event), progress)

    async def fetch_events(self, listener: Listener, after: int, progress: Progress) -> EventPage:
        """A local activity, and one more where the run waits."""
        page = await self._listening.fetch(self._execution_id, listener, after)
        if not page.arrivals and not page.has_more:
            await self._record_progress(progress)
        return page

    async def wait_for_events(self, listener: Listener) -> None:
        """Until a signal comes."""
        await self._listening.wait(listener)

    async def stop_listening(self, listener: Listener) -> None:
        """A local activity where the listener has fetched."""
        await self._listening.stop(self._execution_id, listener)

    async def evaluate(self, program: str, data: str) -> Any:
        """A local activity."""
        try:
            with cancellable():
                evaluated = await workflow.execute_local_activity_method(
                    EvaluationActivities.evaluate_expression,
                    args=[program, data],
                    start_to_close_timeout=_EVALUATION_TIMEOUT,
                    retry_policy=_EVALUATION_RETRY,
                )
        except ActivityError as error:
            raise EvaluationError(
                "the expression was given up: its process was lost too often"
            ) from error
        if evaluated.error is not None:
            raise EvaluationError(evaluated.error)
        return evaluated.value

    async def breathe(self) -> None:
        """A local activity: only a command counts as giving way, and a timer takes a second."""
        if self._history:
            await self._record_events()
            return
        with cancellable():
            await workflow.execute_local_activity(
                breathe, start_to_close_timeout=_RECORDING_TIMEOUT, retry_policy=_RECORDING_RETRY
            )

    async def load_checkpoint(self) -> Checkpoint:
        """Where the run takes up; raises TaskFault where that isn't kept."""
        with cancellable():
            content = await workflow.execute_local_activity_method(
                CheckpointActivities.load_checkpoint,
                args=[self._execution_id],
                start_to_close_timeout=_RECORDING_TIMEOUT,
                retry_policy=_RECORDING_RETRY,
            )
        if content is None:
            detail = "where the run takes up isn't kept any more"
            raise TaskFault(WorkflowError.standard("runtime", detail))
        return Checkpoint.from_json(content)

    async def record_start(self) -> None:
        """Writes that the run has begun, where nobody else does."""
        await self._record_progress(Progress(current_tasks=(), waiting=False))

    async def record_end(self, end: ExecutionEnd) -> None:
        """Writes how the run ended. A cancellation that comes now comes too late."""
        recording = asyncio.create_task(self._record_end(end))
        while not recording.done():
            try:
                await asyncio.shield(recording)
            except asyncio.CancelledError:
                continue
        recording.result()

    async def _record_end(self, end: ExecutionEnd) -> None:
        self._has_ended = True
        await self._writing
        with self._history.taken() as events:
            await self._write(RecordingActivities.record_end, end, events)

    async def _record_progress(self, progress: Progress) -> None:
        with self._history.taken() as events, cancellable():
            await self._write(RecordingActivities.record_progress, self._next(progress), events)

    async def _record_events(self) -> None:
        with self._history.taken() as events, cancellable():
            await self._write(RecordingActivities.record_events, events)

    async def _write_when_idle(self) -> None:
        """Writes what no call takes along, whenever all that is done waits; until the end."""
        if self._revision < _FIRST_THAT_WRITES_WHEN_IDLE:
            return
        while not self._has_ended:
            await workflow.wait_condition(lambda: self._has_ended or self._has_news)
            standing, self._standing = self._standing, None
            if standing is not None:
                await self._record_progress(standing())
            elif self._history:
                await self._record_events()

    @property
    def _has_news(self) -> bool:
        return self._standing is not None or (bool(self._history) and not self._naps)

    async def _write(self, activity: Callable[..., Awaitable[None]], *arguments: Any) -> None:
        await workflow.execute_local_activity_method(
            activity,
            args=[self._execution_id, *arguments],
            start_to_close_timeout=_RECORDING_TIMEOUT,
            retry_policy=_RECORDING_RETRY,
        )

    def _next(self, progress: Progress) -> ExecutionProgress:
        self._sequence += 1
        passed = workflow.info().get_current_history_length()
        return ExecutionProgress(
            sequence=passed * _MORE_THAN_A_RUN_SHOWS + self._sequence,
            order=self._orders.sequence,
            status=_status(progress),
            current_tasks=progress.current_tasks,
            at=workflow.now(),
        )


def _status(progress: Progress) -> ExecutionStatus:
    if progress.suspended:
        return ExecutionStatus.SUSPENDED
    return ExecutionStatus.WAITING if progress.waiting else ExecutionStatus.RUNNING


def _call_fault(error: ActivityError) -> TaskFault:
    """What an activity's failure is to the workflow."""
    cause = error.cause
    if isinstance(cause, ApplicationError) and cause.non_retryable and cause.details:
        return TaskFault(WorkflowError.from_json(cause.details[0]))
    detail = "the call was given up: its worker was lost too often"
    return TaskFault(WorkflowError.standard("runtime", detail))
