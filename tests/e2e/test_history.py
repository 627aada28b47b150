"""The history of a long run equals the expected one, whatever its workers suffer."""

import asyncio
import json
import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict
from temporalio.client import Client as TemporalClient

from api.execution.v1.execution_pb2 import (
    Execution,
    GetExecutionRequest,
    ListExecutionEventsRequest,
    ResumeExecutionRequest,
    SignalExecutionRequest,
    StartExecutionRequest,
    SuspendExecutionRequest,
)
from api.template.v1.template_pb2 import CreateTemplateRequest
from app.client import Client, connect
from server.service.convert.values import value_to_proto
from tests.e2e.long_run import CALLS, HOLD, TASKS, LongRun, Told, compare
from tests.fixtures.http_service import HttpService
from tests.fixtures.processes import Processes
from tests.patience import PATIENCE_SECONDS

WORKERS = 4
RUNS = 6
KILLS = 20
CALLS_AT_ONCE = 2
"""Those of one run."""
SECONDS = 240


def history_of(client: Client, id: str) -> Sequence[Told]:
    """All events of an execution, whose numbers have no gap."""
    request = ListExecutionEventsRequest(id=id, page_size=1000)
    answer = client.executions.ListExecutionEvents(request)
    assert not answer.next_page_token
    assert [event.sequence for event in answer.events] == list(range(1, len(answer.events) + 1))
    return [
        Told.from_json(
            MessageToDict(
                event, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
            )
        )
        for event in answer.events
    ]


def start(client: Client, name: str, tasks: Sequence[Any], input: Any = None) -> str:
    """The id of a run of these tasks."""
    document = {"dsl": "1.0.0", "namespace": "test", "name": name, "version": "1.0.0"}
    config = json.dumps({"document": document, "do": tasks})
    template = client.templates.CreateTemplate(CreateTemplateRequest(config=config)).template
    request = StartExecutionRequest(template_id=template.id, input=value_to_proto(input))
    return client.executions.StartExecution(request).execution.id


