"""Executions, and the requests for them."""

from datetime import timedelta
from typing import Any

from google.protobuf.duration_pb2 import Duration

from api.execution.v1 import execution_pb2
from biz.dsl.lifecycle import ABSENT
from biz.errors import Violation
from biz.executions.execution import BusinessKeyPolicy, Execution, ExecutionStatus, StartRequest
from biz.executions.retry import RetryRequest
from server.service.convert.error import error_to_proto
from server.service.convert.refusal import check_enum, refuse
from server.service.convert.time import optional_time_to_proto, span_to_proto, time_to_proto
from server.service.convert.values import (
    optional_value_from_proto,
    value_to_proto,
)


def start_request_from_proto(request: execution_pb2.StartExecutionRequest) -> StartRequest:
    """What is to be run. Raises InvalidArgument."""
    faults: list[Violation] = []
    start = StartRequest(
        template_id=request.template_id,
        namespace=request.namespace,
        template_name=request.template_name,
        version=request.version,
        alias=request.alias,
        input=optional_value_from_proto(request, "input", faults=faults),
        labels=dict(request.labels),
        business_key=request.business_key,
        business_key_policy=_business_key_policy(request.business_key_policy, faults),
        request_id=request.request_id,
        wait=wait_from_proto(request.wait),
    )
    refuse(faults)
    return start


def retry_request_from_proto(request: execution_pb2.RetryExecutionRequest) -> RetryRequest:
    """What is to be taken up, and where. Raises InvalidArgument."""
    faults: list[Violation] = []
    retry = RetryRequest(
        id=request.id,
        from_task=request.from_task,
        input=optional_value_from_proto(request, "input", faults=faults, absent=ABSENT),
        latest_template=request.latest_template,
        request_id=request.request_id,
    )
    refuse(faults)
    return retry


def cloud_event_from_proto(
    request: execution_pb2.SignalExecutionRequest | execution_pb2.PublishEventRequest,
) -> Any:
    """The JSON value that is to be a CloudEvent, null where there is none.

    Raises InvalidArgument.
    """
    faults: list[Violation] = []
    event = optional_value_from_proto(request, "event", faults=faults)
    refuse(faults)
    return event


def wait_from_proto(wait: Duration) -> timedelta:
    """The duration, to the microsecond."""
    return wait.ToTimedelta()


def check_execution_view(view: execution_pb2.Execution.View.ValueType) -> None:
    """Raises InvalidArgument where it is no view that this server knows."""
    faults: list[Violation] = []
    check_enum(execution_pb2.Execution.View.DESCRIPTOR, view, "view", faults)
    refuse(faults)


def execution_to_proto(
    execution: Execution,
    *,
    view: execution_pb2.Execution.View.ValueType = execution_pb2.Execution.VIEW_UNSPECIFIED,
    runs_url: str = "",
) -> execution_pb2.Execution:
    """The message: without definition, input and output when BASIC, with all of them when FULL,
    and by default with the last two.

    `runs_url` is where Temporal's web interface shows runs, each below its id; empty for nowhere.
    """
    message = execution_pb2.Execution(
        id=execution.id,
        template_id=execution.template_id,
        template_name=execution.template_name,
        template_version=execution.template_version,
        namespace=execution.namespace,
        definition_digest=execution.definition_digest,
        status=execution_pb2.Execution.Status.Value(execution.status.name),
        error=error_to_proto(execution.error) if execution.error else None,
        created_at=time_to_proto(execution.created_at),
        started_at=optional_time_to_proto(execution.started_at),
        ended_at=optional_time_to_proto(execution.ended_at),
        duration=span_to_proto(execution.started_at, execution.ended_at),
        labels=execution.labels,
        current_tasks=execution.current_tasks,
        temporal_url=f"{runs_url}/{execution.id}" if runs_url else "",
        business_key=execution.business_key,
        parent_id=execution.parent_id,
        retry_of=execution.retry_of,
        retried_by=execution.retried_by,
    )
    if view != execution_pb2.Execution.BASIC:
        message.input.CopyFrom(value_to_proto(execution.input))
        if execution.status is ExecutionStatus.COMPLETED:
            message.output.CopyFrom(value_to_proto(execution.output))
    if view == execution_pb2.Execution.FULL:
        message.definition = execution.definition
    return message


def _business_key_policy(
    number: execution_pb2.StartExecutionRequest.BusinessKeyPolicy.ValueType,
    faults: list[Violation],
) -> BusinessKeyPolicy:
    policies = execution_pb2.StartExecutionRequest.BusinessKeyPolicy
    if check_enum(policies.DESCRIPTOR, number, "business_key_policy", faults) and number:
        return BusinessKeyPolicy[policies.Name(number)]
    return BusinessKeyPolicy.FAIL
