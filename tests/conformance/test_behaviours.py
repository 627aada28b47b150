"""Behaviours of the language: each case in memory and on Temporal, with the same result."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from temporalio import activity
from temporalio.client import Client, WorkflowFailureError
from temporalio.exceptions import ApplicationError

from biz.dsl.calls.call import Call
from biz.dsl.calls.http_call import HttpCall
from biz.dsl.lifecycle import LifecycleEvent
from biz.dsl.memory_runtime import MemoryRuntime
from biz.dsl.runtime import Progress
from biz.engine import REVISION, WORKFLOW_TYPE, RunRequest
from biz.execution import ExecutionEnd, ExecutionProgress
from tests.conformance.behaviours import TOPICS, Case, Mocks, cases
from tests.conformance.ran import Ran, ran_in_memory, started
from tests.fixtures.performers import new_performer
from tests.fixtures.workflows import START, evaluate
from workflows.activities.evaluation import EvaluationActivities
from workflows.activities.expression_pool import ExpressionPool
from workflows.activities.performing import CallContext
from workflows.activities.recording import RecordingActivities
from workflows.worker import build_worker

CASES = [case for topic in TOPICS for case in cases(topic)]


class MockedRuntime(MemoryRuntime):
    """Answers as a case says."""

    def __init__(self, case: Case) -> None:
        super().__init__(answer=self._never, start=START, evaluate=evaluate, id=case.name)
        self._mocks = Mocks(case)

    async def call(self, call: Call, progress: Progress) -> Any:
        assert isinstance(call, HttpCall)
        call.check()
        answer = self._mocks.next(call.uri)
        await self.timer(timedelta(seconds=answer.after))
        return answer.give()

    def _never(self, call: Call) -> Any:
        raise AssertionError(call)


class FakeHttp:
    """Stands in for HTTP calls, with the answers of each case to its run."""

    def __init__(self, recorder: "Histories", answering: Sequence[Case]) -> None:
        self._performer = new_performer(recorder)
        self._mocks = {case.name: Mocks(case) for case in answering}

    @activity.defn(name=HttpCall.KIND)
    async def call(self, call: HttpCall, context: CallContext) -> Any:
        """The answer of the case."""

        async def send(call: HttpCall) -> Any:
            answer = self._mocks[context.execution_id].next(call.uri)
            await asyncio.sleep(answer.after)
            return answer.give()

        return await self._performer.perform(call, context, send)


class Histories:
    """Keeps what runs record."""

    def __init__(self) -> None:
        self._events: dict[str, dict[int, LifecycleEvent]] = {}

    def of(self, id: str) -> Sequence[LifecycleEvent]:
        """The events of a run in their order."""
        return [event for _, event in sorted(self._events.get(id, {}).items())]

    async def record_progress(
        self, id: str, progress: ExecutionProgress, events: Sequence[LifecycleEvent] = ()
    ) -> None:
        await self.record_events(id, events)

    async def record_events(self, id: str, events: Sequence[LifecycleEvent]) -> None:
        self._events.setdefault(id, {}).update((event.sequence, event) for event in events)

    async def record_end(
        self, id: str, end: ExecutionEnd, events: Sequence[LifecycleEvent] = ()
    ) -> None:
        await self.record_events(id, events)


@asynccontextmanager
async def working(
    client: Client, task_queue: str, histories: Histories, answering: Sequence[Case]
) -> AsyncIterator[None]:
    """A worker with the fakes of the cases."""
    pool = ExpressionPool(cpu_seconds=5, memory_mb=256)
    worker = build_worker(
        client=client,
        task_queue=task_queue,
        callers=[FakeHttp(histories, answering)],
        recording=RecordingActivities(recorder=histories),
        evaluation=EvaluationActivities(evaluator=pool),
        max_concurrent_calls=100,
        drain=timedelta(seconds=1),
    )
    try:
        async with worker:
            yield
    finally:
        await pool.close()


async def ran_on_temporal(client: Client, task_queue: str, histories: Histories, case: Case) -> Ran:
    """Runs a case; the worker has its fakes."""
    request = RunRequest(
        execution_id=case.name,
        definition=case.definition,
        input=case.given,
        engine_version="memory",
        revision=REVISION,
    )
    handle = await client.start_workflow(
        WORKFLOW_TYPE,
        request,
        id=f"{task_queue}-{case.name}",
        task_queue=task_queue,
        execution_timeout=timedelta(seconds=60),
    )
    try:
        output, error = await handle.result(), None
    except WorkflowFailureError as failure:
        output, error = None, _problem(failure)
    trace = started(histories.of(case.name))
    status = "completed" if error is None else "faulted"
    return Ran(status=status, output=output, error=error, trace=trace)


def _problem(failure: WorkflowFailureError) -> Any:
    assert isinstance(failure.cause, ApplicationError), failure.cause
    return failure.cause.details[0]


def in_memory(case: Case) -> Ran:
    return ran_in_memory(case.definition, case.given, MockedRuntime(case))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_in_memory(case: Case) -> None:
    case.check(in_memory(case))


@pytest.mark.parametrize("topic", TOPICS)
async def test_on_temporal(topic: str, temporal_address: str) -> None:
    client = await Client.connect(temporal_address)
    told = list(cases(topic))
    task_queue, histories = f"behaviours-{uuid.uuid4()}", Histories()
    async with working(client, task_queue, histories, told):
        all_ran = await asyncio.gather(
            *(ran_on_temporal(client, task_queue, histories, case) for case in told)
        )
    for case, ran in zip(told, all_ran, strict=True):
        assert ran == await asyncio.to_thread(in_memory, case), case.name


def test_there_are_enough() -> None:
    assert len(CASES) >= 250
    assert len({case.name for case in CASES}) == len(CASES)
    assert sum("faults" in case.expected for case in CASES) >= len(CASES) / 2
