"""Reads what an HTTP service answers (DSL reference, "HTTP Response"), within bounds."""

import base64
import zlib
from typing import Any

import httpx

from biz.dsl.calls.http_call import HttpOutput
from biz.dsl.json_values import parse_json
from biz.dsl.sizes import MAX_JSON_BYTES, json_size
from workflows.activities.redaction import redact

ACCEPTED_ENCODINGS = "gzip, deflate"

_LARGEST_OUTPUT = 2 * MAX_JSON_BYTES
_WINDOWS = {"gzip": (31,), "x-gzip": (31,), "deflate": (15, -15)}
"""zlib's window bits by encoding: `deflate` comes with zlib's header, or without it."""


class UnreadableResponse(Exception):
    """The service answered, but not with what can be taken; the message completes "GET … "."""


async def read_body(response: httpx.Response, *, limit: int) -> bytes:
    """The body without its content encoding, at most `limit` bytes. Raises UnreadableResponse."""
    raw = bytearray()
    async for chunk in response.aiter_raw():
        raw += chunk
        if len(raw) > limit:
            raise _too_large(limit)
    encoding = response.headers.get("content-encoding", "identity").strip().lower()
    if encoding == "identity" or not raw:
        return bytes(raw)
    for window in _WINDOWS.get(encoding, ()):
        try:
            return _inflated(bytes(raw), window, limit)
        except zlib.error:
            continue
    raise UnreadableResponse(f"answered something else than {ACCEPTED_ENCODINGS}, or a broken one")


def output_of(response: httpx.Response, content: bytes, form: HttpOutput) -> Any:
    """The call's output. Raises UnreadableResponse."""
    output: Any
    match form:
        case HttpOutput.RAW:
            output = base64.b64encode(content).decode()
        case HttpOutput.CONTENT:
            output = _content(response, content)
        case HttpOutput.RESPONSE:
            output = {
                "request": {
                    "method": response.request.method.lower(),
                    "uri": redact(str(response.request.url.copy_with(userinfo=b""))),
                    "headers": {
                        name: redact(value)
                        for name, value in _shown(response.request.headers).items()
                    },
                },
                "statusCode": response.status_code,
                "headers": _shown(response.headers),
                "content": _content(response, content),
            }
    if json_size(output) > _LARGEST_OUTPUT:
        raise _too_large(_LARGEST_OUTPUT)
    return output


def media_type(headers: httpx.Headers) -> str:
    """The content type without its parameters, in lower case."""
    return str(headers.get("content-type", "")).partition(";")[0].strip().lower()


def _inflated(raw: bytes, window: int, limit: int) -> bytes:
    inflating = zlib.decompressobj(window)
    content = inflating.decompress(raw, limit + 1)
    if len(content) > limit:
        raise _too_large(limit)
    if not inflating.eof:
        raise UnreadableResponse("answered a body that breaks off")
    return content


def _content(response: httpx.Response, content: bytes) -> Any:
    """JSON as its value, text as a string, all else in base64; null where there is nothing."""
    kind = media_type(response.headers)
    if not content:
        return None
    if kind == "application/json" or kind.endswith("+json"):
        try:
            return parse_json(content)
        except ValueError:
            raise UnreadableResponse(f"answered something else than JSON as {kind}") from None
    if kind.startswith("text/") or kind.endswith(("/xml", "+xml", "/yaml", "+yaml")):
        return _text(response, content)
    return base64.b64encode(content).decode()


def _text(response: httpx.Response, content: bytes) -> str:
    """By the answer's own charset, where that is one of texts, else as UTF-8."""
    try:
        return content.decode(response.charset_encoding or "utf-8", errors="replace")
    except (LookupError, UnicodeError):
        return content.decode("utf-8", errors="replace")


def _shown(headers: httpx.Headers) -> dict[str, str]:
    """Headers as they may be stored; credentials stay out."""
    return {
        name: value
        for name, value in headers.items()
        if name not in ("authorization", "proxy-authorization")
    }


def _too_large(limit: int) -> UnreadableResponse:
    return UnreadableResponse(f"answered more than {limit} bytes")
