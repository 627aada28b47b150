"""The history sink, with server and worker as processes of their own."""

import json
import time

import grpc

from api.execution.v1.execution_pb2 import StartExecutionRequest
from api.execution.v1.execution_pb2_grpc import ExecutionServiceStub
from api.template.v1.template_pb2 import CreateTemplateRequest
from api.template.v1.template_pb2_grpc import TemplateServiceStub
from tests.fixtures.http_service import HttpService
from tests.fixtures.processes import Processes
from tests.patience import PATIENCE_SECONDS

DEFINITION = {
    "document": {"dsl": "1.0.0", "namespace": "test", "name": "told", "version": "1.0.0"},
    "do": [{"first": {"set": {"n": 1}}}, {"second": {"set": {"n": 2}}}],
}
EVENTS = 2 + 2 * 3


def test_lifecycle_events_of_a_run_reach_the_sink_in_order(
    processes: Processes, http_service: HttpService
) -> None:
    processes.settings["HISTORY_SINK_URL"] = f"{http_service.url}/echo"
    processes.serve()
    processes.start("worker")
    with grpc.insecure_channel(processes.grpc_address) as channel:
        made = TemplateServiceStub(channel).CreateTemplate(
            CreateTemplateRequest(config=json.dumps(DEFINITION))
        )
        request = StartExecutionRequest(template_id=made.template.id)
        request.wait.FromSeconds(PATIENCE_SECONDS)
        id = ExecutionServiceStub(channel).StartExecution(request).execution.id

    deadline = time.monotonic() + PATIENCE_SECONDS
    while len(http_service.bodies) < EVENTS and time.monotonic() < deadline:
        time.sleep(0.05)
    told = [json.loads(body) for _, body in http_service.bodies]
    assert [event["id"] for event in told] == [str(n) for n in range(1, EVENTS + 1)]
    assert {event["source"] for event in told} == {f"/api/v1/executions/{id}"}
    assert told[0]["data"]["definition"]["name"] == "told"
    assert told[-1]["type"] == "io.serverlessworkflow.workflow.completed.v1"
    assert told[-1]["data"]["output"] == {"n": 2}
