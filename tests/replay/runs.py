"""Runs whose histories are kept: between them they take every path of the workflow code."""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from temporalio.client import Client, WorkflowFailureError, WorkflowHistory

from biz.dsl.events.arrivals import Arrival, EventPage, Listener
from biz.dsl.events.interests import admits
from biz.dsl.lifecycle import LifecycleEvent
from biz.engine import ORDER_SIGNAL, REVISION, WORKFLOW_TYPE, RunOrder, RunRequest, Verb
from biz.executions.children import ChildRequest
from biz.executions.execution import Execution, ExecutionEnd, ExecutionProgress, ExecutionStatus
from biz.executions.history_batch import NO_HISTORY, HistoryBatch
from biz.schedules.timetable import DueExecution, ScheduledStart
from tests.fixtures.entities import COMPLETED
from tests.fixtures.performers import new_authenticator, new_performer, new_sender
from workflows.activities.a2a.a2a_call import A2aActivities
from workflows.activities.asyncapi.asyncapi_call import PublishActivities, ReceiveActivities
from workflows.activities.asyncapi.asyncapi_http import HttpMessages
from workflows.activities.asyncapi.subscriptions import Subscriptions
from workflows.activities.checkpoints import CheckpointActivities
from workflows.activities.child_call import ChildActivities
from workflows.activities.documents import Documents
from workflows.activities.emission import EmissionActivities
from workflows.activities.expressions.evaluation import EvaluationActivities
from workflows.activities.expressions.expression_pool import ExpressionPool
from workflows.activities.fetch_call import FetchActivities
from workflows.activities.grpc_calls.grpc_call import GrpcActivities
from workflows.activities.http_calls.http_call import HttpActivities
from workflows.activities.http_calls.sender import new_http_client
from workflows.activities.listening import ListeningActivities
from workflows.activities.mcp.mcp_call import McpActivities
from workflows.activities.openapi.openapi_call import OpenApiActivities
from workflows.activities.processes.policy import ProcessPolicy
from workflows.activities.processes.runner import ProcessLimits, ProcessRunner
from workflows.activities.processes.shell_process import ShellActivities
from workflows.activities.recording import RecordingActivities
from workflows.activities.scheduled_starts import ScheduledStartActivities
from workflows.worker import build_worker


@dataclass(frozen=True, kw_only=True)
class Run:
    """A definition's tasks and its input.

    `cancelled` runs are cancelled while they wait, `suspended` ones are held for a second then.
    """

    tasks: list[dict[str, Any]]
    input: Any
    cancelled: bool = False
    suspended: bool = False
    extra: Mapping[str, Any] | None = None


