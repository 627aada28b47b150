"""No unary call lasts for ever."""

import asyncio
from datetime import timedelta
from typing import Any

import grpc

from server.interceptors.chain import Call, CallAborted, Handler, Method, Middleware


def deadlines(default: timedelta) -> Middleware:
    """Cancels a call when its deadline has passed, and answers DEADLINE_EXCEEDED.

    A call whose caller set no deadline has `default`. Streams last as long as their caller wants.
    """

    def middleware(proceed: Handler, method: Method) -> Handler:
        if method.request_streaming or method.response_streaming:
            return proceed

        async def handle(request: Any, call: Call) -> Any:
            remaining = call.context.time_remaining()
            seconds = default.total_seconds() if remaining is None else remaining
            try:
                async with asyncio.timeout(seconds) as limit:
                    return await proceed(request, call)
            except TimeoutError:
                if not limit.expired():
                    raise
            raise CallAborted(
                grpc.StatusCode.DEADLINE_EXCEEDED,
                "the deadline passed before the call was done; what it asked for may have happened",
            )

        return handle

    return middleware
