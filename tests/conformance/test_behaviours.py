"""Behaviours of the language: each case in memory and on Temporal, with the same result."""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from dependency_injector import providers
from temporalio import activity

from app.container import Container, opened
from app.settings import Settings
from biz.dsl.calls.call import Call
from biz.dsl.calls.http_call import HttpCall
from biz.dsl.calls.mcp_call import McpCall
from biz.dsl.calls.openapi_call import OpenApiCall
from biz.dsl.calls.script_call import ScriptCall
from biz.dsl.calls.shell_call import ShellCall
from biz.dsl.memory_runtime import MemoryRuntime
from biz.dsl.runtime import Progress
from biz.errors import InvalidArgument
from biz.executions.execution import StartRequest
from biz.paging import PageRequest
from tests.conformance.behaviours import TOPICS, Case, Mocks, cases
from tests.conformance.ran import Ran, ran_in_memory, started
from tests.fixtures.workflows import START, evaluate
from tests.patience import PATIENCE
from workflows.activities.emission import EmissionActivities
from workflows.activities.performer import CallContext, Performer

CASES = [case for topic in TOPICS for case in cases(topic)]
MOCKED = (HttpCall, McpCall, OpenApiCall, ScriptCall, ShellCall)


class MockedRuntime(MemoryRuntime):
    """Answers as a case says."""

    def __init__(self, case: Case) -> None:
        events = [(timedelta(), event) for event in case.events]
        super().__init__(answer=self._never, start=START, evaluate=evaluate, events=events)
        self._mocks = Mocks(case)

    async def call(self, call: Call, progress: Progress) -> Any:
        call.check()
        answer = self._mocks.next(call)
        await self.timer(timedelta(seconds=answer.after))
        return answer.give()

    def _never(self, call: Call) -> Any:
        raise AssertionError(call)


class FakeCaller:
    """Makes no calls of a kind, but gives the answers of each case to the run in its namespace."""

    def __init__(self, kind: type[Call], performer: Performer, answering: Sequence[Case]) -> None:
        self._kind = kind
        self._performer = performer
        self._mocks = {case.namespace: Mocks(case) for case in answering}

    @property
    def call(self) -> Callable[..., Awaitable[Any]]:
        """The activity."""
        kind = self._kind

        @activity.defn(name=kind.KIND)
        async def call(call: kind, context: CallContext) -> Any:  # type: ignore[valid-type] # for the SDK
            async def send(call: Call) -> Any:
                answer = self._mocks[context.namespace].next(call)
                await asyncio.sleep(answer.after)
                return answer.give()

            return await self._performer.perform(call, context, send)

        return call


@asynccontextmanager
async def service(
    database_url: str, temporal_address: str, answering: Sequence[Case]
) -> AsyncIterator[Container]:
    """The service with a worker, whose calls the cases answer."""
    settings = Settings(
        database_url=database_url,
        temporal_address=temporal_address,
        task_queue=f"behaviours-{uuid.uuid4()}",
        max_concurrent_calls=200,
    )
    async with opened(settings) as container:
        fakes = [
            providers.Singleton(
                FakeCaller,
                kind=providers.Object(kind),
                performer=container.performer,
                answering=providers.Object(answering),
            )
            for kind in MOCKED
        ]
        emission = [part for part in container.callers.args if part.cls is EmissionActivities]
        with container.callers.override(providers.List(*fakes, *emission)):
            await container.worker()
        yield container


async def ran_on_temporal(container: Container, case: Case) -> Ran | None:
    """Runs a case, whose input may be refused before that; the worker has its fakes."""
    templates, executions = await container.templates(), await container.executions()
    template = await templates.create(config=json.dumps(case.definition))
    try:
        execution = await executions.start(StartRequest(template_id=template.id, input=case.given))
    except InvalidArgument:
        return None
    events = await container.events()
    for event in case.events:
        await events.publish(event, namespace=case.namespace)
    ended = await executions.get(execution.id, wait=PATIENCE)
    history = await (await container.history()).list(
        PageRequest(size=1000), execution_id=ended.id, after_sequence=0
    )
    return Ran(
        status=ended.status.value.lower(),
        output=ended.output,
        error=None if ended.error is None else ended.error.to_json(),
        trace=started(history.items),
    )


def in_memory(case: Case) -> Ran:
    return ran_in_memory(json.dumps(case.definition), case.given, MockedRuntime(case))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_in_memory(case: Case) -> None:
    case.check(in_memory(case))


@pytest.mark.parametrize("topic", TOPICS)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_on_temporal(topic: str, temporal_address: str, database_url: str) -> None:
    told = list(cases(topic))
    async with service(database_url, temporal_address, told) as container:
        all_ran = await asyncio.gather(*(ran_on_temporal(container, case) for case in told))
    for case, ran in zip(told, all_ran, strict=True):
        expected = await asyncio.to_thread(in_memory, case)
        if ran is None:
            assert expected.error is not None
            assert expected.error["instance"] == "/input", case.name
        else:
            assert ran == expected, case.name


def test_there_are_enough() -> None:
    assert len(CASES) >= 250
    assert len({case.name for case in CASES}) == len(CASES)
    assert sum("faults" in case.expected for case in CASES) >= 250 / 2