def runs(service: str) -> Mapping[str, Run]:
    """The runs by name; `service` is the URL of an HttpService."""
    get = {"call": "http", "with": {"method": "get", "endpoint": f"{service}/pets/{{id}}"}}
    fail = {"call": "http", "with": {"method": "get", "endpoint": f"{service}/status/503"}}
    post = {"call": "http", "with": {"method": "post", "endpoint": f"{service}/echo", "body": {}}}
    events = {"document": {"endpoint": f"{service}/asyncapi"}, "channel": "events"}
    tools = {
        "method": "tools/list",
        "timeout": "PT5S",
        "transport": {"http": {"endpoint": f"{service}/status/503"}},
    }
    agent = {"method": "tasks/get", "server": f"{service}/status/503", "parameters": {"id": "1"}}
    document = {"endpoint": f"{service}/petstore.json"}
    operation = {"document": document, "operationId": "getPetById"}
    nobody = {
        "call": "activity:1.0.0@temporal",
        "with": {
            "name": "Rest", "taskQueue": "nobody", "timeouts": {"scheduleToClose": "PT0.2S"},
        },
    }  # fmt: skip
    alone = {
        "call": "workflow:1.0.0@temporal",
        "with": {
            "name": "Rest", "taskQueue": "nobody", "timeouts": {"execution": "PT1S"},
        },
    }  # fmt: skip

    def child(name: str) -> dict[str, Any]:
        return {"namespace": "test", "name": name, "version": "1.0.0"}

    rest = {"wait": {"hours": 1}}
    return {
        "every-kind": Run(
            tasks=[
                {"fetch": get},
                {"choose": {"switch": [{"a": {"when": ".id == 7", "then": "send"}}]}},
                {"never": {"set": {"wrong": True}, "then": "end"}},
                {"send": {**post, "output": {"as": "{id: 7}"}, "export": {"as": "$output"}}},
                {"pause": {"wait": {"milliseconds": 20}}},
                {"rest": {"wait": {"seconds": 1}}},
                {"each": {"for": {"in": "[1, 2]"}, "do": [{"fetch": get}]}},
                {"inner": {"do": [{"set": {"set": {"id": "${ $context.id }"}}}]}},
            ],
            input={"id": 7},
        ),
        "expressions": Run(
            tasks=[
                {"make": {"set": {"numbers": "${ [range(.count)] }"}}},
                {"match": {"if": '"abc" | test("b")', "set": "${ . * {sum: (.numbers | add)} }"}},
                {"run away": {"set": {"n": "${ [repeat(1)] }"}}},
            ],
            input={"count": 3},
        ),
        "clock": Run(
            tasks=[
                {"before": {"set": {"before": "${ now }", "text": "now | todate"}}},
                {"pause": {"wait": {"milliseconds": 20}}},
                {"after": {"if": "now > .before", "set": {"n": "[range(3) | now]"}}},
            ],
            input={},
            extra={"evaluate": {"mode": "loose"}, "schedule": {"cron": "0 8 * * MON-FRI"}},
        ),
        "secrets": Run(
            tasks=[
                {
                    "send": {
                        "call": "http",
                        "input": {"from": {"id": "${ .id }", "key": "${ $secrets.key }"}},
                        "with": {
                            "method": "post",
                            "endpoint": f"{service}/empty",
                            "body": "${ {id, key} }",
                        },
                    }
                },
            ],
            input={"id": 7},
            extra={"use": {"secrets": ["key"]}},
        ),
        "fault": Run(tasks=[{"fail": fail}], input={}),
        "long-loop": Run(
            tasks=[
                {
                    "loop": {
                        "for": {"in": ".items"},
                        "do": [{"count": {"set": {"n": "${ .n + 1 }"}}}],
                    }
                }
            ],
            input={"n": 0, "items": list(range(1000))},
        ),
        "openapi": Run(
            tasks=[
                {
                    "get": {
                        "call": "openapi",
                        "with": {**operation, "parameters": {"petId": "${ .id }"}},
                    }
                },
                {
                    "fail": {
                        "try": [{"get": {"call": "openapi", "with": operation}}],
                        "catch": {"as": "error", "do": [{"set": {"set": "${ $error }"}}]},
                    }
                },
            ],
            input={"id": 7},
        ),
        "grpc": Run(
            tasks=[
                {
                    "fail": {
                        "try": [
                            {
                                "call": {
                                    "call": "grpc",
                                    "with": {
                                        "proto": {"endpoint": "file:///pets.proto"},
                                        "service": {
                                            "name": "pets.v1.Pets",
                                            "host": "127.0.0.1",
                                            "port": 1,
                                        },
                                        "method": "GetPet",
                                        "arguments": {"petId": "${ .id }"},
                                    },
                                }
                            }
                        ],
                        "catch": {"as": "error", "do": [{"set": {"set": "${ $error }"}}]},
                    }
                }
            ],
            input={"id": 7},
        ),
        "suspended": Run(
            tasks=[
                {
                    "all": {
                        "fork": {
                            "branches": [
                                {"short": {"wait": {"milliseconds": 1500}}},
                                {"again": {"do": [{"ask": get}, {"rest": {"wait": "PT1.2S"}}]}},
                                {"child": {"run": {"workflow": child("rest")}}},
                            ]
                        },
                        "timeout": {"after": {"seconds": 3}},
                        "output": {"as": "$input"},
                    }
                },
                {"fetch": get},
            ],
            input={"id": 7},
            suspended=True,
        ),
        "cancelled": Run(tasks=[{"rest": {"wait": "PT1H"}}], input={}, cancelled=True),
        "reuse": Run(
            tasks=[
                {"fetch": {"call": "fetch", "with": {"id": 7}}},
                {"mocked": {"call": "fetch", "with": {"id": 8}}},
                {"foreign": {"call": "nap:1.0.0@shared", "with": {"id": 9}}},
                {"nobody": {"try": [{"call": nobody}], "catch": {}}},
                {"alone": {"try": [{"call": alone}], "catch": {}}},
            ],
            input={},
            extra={
                "output": {"schema": {"resource": {"endpoint": f"{service}/echo"}}},
                "use": {
                    "catalogs": {"shared": {"endpoint": service}},
                    "functions": {"fetch": {"do": [{"get": get}]}},
                    "extensions": [
                        {"log": {"extend": "composite", "before": [{"send": post}]}},
                        {
                            "mock": {
                                "extend": "composite",
                                "when": ".id == 8",
                                "before": [{"answer": {"set": {"id": 8}, "then": "exit"}}],
                            }
                        },
                    ],
                },
            },
        ),
        "asyncapi": Run(
            tasks=[
                {
                    "tell": {
                        "call": "asyncapi",
                        "with": {**events, "message": {"payload": {"a": 1}}},
                    }
                },
                {
                    "hear": {
                        "call": "asyncapi",
                        "with": {
                            **events,
                            "subscription": {
                                "filter": "${ .payload.n > 1 }",
                                "consume": {"amount": 2, "for": "PT10S"},
                                "foreach": {"do": [{"take": {"set": "${ $item.payload }"}}]},
                            },
                        },
                    }
                },
            ],
            input={},
        ),
        "a2a": Run(
            tasks=[
                {
                    "ask": {
                        "try": [{"agent": {"call": "a2a", "with": agent}}],
                        "catch": {"do": [{"note": {"set": {"error": "${ $error.status }"}}}]},
                    }
                }
            ],
            input={},
        ),
        "mcp": Run(
            tasks=[
                {
                    "ask": {
                        "try": [{"list": {"call": "mcp", "with": tools}}],
                        "catch": {"do": [{"note": {"set": {"error": "${ $error.status }"}}}]},
                    }
                }
            ],
            input={},
        ),
        "processes": Run(
            tasks=[
                {"say": {"run": {"shell": {"command": "echo $1", "arguments": ["${ .word }"]}}}},
                {"leave": {"run": {"await": False, "shell": {"command": "true"}}}},
                {"fail": {"run": {"shell": {"command": "exit 3"}}}},
            ],
            input={"word": "hello"},
        ),
        "events": Run(
            tasks=[
                {"tell": {"emit": {"event": {"with": {"type": "told", "data": "${ .id }"}}}}},
                {
                    "hear": {
                        "listen": {"to": {"any": [{"with": {"type": "fo.*"}}]}},
                        "foreach": {"do": [{"note": {"set": "${ $item }"}}]},
                    }
                },
                {
                    "hear nothing": {
                        "try": [
                            {
                                "hear": {
                                    "listen": {"to": {"one": {"with": {"type": "lost"}}}},
                                    "timeout": {"after": {"seconds": 1}},
                                }
                            }
                        ],
                        "catch": {"errors": {"with": {"status": 408}}},
                    }
                },
            ],
            input={"id": 7},
        ),
        "children": Run(
            tasks=[
                {"leave": {"run": {"await": False, "workflow": child("answer")}}},
                {"ask": {"run": {"workflow": child("answer")}}},
                {
                    "try": {
                        "try": [{"fail": {"run": {"workflow": child("fail")}}}],
                        "catch": {"do": [{"note": {"set": {"status": "${ $error.status }"}}}]},
                    }
                },
            ],
            input={},
        ),
        "fork": Run(
            tasks=[
                {
                    "all": {
                        "fork": {"branches": [{"get": get}, {"post": post}]},
                        "output": {"as": "$input"},
                    }
                },
                {"first": {"fork": {"branches": [{"get": get}, {"rest": rest}], "compete": True}}},
                {"fail": {"fork": {"branches": [{"rest": rest}, {"fail": fail}]}}},
            ],
            input={"id": 7},
        ),
        "try": Run(
            tasks=[
                {
                    "again": {
                        "try": [{"ask": fail}],
                        "catch": {
                            "errors": {"with": {"status": 503}},
                            "retry": {
                                "delay": {"milliseconds": 20},
                                "backoff": {"exponential": {}},
                                "jitter": {"from": {"milliseconds": 1}, "to": {"milliseconds": 9}},
                                "limit": {"attempt": {"count": 2, "duration": "PT1M"}},
                            },
                            "do": [{"send": post}],
                        },
                    }
                },
                {"bad": {"raise": {"error": {"type": "https://x.test/bad", "status": 418}}}},
            ],
            input={},
        ),
        "timeouts": Run(
            tasks=[
                {"in time": {**get, "timeout": {"after": "PT1M"}, "output": {"as": "$input"}}},
                {
                    "late": {
                        "try": [{"rest": {**rest, "timeout": {"after": {"milliseconds": 50}}}}],
                        "catch": {},
                    }
                },
                {"rest": rest},
            ],
            input={"id": 7},
            extra={"timeout": {"after": {"seconds": 2}}},
        ),
        "invalid-input": Run(
            tasks=[{"set": {"set": {"a": 1}}}],
            input={},
            extra={"input": {"schema": {"document": {"required": ["id"]}}}},
        ),
    }


