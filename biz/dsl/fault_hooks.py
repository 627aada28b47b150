"""Who is told of faults: `onFault` in the document's metadata, an addition to the standard."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias
from urllib.parse import urlsplit

from biz.dsl.reading.reader import Node
from biz.dsl.uri_templates import is_reference

MAX_HOOKS = 8
_MAX_NAME_LENGTH = 255
_MAX_ENDPOINT_LENGTH = 2_000
_CODE = "invalid-hook"
_HOST = re.compile(r"[A-Za-z0-9._-]+|[0-9A-Fa-f:.]+")
"""A name or an address of IPv4, or one of IPv6, as `urlsplit` gives it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowHook:
    """A stored workflow that is run.

    An empty `namespace` is that of the run which faulted, an empty `version` its default.
    """

    name: str
    namespace: str = ""
    version: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpHook:
    """An address that takes CloudEvents."""

    endpoint: str


FaultHook: TypeAlias = WorkflowHook | HttpHook


def read_fault_hooks(document: Node) -> Sequence[FaultHook]:
    """The hooks of a definition; another `metadata` than an object is told before."""
    node = document
    for name in ("metadata", "onFault"):
        if not isinstance(node.value, dict) or name not in node.value:
            return ()
        node = node.at(name)
    if not isinstance(node.value, list):
        node.error(_CODE, "must be an array of hooks, such as {http: {endpoint: …}}")
        return ()
    if len(node.value) > MAX_HOOKS:
        node.error(_CODE, f"has {len(node.value)} hooks, more than {MAX_HOOKS}")
    found = [_read(node.at(place)) for place in range(min(len(node.value), MAX_HOOKS))]
    return [hook for hook in found if hook is not None]


def _read(node: Node) -> FaultHook | None:
    fields = _fields(node, optional=("workflow", "http"))
    if len(fields) != 1:
        if isinstance(node.value, dict):
            node.error(_CODE, 'must have either "workflow" or "http"')
        return None
    if "http" in fields:
        endpoint = _fields(fields["http"], required=("endpoint",)).get("endpoint")
        return HttpHook(endpoint=_endpoint(endpoint)) if endpoint else None
    names = _fields(fields["workflow"], required=("name",), optional=("namespace", "version"))
    if "name" not in names:
        return None
    return WorkflowHook(**{key: _name(name) for key, name in names.items()})


def _fields(
    node: Node, *, required: Sequence[str] = (), optional: Sequence[str] = ()
) -> Mapping[str, Node]:
    """The properties of an object that are known here.

    Every fault is a hook's: of what the metadata hold, the standard refuses nothing.
    """
    if not isinstance(node.value, dict):
        node.error(_CODE, f"must be an object of {', '.join((*required, *optional))}")
        return {}
    known = (*required, *optional)
    for key in node.value:
        if key not in known:
            node.at(key).error(_CODE, f"isn't known here; known are {', '.join(known)}")
    for key in required:
        if key not in node.value:
            node.error(_CODE, f'"{key}" is missing')
    return {key: node.at(key) for key in known if key in node.value}


def _name(node: Node) -> str:
    if not isinstance(node.value, str) or not 0 < len(node.value) <= _MAX_NAME_LENGTH:
        node.error(_CODE, f"must be a text of 1 to {_MAX_NAME_LENGTH} characters")
        return ""
    return node.value


def _endpoint(node: Node) -> str:
    if not isinstance(node.value, str) or not _is_address(node.value):
        message = "must be an address as it is, such as https://alerts.example.com/faults"
        node.error(_CODE, f"{message}: no expression, no variables")
        return ""
    if len(node.value) > _MAX_ENDPOINT_LENGTH:
        node.error(_CODE, f"is longer than {_MAX_ENDPOINT_LENGTH} characters")
    return node.value


def _is_address(text: str) -> bool:
    if not is_reference(text) or set("{}") & set(text):
        return False
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError:  # the port is none, or the address of IPv6
        return False
    is_place = _HOST.fullmatch(host) is not None and port != 0
    return parts.scheme in ("http", "https") and is_place
