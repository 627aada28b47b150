"""Errors become statuses, and each status says why.

The status that leaves carries google.rpc.ErrorInfo with a reason for programs, field violations
where the request is at fault, and a delay where waiting helps. What nobody foresaw is INTERNAL
without its text: that goes to the log.
"""

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any

import grpc
import grpc.aio
import structlog
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status

from biz import errors
from server.interceptors.chain import Call, CallAborted, Handler, Metadata, Method

DOMAIN = "workflow-engine"
# A status travels in the trailing metadata, of which clients take 8 KiB by default; in it the
# message comes twice, once with every byte escaped where it isn't ASCII.
_MAX_TEXT_BYTES = 600
_MAX_DETAILS_BYTES = 4000
_STATUS_KEY = "grpc-status-details-bin"

CODES: Mapping[type[errors.DomainError], grpc.StatusCode] = {
    errors.InvalidArgument: grpc.StatusCode.INVALID_ARGUMENT,
    errors.NotFound: grpc.StatusCode.NOT_FOUND,
    errors.AlreadyExists: grpc.StatusCode.ALREADY_EXISTS,
    errors.FailedPrecondition: grpc.StatusCode.FAILED_PRECONDITION,
    errors.Aborted: grpc.StatusCode.ABORTED,
    errors.ResourceExhausted: grpc.StatusCode.RESOURCE_EXHAUSTED,
    errors.Unavailable: grpc.StatusCode.UNAVAILABLE,
}

_log = structlog.get_logger(__name__)


def error_mapping(proceed: Handler, method: Method) -> Handler:
    """Turns whatever the rest of the chain raises into CallAborted with a status that has details.

    Cancellation goes on. An exception that nobody foresaw is logged with its trace and becomes
    INTERNAL; the `request_id` in its metadata leads from the one to the other. The outcome of the
    call is recorded.
    """

    async def handle(request: Any, call: Call) -> Any:
        raised: BaseException
        try:
            return await proceed(request, call)
        except asyncio.CancelledError as error:
            if _is_cut_off():
                call.outcome = _code_of_cut_off(call)
                raise
            # Something that the call waited for was cancelled: its caller still wants an answer.
            raised = error
        except Exception as error:
            if _is_over(call, error):
                call.outcome = grpc.StatusCode.CANCELLED
                raise
            raised = error
        refusal = _refusal(raised, call)
        call.outcome = refusal.code
        try:
            raise refusal from raised
        finally:
            # Its trace leads here: without the names, a large request goes at once, not in a while.
            del refusal, raised

    return handle


def status_of(error: errors.DomainError) -> status_pb2.Status:
    """The status that a domain error becomes."""
    code = next(CODES[kind] for kind in type(error).__mro__ if kind in CODES)
    details: list[Message] = []
    if isinstance(error, errors.Unavailable):
        delay = error_details_pb2.RetryInfo()
        delay.retry_delay.FromTimedelta(error.retry_after)
        details.append(delay)
    violations = error.violations if isinstance(error, errors.InvalidArgument) else ()
    return _status(code, error.message, error.reason, error.metadata, details, violations)


def _is_cut_off() -> bool:
    """Whether the call itself was cancelled: by its caller, its deadline or a stopping server."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _code_of_cut_off(call: Call) -> grpc.StatusCode:
    passed = call.context.time_remaining() == 0
    return grpc.StatusCode.DEADLINE_EXCEEDED if passed else grpc.StatusCode.CANCELLED


def _is_over(call: Call, error: Exception) -> bool:
    """Whether nobody can be told any more: the status was sent, or the connection is gone."""
    gone = isinstance(error, grpc.aio.BaseError) and not isinstance(error, grpc.aio.UsageError)
    return gone or call.context.done()


def _refusal(error: BaseException, call: Call) -> CallAborted:
    if isinstance(error, CallAborted):
        if any(key == _STATUS_KEY for key, _ in error.trailing_metadata):
            return error
        return _aborted(
            _status(error.code, error.details, error.code.name, {}), error.trailing_metadata
        )
    if isinstance(error, errors.DomainError):
        return _aborted(status_of(error))
    _log.error("unexpected error", method=call.method.path, exc_info=error)
    internal = grpc.StatusCode.INTERNAL
    message = "the service failed; its log has more under the request id"
    return _aborted(_status(internal, message, internal.name, {"request_id": call.request_id}))


def _aborted(status: status_pb2.Status, trailing_metadata: Metadata = ()) -> CallAborted:
    rich = rpc_status.to_status(status)
    return CallAborted(rich.code, rich.details, (*trailing_metadata, *rich.trailing_metadata))


def _status(
    code: grpc.StatusCode,
    message: str,
    reason: str,
    metadata: Mapping[str, str],
    details: Iterable[Message] = (),
    violations: Iterable[errors.Violation] = (),
) -> status_pb2.Status:
    """Puts a status together; violations that no longer fit are counted in the metadata."""
    facts = {key: _cut(value) for key, value in metadata.items()}
    info = error_details_pb2.ErrorInfo(reason=reason, domain=DOMAIN, metadata=facts)
    bad_request = error_details_pb2.BadRequest()
    left_out = 0
    size = info.ByteSize()
    for violation in violations:
        encoded = _field_violation(violation)
        size += encoded.ByteSize() + 4
        if size > _MAX_DETAILS_BYTES:
            left_out += 1
        else:
            bad_request.field_violations.append(encoded)
    if left_out:
        info.metadata["violations_left_out"] = str(left_out)
    status = status_pb2.Status(code=code.value[0], message=_cut(message))
    for detail in (info, *([bad_request] if bad_request.field_violations else []), *details):
        status.details.add().Pack(detail)
    return status


def _field_violation(violation: errors.Violation) -> error_details_pb2.BadRequest.FieldViolation:
    place = f"{violation.field}#{violation.pointer}" if violation.pointer else violation.field
    return error_details_pb2.BadRequest.FieldViolation(
        field=_cut(place),
        description=_cut(violation.message),
        reason=violation.code.upper().replace("-", "_"),
    )


def _cut(text: str) -> str:
    """The text, or its beginning where it is too long; lone surrogates as escapes."""
    encoded = text.encode(errors="backslashreplace")
    if len(encoded) <= _MAX_TEXT_BYTES:
        return encoded.decode()
    return encoded[: _MAX_TEXT_BYTES - 3].decode(errors="ignore") + "…"
