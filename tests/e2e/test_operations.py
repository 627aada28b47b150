"""What servers do in the background, as processes that can be killed."""

import time
import uuid
from collections.abc import Callable
from typing import Any

from api.execution.v1.execution_pb2 import Execution, ListExecutionsRequest, StartExecutionRequest
from api.template.v1.template_pb2 import CreateTemplateRequest
from app.client import Client, connect
from tests.fixtures.definitions import GREET, definition
from tests.fixtures.processes import Processes


def create_template(client: Client, *tasks: dict[str, Any]) -> int:
    request = CreateTemplateRequest(name=str(uuid.uuid4()), config=definition(*tasks))
    return client.templates.CreateTemplate(request).template.id


def start(client: Client, template: int, *, wait_seconds: int = 0) -> Execution:
    request = StartExecutionRequest(template_id=template)
    request.wait.FromSeconds(wait_seconds)
    return client.executions.StartExecution(request).execution


def listed(client: Client) -> list[str]:
    found = client.executions.ListExecutions(ListExecutionsRequest(page_size=1000))
    return [execution.id for execution in found.executions]


def until(holds: Callable[[], bool], *, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.1)


def test_a_server_keeps_the_last_ended_executions(processes: Processes) -> None:
    processes.settings["EXECUTION_RETENTION_COUNT"] = "2"
    processes.settings["RETENTION_SWEEP_SECONDS"] = "0.5"
    processes.serve()
    processes.start("worker")
    with connect(processes.grpc_address) as client:
        template = create_template(client, {"pause": {"wait": {"minutes": 5}}})
        live = start(client, template)
        short = create_template(client, GREET)
        ended = [start(client, short, wait_seconds=30).id for _ in range(5)]
        until(lambda: set(listed(client)) == {live.id, *ended[-2:]})