class _NoDatabase:
    """Takes what is recorded and keeps nothing."""

    async def record_progress(
        self, id: str, progress: ExecutionProgress, events: HistoryBatch = NO_HISTORY
    ) -> None:
        return None

    async def record_events(self, id: str, events: HistoryBatch) -> None:
        return None

    async def record_end(
        self, id: str, end: ExecutionEnd, events: HistoryBatch = NO_HISTORY
    ) -> None:
        return None


class _Checkpoints:
    """Knows of no run where it takes up."""

    async def get(self, execution_id: str) -> str | None:
        return None

    async def get_start(self, execution_id: str) -> str | None:
        return None

    async def create_retry(self, *arguments: Any) -> Execution:
        raise AssertionError

    async def find_event(self, *arguments: Any, **named: Any) -> LifecycleEvent | None:
        return None


class _Events:
    """Takes events and keeps none; whoever listens finds one of the type "found"."""

    async def publish(self, event: Any, *, namespace: str = "") -> None:
        return None

    async def fetch(self, execution_id: str, listener: Listener, after: int) -> EventPage:
        event = {"specversion": "1.0", "id": "1", "source": "/test", "type": "found", "data": 7}
        arrivals = [Arrival(sequence=1, event=event)]
        admitted = [a for a in arrivals if after < 1 and admits(listener.interests, a.event)]
        return EventPage(arrivals=admitted, cursor=1, has_more=False)

    async def stop_listening(self, execution_id: str, listener_id: int) -> None:
        return None


