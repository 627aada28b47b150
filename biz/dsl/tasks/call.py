"""DSL reference, "Call": which protocol or function a call task calls."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from biz.dsl.external.catalogs import parse_reference
from biz.dsl.functions import PROTOCOLS
from biz.dsl.model import Task
from biz.dsl.tasks import call_asyncapi, call_external, call_stored, call_temporal
from biz.dsl.tasks.call_a2a import A2aCallTask
from biz.dsl.tasks.call_function import FunctionCallTask
from biz.dsl.tasks.call_grpc import GrpcCallTask
from biz.dsl.tasks.call_http import HttpCallTask
from biz.dsl.tasks.call_mcp import McpCallTask
from biz.dsl.tasks.call_openapi import OpenApiCallTask

if TYPE_CHECKING:
    from biz.dsl.parser import TaskSource

REQUIRED = ("call",)
OPTIONAL = ("with",)

_READERS: Mapping[str, Callable[[TaskSource], Task | None]] = {
    "a2a": A2aCallTask.parse,
    "asyncapi": call_asyncapi.parse,
    "grpc": GrpcCallTask.parse,
    "http": HttpCallTask.parse,
    "mcp": McpCallTask.parse,
    "openapi": OpenApiCallTask.parse,
}


def is_performed(definition: Mapping[str, Any]) -> bool:
    """Whether an activity makes the call: functions are tasks of their own."""
    return definition["call"] in PROTOCOLS


def parse(source: TaskSource) -> Task | None:
    """The call task of the kind that `call` names, None where that isn't supported."""
    node = source.fields["call"]
    name = node.string()
    if name in _READERS:
        return _READERS[name](source)
    return _parse_function(name, source)


def _parse_function(name: str, source: TaskSource) -> Task | None:
    functions, catalogs = source.parser.functions, source.parser.use.catalogs
    if name in functions:
        return FunctionCallTask.parse(source)
    if "://" in name:
        return call_external.parse_uri(source)
    reference = parse_reference(name)
    if reference is None:
        functions.report_unknown(source.fields["call"])
        return None
    if reference.catalog not in catalogs:
        if reference.catalog == call_temporal.CATALOG:
            return call_temporal.parse(source, reference)
        if reference.catalog == call_stored.CATALOG:
            return call_stored.parse(source, reference)
    return call_external.parse_cataloged(source, reference)