def until(holds: Callable[[], bool], *, seconds: float = PATIENCE_SECONDS) -> None:
    """Returns when a condition holds."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)


class Driven:
    """An execution of a long run, led from outside: suspended, resumed and sent its event."""

    def __init__(self, client: Client, temporal_address: str, *, service: str, run: str) -> None:
        self._client = client
        self._temporal_address = temporal_address
        self.input = {"run": run}
        self.event = {"specversion": "1.0", "id": run, "source": "/test", "type": "go", "data": run}
        self.long_run = LongRun(service=service, run=run, data=run)
        self.id = start(client, run, self.long_run.tasks, self.input)
        self._stages: list[Callable[[], bool]] = [self._suspend, self._resume, self._go_on]

    def lead(self) -> bool:
        """Takes it a stage further where it is ready; False once nothing is left to be done."""
        if self._stages and self._stages[0]():
            del self._stages[0]
        return bool(self._stages) or not self.get().HasField("ended_at")

    def get(self) -> Execution:
        return self._client.executions.GetExecution(GetExecutionRequest(id=self.id)).execution

    def told(self) -> Sequence[Told]:
        """Its whole history, which has no gap."""
        return history_of(self._client, self.id)

    def _suspend(self) -> bool:
        if list(self.get().current_tasks) != [HOLD] or not asyncio.run(self._is_settled()):
            return False
        self._client.executions.SuspendExecution(SuspendExecutionRequest(id=self.id))
        return True

    def _resume(self) -> bool:
        if not self._has_told("task.suspended"):
            return False
        self._client.executions.ResumeExecution(ResumeExecutionRequest(id=self.id))
        return True

    def _go_on(self) -> bool:
        if not self._has_told("task.resumed"):
            return False
        request = SignalExecutionRequest(id=self.id, event=value_to_proto(self.event))
        self._client.executions.SignalExecution(request)
        return True

    def _has_told(self, type: str) -> bool:
        request = ListExecutionEventsRequest(id=self.id, page_size=1, order_by="sequence desc")
        (last,) = self._client.executions.ListExecutionEvents(request).events
        return type in last.type

    async def _is_settled(self) -> bool:
        """Whether Temporal knows as well that it listens: a kill takes it back no more."""
        client = await TemporalClient.connect(self._temporal_address)
        description = await client.get_workflow_handle(self.id).describe()
        return not description.raw_description.HasField("pending_workflow_task")


def require_expected(driven: Driven) -> None:
    """The execution has completed, with the history that it must have."""
    assert driven.get().status == Execution.COMPLETED
    told = driven.told()
    compare(told, driven.long_run.history(driven.input))
    assert [one.type for one in told].count("task.created") == TASKS


def test_a_history_is_the_expected_one(
    processes: Processes, http_service: HttpService, temporal_address: str
) -> None:
    processes.serve()
    processes.start("worker")
    with connect(processes.grpc_address) as client:
        driven = Driven(client, temporal_address, service=http_service.url, run="alone")
        until(lambda: not driven.lead())
        require_expected(driven)
    assert len(http_service.keys) == len(set(http_service.keys)) == CALLS


@pytest.mark.timeout(SECONDS + 60)
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
@pytest.mark.parametrize("seed", [5])
def test_histories_are_the_expected_ones_after_twenty_kills_of_workers(
    processes: Processes,
    http_service: HttpService,
    temporal_address: str,
    seed: int,
    record_property: Callable[[str, object], None],
) -> None:
    """At seeded points of the runs' progress, which is the number of calls that they have made."""
    chance = random.Random(seed)
    http_service.delay = 0.05
    points = sorted(chance.sample(range(1, RUNS * CALLS), k=KILLS))
    processes.serve()
    workers = [processes.fork_worker() for _ in range(WORKERS)]
    began = time.monotonic()
    with connect(processes.grpc_address) as client:
        runs = [
            Driven(client, temporal_address, service=http_service.url, run=f"run{n}")
            for n in range(RUNS)
        ]
        live = list(runs)
        while live:
            assert time.monotonic() < began + SECONDS
            live = [run for run in live if run.lead()]
            if points and len(set(http_service.keys)) >= points[0]:
                del points[0]
                time.sleep(chance.uniform(0, 0.1))
                place = chance.randrange(WORKERS)
                workers[place].kill()
                workers[place].join()
                workers[place] = processes.fork_worker()
            time.sleep(0.05)
        took = time.monotonic() - began
        for run in runs:
            require_expected(run)
    made = Counter(http_service.keys)
    repeated = made.total() - len(made)
    record_property(
        "figures",
        f"{KILLS} kills of {WORKERS} workers, {RUNS} runs of {TASKS} tasks: {took:.0f} s; "
        f"{repeated} of {len(made)} calls were repeated",
    )
    assert not points
    assert len(made) == RUNS * CALLS, "a repeated call keeps its key"
    assert repeated <= KILLS * RUNS * CALLS_AT_ONCE, "a kill repeats what was being called"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_a_lost_worker_had_told_gives_way_to_what_happened(
    processes: Processes, http_service: HttpService
) -> None:
    """It dies after it has written; the run is suspended before another one does that anew."""
    call = {"call": "http", "with": {"method": "post", "endpoint": f"{http_service.url}/pets/7"}}
    tasks = [{"ask": call}, {"note": {"set": {"n": 1}}}, {"rest": {"wait": {"seconds": 1}}}]
    processes.serve()
    crashing = processes.start("crashing", program=("-m", "tests.e2e.crashing_worker"))
    with connect(processes.grpc_address) as client:
        id = start(client, "lost", tasks)
        crashing.wait(timeout=PATIENCE_SECONDS)
        assert types_of(client, id)[-1] == "task.started rest"
        client.executions.SuspendExecution(SuspendExecutionRequest(id=id))
        processes.fork_worker()
        until(lambda: types_of(client, id)[-1] == "task.completed ask")
        client.executions.ResumeExecution(ResumeExecutionRequest(id=id))
        until(lambda: types_of(client, id)[-1] == "workflow.completed ")
        assert types_of(client, id) == [
            "workflow.started ",
            *types("ask", "created", "started"),
            "workflow.suspended ",
            "task.completed ask",
            "workflow.resumed ",
            *types("note", "created", "started", "completed"),
            *types("rest", "created", "started", "completed"),
            "workflow.completed ",
        ]
    assert http_service.counts["/pets/7"] == 1


def types(task: str, *types: str) -> Sequence[str]:
    return [f"task.{type} {task}" for type in types]


def types_of(client: Client, id: str) -> Sequence[str]:
    """The types of all events of an execution, with the names of their tasks."""
    return [f"{told.type} {told.task.rpartition('/')[2]}" for told in history_of(client, id)]
