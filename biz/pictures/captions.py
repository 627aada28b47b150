"""Says in a few words what a task does, by its definition."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from biz.dsl.durations import shown_duration
from biz.dsl.events.strategies import StrategyKind
from biz.dsl.expressions import is_evaluated, unwrap
from biz.dsl.model import Duration, Task
from biz.dsl.retries import RetryPolicy
from biz.dsl.schedule import Schedule
from biz.dsl.tasks.fork import ForkTask
from biz.dsl.tasks.try_ import Catch
from biz.dsl.tasks.wait import WaitTask

_LONGEST = 400
"""More characters of a definition than these are in no picture."""

Caption = tuple[str, str]
"""What a task does in words, and with what."""


def caption(task: Task) -> Caption:
    """What a task does; the second part is empty where its kind says it all."""
    return _KINDS[task.kind](task)


def shown(value: Any) -> str:
    """A value of a definition in one line; an expression without its braces."""
    if isinstance(value, str):
        text = unwrap(value) if is_evaluated(value) else value
    else:
        text = json.dumps(value, ensure_ascii=False)
    return " ".join(text[:_LONGEST].split())


def duration_text(duration: Duration) -> str:
    """A duration as the definition has it."""
    if duration.expression is not None:
        return shown(duration.expression.source)
    return shown_duration(duration.fixed) if duration.fixed is not None else ""


def catch_captions(catch: Catch) -> list[str]:
    """Which errors are caught, and how often is tried again."""
    terms = [f"{name} {_error_term(name, value)}" for name, value in catch.errors.items()]
    lines = [f"catch {', '.join(terms)}" if terms else "catch all errors"]
    if catch.when is not None:
        lines.append(f"when {shown(catch.when.source)}")
    if catch.except_when is not None:
        lines.append(f"except when {shown(catch.except_when.source)}")
    if catch.retry is not None:
        lines.append(_retry_text(catch.retry))
    return lines


def schedule_captions(schedule: Schedule) -> list[str]:
    """What starts a workflow by itself, a line each."""
    lines = []
    if schedule.every is not None:
        lines.append(f"every {shown_duration(schedule.every)}")
    if schedule.cron is not None:
        lines.append(f"cron {shown(schedule.cron)}")
    if schedule.after is not None:
        lines.append(f"{shown_duration(schedule.after)} after each end")
    if schedule.on is not None:
        lines.append(f"on {_STRATEGIES[schedule.on.kind]}")
    return lines


def _error_term(name: str, value: Any) -> str:
    text = shown(value)
    return text.rpartition("/")[2] if name == "type" else text


def _retry_text(retry: RetryPolicy) -> str:
    count = retry.count
    times = "try again" if count is None else f"try again up to {count} times"
    if count == 1:
        times = "try again once"
    parts = [times]
    if retry.delay is not None:
        parts.append(f"after {duration_text(retry.delay)}")
    if retry.backoff != "constant":
        parts.append(f"{retry.backoff} backoff")
    if retry.total is not None:
        parts.append(f"within {duration_text(retry.total)}")
    return ", ".join(parts)


def _call(task: Task) -> Caption:
    name, given = str(task.definition["call"]), task.definition.get("with") or {}
    if name in _CALLS and isinstance(given, Mapping):
        return f"call {name}", _CALLS[name](given)
    return "call", shown(name)


def _http(given: Mapping[str, Any]) -> str:
    endpoint = given.get("endpoint")
    uri = endpoint.get("uri") if isinstance(endpoint, Mapping) else endpoint
    return f"{shown(given.get('method', '')).upper()} {shown(uri)}"


def _grpc(given: Mapping[str, Any]) -> str:
    service = given.get("service")
    name = service.get("name", "") if isinstance(service, Mapping) else ""
    return f"{shown(name)}/{shown(given.get('method', ''))}"


def _asyncapi(given: Mapping[str, Any]) -> str:
    verb = "subscribe" if "subscription" in given else "publish"
    return f"{verb} {shown(given.get('operation') or given.get('channel') or '')}"


def _mcp(given: Mapping[str, Any]) -> str:
    parameters = given.get("parameters")
    name = parameters.get("name", "") if isinstance(parameters, Mapping) else ""
    return f"{shown(given.get('method', ''))} {shown(name)}"


def _fork(task: Task) -> Caption:
    assert isinstance(task, ForkTask)
    if task.compete:
        return "fork, the first to complete wins", ""
    return "fork, all at once", ""


def _for(task: Task) -> Caption:
    loop = task.definition["for"]
    detail = f"{loop.get('each', 'item')} in {shown(loop['in'])}"
    if "while" in task.definition:
        detail += f" while {shown(task.definition['while'])}"
    return "for each", detail


def _wait(task: Task) -> Caption:
    assert isinstance(task, WaitTask)
    return "wait", duration_text(task.wait)


def _emit(task: Task) -> Caption:
    return "emit", _event(task.definition["emit"]["event"])


def _listen(task: Task) -> Caption:
    to = task.definition["listen"]["to"]
    kind = next(name for name in StrategyKind if name in to)
    filters = [to[kind]] if kind is StrategyKind.ONE else to[kind]
    detail = ", ".join(_event(wanted) for wanted in filters[:5])
    if until := to.get("until"):
        detail += f" until {shown(until) if isinstance(until, str) else 'another event'}"
    return f"listen to {_STRATEGIES[kind]}", detail


def _event(definition: Any) -> str:
    """The type of an event that is emitted or waited for, or else what it is told by."""
    given = definition.get("with") or {}
    if "type" in given:
        return shown(given["type"])
    return ", ".join(f"{name} {shown(value)}" for name, value in given.items())


def _raise(task: Task) -> Caption:
    error = task.definition["raise"]["error"]
    if isinstance(error, str):
        return "raise", error
    kind = shown(error.get("type", "")).rpartition("/")[2]
    return "raise", f"{kind} {shown(error.get('status', ''))}"


def _run(task: Task) -> Caption:
    run = task.definition["run"]
    kind = next(name for name in _PROCESSES if name in run)
    what = f"run {kind}" + ("" if run.get("await", True) else ", not awaited")
    return what, _PROCESSES[kind](run[kind])


def _workflow(process: Mapping[str, Any]) -> str:
    name, version = shown(process["name"]), shown(process["version"])
    return f"{shown(process['namespace'])}/{name} {version}"


def _set(task: Task) -> Caption:
    value = task.definition["set"]
    return "set", shown(", ".join(value)) if isinstance(value, Mapping) else shown(value)


_STRATEGIES = {
    StrategyKind.ONE: "one event",
    StrategyKind.ANY: "any of these events",
    StrategyKind.ALL: "all of these events",
}
_CALLS: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "a2a": lambda given: shown(given.get("method", "")),
    "asyncapi": _asyncapi,
    "grpc": _grpc,
    "http": _http,
    "mcp": _mcp,
    "openapi": lambda given: shown(given.get("operationId", "")),
}
_PROCESSES: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "container": lambda process: shown(process["image"]),
    "script": lambda process: shown(process["language"]),
    "shell": lambda process: shown(process["command"]),
    "workflow": _workflow,
}
_KINDS: Mapping[str, Callable[[Task], Caption]] = {
    "call": _call,
    "do": lambda task: ("do", ""),
    "emit": _emit,
    "for": _for,
    "fork": _fork,
    "listen": _listen,
    "raise": _raise,
    "run": _run,
    "set": _set,
    "switch": lambda task: ("switch", ""),
    "try": lambda task: ("try", ""),
    "wait": _wait,
}