class _NoSchedules:
    """Knows no schedule."""

    async def start_due(self, start: ScheduledStart, key: str) -> DueExecution | None:
        return None


class _Children:
    """Stores nothing: each child runs the definition that it is named after."""

    async def store(self, request: ChildRequest) -> Execution:
        document = {"dsl": "1.0.0", "namespace": "test", "name": request.name, "version": "1.0.0"}
        tasks = {
            "answer": [{"set": {"set": {"answer": 42}}}],
            "rest": [{"rest": {"wait": {"seconds": 2}}}],
            "fail": [{"raise": {"raise": {"error": {"type": "https://x.test/e", "status": 418}}}}],
        }
        definition = json.dumps({"document": document, "do": tasks[request.name]})
        return replace(
            COMPLETED,
            id=str(uuid.uuid4()),
            definition=definition,
            input=request.input,
            status=ExecutionStatus.PENDING,
        )


@asynccontextmanager
async def _worker(client: Client, task_queue: str) -> AsyncIterator[None]:
    async with new_http_client(timeout_seconds=5) as http:
        recorder = _NoDatabase()
        performer = new_performer(recorder, {("default", "key"): "s3cret"})
        sender = new_sender(http)
        policy = ProcessPolicy(kinds=["shell"])
        limits = ProcessLimits(seconds=20, cpu_seconds=5, memory_mb=256, output_bytes=10_000)
        runner = ProcessRunner(limits=limits, user="", at_once=2)
        documents = Documents(sender=sender)
        messages = HttpMessages(sender=sender, client=http, authenticator=new_authenticator(http))
        pool = ExpressionPool(cpu_seconds=1, memory_mb=128)
        worker = build_worker(
            client=client,
            task_queue=task_queue,
            callers=[
                HttpActivities(performer=performer, sender=sender),
                EmissionActivities(performer=performer, publisher=_Events(), sink=None),
                ChildActivities(performer=performer, children=_Children()),
                A2aActivities(
                    performer=performer,
                    client=http,
                    authenticator=new_authenticator(http),
                    documents=Documents(sender=sender),
                    max_response_bytes=100_000,
                ),
                PublishActivities(performer=performer, documents=documents, http=messages),
                ReceiveActivities(
                    performer=performer,
                    documents=documents,
                    http=messages,
                    subscriptions=Subscriptions(),
                ),
                McpActivities(
                    performer=performer,
                    client=http,
                    authenticator=new_authenticator(http),
                    max_response_bytes=100_000,
                    processes=ProcessPolicy(),
                ),
                ShellActivities(performer=performer, policy=policy, runner=runner),
                FetchActivities(performer=performer, documents=Documents(sender=sender)),
                GrpcActivities(
                    performer=performer,
                    authenticator=new_authenticator(http),
                    documents=Documents(sender=sender),
                    timeout_seconds=5,
                    max_response_bytes=100_000,
                ),
                OpenApiActivities(
                    performer=performer, sender=sender, documents=Documents(sender=sender)
                ),
            ],
            recording=RecordingActivities(recorder=recorder),
            checkpoints=CheckpointActivities(checkpoints=_Checkpoints()),
            evaluation=EvaluationActivities(evaluator=pool),
            listening=ListeningActivities(source=_Events()),
            scheduled_starts=ScheduledStartActivities(
                starter=_NoSchedules(), engine_version="test"
            ),
            max_concurrent_calls=10,
            drain=timedelta(seconds=1),
        )
        try:
            async with worker:
                yield
        finally:
            await runner.close()
            await pool.close()


