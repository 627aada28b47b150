"""Bodies of HTTP requests: JSON values as they are sent."""

import json
from collections.abc import Sequence
from typing import Any

import httpx

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"


def encode_body(body: Any, media_type: str) -> tuple[bytes | None, str]:
    """The body as a request of a media type has it, and the content type where there is none yet.

    A string is sent as it is, an object as a form where the media type says so, all else as JSON.
    None is no body.
    """
    if body is None:
        return None, ""
    if isinstance(body, str):
        return body.encode(), "text/plain; charset=utf-8"
    if isinstance(body, dict) and media_type == FORM:
        return str(httpx.QueryParams(body)).encode(), FORM
    return json.dumps(body).encode(), JSON


def media_type_of(headers: Sequence[tuple[str, str]]) -> str:
    """The media type that headers give, without its parameters and in lower case."""
    found = next((value for name, value in headers if name.lower() == "content-type"), "")
    return found.partition(";")[0].strip().lower()
