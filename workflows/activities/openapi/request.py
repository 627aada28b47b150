"""The HTTP request that an operation and the given parameters make."""

import json
import re
from collections.abc import Collection, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

import httpx

from biz.dsl.calls.openapi_call import OpenApiCall
from biz.dsl.errors import TaskFault, WorkflowError
from biz.dsl.json_types import describe
from workflows.activities.http_calls.body import FORM, JSON
from workflows.activities.http_calls.sender import HttpRequest
from workflows.activities.openapi.openapi_parameters import in_cookie, in_header, in_path, in_query
from workflows.activities.openapi.operation import Body, Field, Operation, Parameter, Place
from workflows.activities.redaction import keep_secret

MULTIPART = "multipart/form-data"

_SHOWN = 20


def request_of(operation: Operation, call: OpenApiCall) -> HttpRequest:
    """The request; raises TaskFault where a parameter is missing, unknown or can't be sent.

    A parameter that is null isn't given. One whose name is declared at two places goes to both.
    """
    given: Mapping[str, Any] = {k: v for k, v in call.parameters.items() if v is not None}
    placed = [(parameter, given.get(parameter.name)) for parameter in operation.parameters]
    for parameter, value in placed:
        if value is None and parameter.is_required:
            raise _fault(operation, f'needs the parameter "{parameter.name}"')
    known = {parameter.name for parameter in operation.parameters}
    keys = [
        (key, given[name])
        for name, key in operation.keys.items()
        if name in given and name not in known
    ]
    keep_secret([value for _, value in keys])
    placed += keys
    known.update(operation.keys)
    rest = {name: value for name, value in call.parameters.items() if name not in known}
    content, content_type = _body(operation, known, rest)

    def at(place: Place) -> Sequence[tuple[Parameter, Any]]:
        return [(p, value) for p, value in placed if p.place is place and value is not None]

    headers = [(p.name, in_header(p.name, p.style, p.explode, v)) for p, v in at(Place.HEADER)]
    if cookies := [in_cookie(p.name, p.style, v) for p, v in at(Place.COOKIE)]:
        headers.append(("Cookie", "; ".join(cookies)))
    if operation.accepts and all(name.lower() != "accept" for name, _ in headers):
        headers.append(("Accept", operation.accepts))
    query = [x for p, v in at(Place.QUERY) for x in in_query(p.name, p.style, p.explode, v)]
    url = _path(operation, at(Place.PATH))
    return HttpRequest(
        method=operation.method,
        url=f"{url}?{'&'.join(query)}" if query else url,
        headers=headers,
        secret_headers=[key.name for key, _ in keys if key.place is Place.HEADER],
        content=content,
        content_type=content_type,
        authentication=call.authentication,
        redirect=call.redirect,
        idempotency_key=call.idempotency_key,
    )


def _path(operation: Operation, placed: Sequence[tuple[Parameter, Any]]) -> str:
    """The URL with its path's templates expanded."""
    texts = {}
    for parameter, value in placed:
        text = in_path(parameter.name, parameter.style, parameter.explode, value)
        if text in ("", ".", ".."):
            # The path of another operation would come of it.
            raise _fault(operation, f'can\'t have "{text}" as the parameter "{parameter.name}"')
        texts[parameter.name] = text

    def expand(match: re.Match[str]) -> str:
        if match[1] not in texts:
            detail = f"the path of {operation.id} holds {match[0]}, which no parameter declares"
            raise TaskFault(WorkflowError.standard("configuration", detail))
        return texts[match[1]]

    return re.sub(r"\{([^{}]*)\}", expand, operation.url)


def _body(
    operation: Operation, known: Collection[str], rest: Mapping[str, Any]
) -> tuple[bytes | None, str]:
    """The content and its type, of the parameters that aren't `known` to stand elsewhere."""
    body = operation.body
    if body is None:
        _refuse_unknown(operation, rest, known)
        return None, ""
    if body.name in rest:
        others = [name for name in rest if name != body.name]
        _refuse_unknown(operation, others, {*known, body.name})
        value = rest[body.name]
    else:
        if body.is_closed:
            names = {*known, *body.fields, *([body.name] if body.name else [])}
            _refuse_unknown(operation, [n for n in rest if n not in body.fields], names)
        value = rest or None
        if rest or body.is_required:
            _require_fields(operation, body, rest)
    if value is None:
        if not body.is_required:
            return None, ""
        if body.name:
            raise _fault(operation, f'needs the parameter "{body.name}", its body')
        value = {}
    return _encoded(operation, body, value)


def _require_fields(operation: Operation, body: Body, rest: Mapping[str, Any]) -> None:
    for name, field in body.fields.items():
        if field.is_required and name not in rest:
            raise _fault(operation, f'needs the parameter "{name}", a property of its body')


def _encoded(operation: Operation, body: Body, value: Any) -> tuple[bytes, str]:
    """The body in its media type."""
    kind = body.media_type.partition(";")[0].strip().lower()
    if kind in (FORM, MULTIPART):
        if not isinstance(value, dict):
            detail = f"sends its body as {kind}: it must be an object, not {describe(value)}"
            raise _fault(operation, detail)
        return _form(body, value) if kind == FORM else _multipart(body, value)
    if kind == JSON or kind.endswith("+json"):
        return json.dumps(value).encode(), body.media_type
    if not isinstance(value, str):
        detail = f"sends its body as {kind}: it must be a string, not {describe(value)}"
        raise _fault(operation, detail)
    return value.encode(), body.media_type


def _form(body: Body, fields: Mapping[str, Any]) -> tuple[bytes, str]:
    parts: list[str] = []
    for name, value in fields.items():
        field = body.fields.get(name, Field())
        if value is not None:
            parts += in_query(name, field.style, field.explode, _flat(value))
    return "&".join(parts).encode(), FORM


def _multipart(body: Body, fields: Mapping[str, Any]) -> tuple[bytes, str]:
    files: list[tuple[str, tuple[str | None, str, str | None]]] = []
    for name, value in fields.items():
        is_file = body.fields.get(name, Field()).is_file
        for item in value if isinstance(value, list) else [value]:
            if item is None:
                continue
            kind = JSON if isinstance(item, dict | list) else None
            text = item if isinstance(item, str) else json.dumps(item)
            files.append((name, (name if is_file else None, text, kind)))
    request = httpx.Request("POST", "http://multipart", files=files)
    return request.read(), request.headers.get("Content-Type", "")


def _flat(value: Any) -> Any:
    """A field's value in which objects are JSON texts."""
    if isinstance(value, dict):
        return json.dumps(value)
    if isinstance(value, list):
        return [json.dumps(item) if isinstance(item, dict | list) else item for item in value]
    return value


def _refuse_unknown(operation: Operation, names: Collection[str], known: Collection[str]) -> None:
    for name in names:
        close = get_close_matches(name, known, n=1)
        shown = ", ".join(sorted(known)[:_SHOWN])
        hint = f'did you mean "{close[0]}"?' if close else f"it has {shown or 'none'}"
        raise _fault(operation, f'has no parameter "{name}"; {hint}')


def _fault(operation: Operation, what: str) -> TaskFault:
    return TaskFault(WorkflowError.standard("validation", f"the operation {operation.id} {what}"))
