"""A name for each RPC, which the caller, the log and the traces share."""

import re
import uuid
from typing import Any

import structlog

from server.interceptors.chain import Call, Handler, Method

HEADER = "x-request-id"
_VALID = re.compile(r"[\x21-\x7e]{1,128}")


def request_ids(proceed: Handler, method: Method) -> Handler:
    """Takes the caller's id, at most 128 visible ASCII characters, or makes one.

    It goes into every log line of the call as `request_id`, and back in the trailing metadata.
    """

    async def handle(request: Any, call: Call) -> Any:
        given = call.metadata.get(HEADER)
        valid = isinstance(given, str) and _VALID.fullmatch(given)
        call.request_id = str(given) if valid else str(uuid.uuid4())
        structlog.contextvars.bind_contextvars(request_id=call.request_id)
        call.context.set_trailing_metadata(((HEADER, call.request_id),))
        return await proceed(request, call)

    return handle
