"""The access log: one line for each RPC."""

import time
from logging import DEBUG, ERROR, INFO, WARNING
from typing import Any

import grpc
import structlog

from server.interceptors.chain import Call, Handler, Method

_log = structlog.get_logger(__name__)

_LEVELS = {
    grpc.StatusCode.INTERNAL: ERROR,
    grpc.StatusCode.UNKNOWN: ERROR,
    grpc.StatusCode.DATA_LOSS: ERROR,
    grpc.StatusCode.UNAVAILABLE: WARNING,
    grpc.StatusCode.DEADLINE_EXCEEDED: WARNING,
    grpc.StatusCode.RESOURCE_EXHAUSTED: WARNING,
}
_HEALTH = "grpc.health.v1.Health"


def access_log(proceed: Handler, method: Method) -> Handler:
    """Logs method, code, duration and peer when a call has ended.

    The level says whose fault it was: error for the service's, warning where it was overloaded or
    too slow, info for all else. What health checks answer is only for debugging.
    """
    usual = DEBUG if method.service == _HEALTH else INFO

    async def handle(request: Any, call: Call) -> Any:
        began = time.perf_counter()
        try:
            return await proceed(request, call)
        finally:
            _log.log(
                _LEVELS.get(call.outcome, usual),
                "rpc",
                method=method.path,
                code=call.outcome.name,
                duration_ms=round((time.perf_counter() - began) * 1000, 3),
                peer=call.context.peer(),
            )

    return handle