async def record(client: Client, service: str) -> dict[str, WorkflowHistory]:
    """Does the runs, and gives their histories by name."""
    task_queue = f"record-{uuid.uuid4()}"
    histories = {}
    async with _worker(client, task_queue):
        for name, run in runs(service).items():
            document = {"dsl": "1.0.0", "namespace": "test", "name": name, "version": "1.0.0"}
            definition = {"document": document, "do": run.tasks, **(run.extra or {})}
            request = RunRequest(
                revision=REVISION,
                execution_id=name,
                definition=json.dumps(definition),
                input=run.input,
                engine_version="test",
            )
            handle = await client.start_workflow(
                WORKFLOW_TYPE, request, id=f"{name}-{uuid.uuid4()}", task_queue=task_queue
            )
            if run.suspended:
                for sequence, verb in enumerate((Verb.SUSPEND, Verb.RESUME), start=1):
                    await asyncio.sleep(1)
                    await handle.signal(ORDER_SIGNAL, RunOrder(sequence=sequence, verb=verb))
            if run.cancelled:
                await asyncio.sleep(1)
                await handle.cancel()
            try:
                await handle.result()
            except WorkflowFailureError:
                assert name in (
                    "cancelled",
                    "processes",
                    "expressions",
                    "fault",
                    "fork",
                    "invalid-input",
                    "timeouts",
                    "try",
                ), name
            histories[name] = await handle.fetch_history()
    return histories
