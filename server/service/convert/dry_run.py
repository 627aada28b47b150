"""Dry runs."""

from datetime import timedelta

from api.workflow.v1 import workflow_pb2
from biz.dry_run import DryRunRequest
from biz.dsl.dry_run import DryRun, Ending
from biz.dsl.memory_runtime import Answer
from biz.errors import Violation
from server.service.convert.error import error_from_proto, error_to_proto
from server.service.convert.history import lifecycle_event_to_proto
from server.service.convert.refusal import refuse
from server.service.convert.time import optional_time_from_proto
from server.service.convert.values import (
    optional_value_from_proto,
    value_from_proto,
    value_to_proto,
)


def dry_run_request_from_proto(request: workflow_pb2.TestWorkflowRequest) -> DryRunRequest:
    """What is to be tried. Raises InvalidArgument."""
    faults: list[Violation] = []
    given = DryRunRequest(
        config=request.config,
        template_id=request.template_id,
        input=optional_value_from_proto(request, "input", faults=faults),
        mocks={
            task: [_answer(answer, faults) for answer in mock.answers]
            for task, mock in request.mocks.items()
        },
        events=[
            (
                value_from_proto(timed.event, field="events", faults=faults),
                optional_time_from_proto(timed, "time"),
            )
            for timed in request.events
        ],
        start=optional_time_from_proto(request, "start_time"),
    )
    refuse(faults)
    return given


def dry_run_to_proto(run: DryRun) -> workflow_pb2.TestWorkflowResponse:
    """The message; without a result where the run waits for what never comes."""
    response = workflow_pb2.TestWorkflowResponse(trace=map(lifecycle_event_to_proto, run.trace))
    if run.error is not None:
        response.error.CopyFrom(error_to_proto(run.error))
    elif run.ending is Ending.COMPLETED:
        response.output.CopyFrom(value_to_proto(run.output))
    return response


def _answer(
    answer: workflow_pb2.TestWorkflowRequest.Mock.Answer, faults: list[Violation]
) -> Answer:
    delay = answer.delay.ToTimedelta()
    if delay < timedelta():
        message = "the delay must not be negative"
        faults.append(Violation(field="mocks", code="out-of-range", message=message))
    match answer.WhichOneof("answer"):
        case "error":
            return Answer(error=error_from_proto(answer.error, faults), delay=delay)
        case "output":
            output = value_from_proto(answer.output, field="mocks", faults=faults)
            return Answer(output, delay=delay)
    message = "an answer must have an output or an error"
    faults.append(Violation(field="mocks", code="one-of", message=message))
    return Answer()
