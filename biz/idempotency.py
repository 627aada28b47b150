"""The same request twice makes one thing (AIP-155)."""

import hashlib
import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

REQUEST_ID_LIFETIME = timedelta(days=1)
MAX_REQUEST_ID_LENGTH = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestKey:
    """Names one request that makes something.

    A repository stores it in the transaction that makes the thing. The same key with the same
    `digest` within `REQUEST_ID_LIFETIME` answers what the first call made; with another digest it
    is `RequestIdReused`.
    """

    namespace: str
    rpc: str
    request_id: str
    digest: str


def request_key(rpc: str, namespace: str, request_id: str, content: Any) -> RequestKey | None:
    """The key of a request, or None where the caller gave no request_id.

    `content` is all else that the caller sent, as JSON values.
    """
    if not request_id:
        return None
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), default=str)
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    return RequestKey(namespace=namespace, rpc=rpc, request_id=request_id, digest=digest)
