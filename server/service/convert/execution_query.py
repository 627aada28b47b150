"""What executions are filtered by."""

from dataclasses import replace

from api.execution.v1 import execution_pb2
from biz.errors import Violation
from biz.executions.execution import ExecutionQuery, ExecutionStatus
from server.service.convert.refusal import check_enum, refuse
from server.service.convert.time import optional_time_from_proto


def execution_query_from_proto(request: execution_pb2.ListExecutionsRequest) -> ExecutionQuery:
    """The filter, without its labels, which are read by the use case. Raises InvalidArgument."""
    faults: list[Violation] = []
    check_enum(execution_pb2.Execution.View.DESCRIPTOR, request.view, "view", faults)
    query = replace(
        _execution_query(request, faults, field="status"),
        business_key=request.business_key,
        full=request.view == execution_pb2.Execution.FULL,
    )
    refuse(faults)
    return query


def execution_filter_from_proto(
    filter: execution_pb2.BatchExecutionsRequest.Filter, faults: list[Violation]
) -> ExecutionQuery:
    """Likewise of a batch; adds its faults."""
    return _execution_query(filter, faults, field="filter", pointer="/status")


def _execution_query(
    filter: execution_pb2.ListExecutionsRequest | execution_pb2.BatchExecutionsRequest.Filter,
    faults: list[Violation],
    *,
    field: str,
    pointer: str = "",
) -> ExecutionQuery:
    """What lists and batches filter by alike; `field` and `pointer` are where the status is."""
    statuses: list[Violation] = []
    query = ExecutionQuery(
        namespace=filter.namespace,
        template_id=filter.template_id,
        template_name=filter.template_name,
        statuses=[
            status
            for index, number in enumerate(filter.status)
            if (status := _execution_status(number, index, statuses))
        ],
        parent_id=filter.parent_id,
        created_after=optional_time_from_proto(filter, "created_after"),
        created_before=optional_time_from_proto(filter, "created_before"),
    )
    faults += [replace(f, field=field, pointer=f"{pointer}{f.pointer}") for f in statuses]
    return query


def _execution_status(
    number: execution_pb2.Execution.Status.ValueType, index: int, faults: list[Violation]
) -> ExecutionStatus | None:
    statuses = execution_pb2.Execution.Status
    if number == execution_pb2.Execution.STATUS_UNSPECIFIED or number not in statuses.values():
        known = ", ".join(status.name for status in ExecutionStatus)
        faults.append(
            Violation(
                field="status",
                code="unknown-value",
                message=f"must be one of {known}",
                pointer=f"/{index}",
            )
        )
        return None
    return ExecutionStatus[statuses.Name(number)]
