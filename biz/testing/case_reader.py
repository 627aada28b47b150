"""Reads files of tests; every fault is found at once, with its place in the text."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from biz.dsl.dry_run import Ending, TimedEvent
from biz.dsl.durations import InvalidDuration, parse_duration
from biz.dsl.errors import WorkflowError
from biz.dsl.events.event import SPEC_VERSION, event_faults, without_nulls
from biz.dsl.lifecycle import ABSENT
from biz.dsl.memory_runtime import Answer
from biz.dsl.mocks import Mock, UnknownTask, all_pointers, find_task
from biz.dsl.reading.diagnostics import Diagnostic, Diagnostics
from biz.dsl.reading.positions import Position, SourceError
from biz.dsl.reading.reader import Node
from biz.dsl.reading.source import read
from biz.dsl.task_paths import pointer_of
from biz.dsl.validator import check, place
from biz.testing.cases import CallExpectation, Case, CaseFile, Expectation

START = datetime(2025, 1, 1, tzinfo=UTC)
"""Where the virtual clock begins unless a case says otherwise: tests give the same every day."""

_ERROR = ("type", "status", "title", "detail")
_ANSWERS = ("output", "result", "error")
_ENDINGS = ("output", "error", "waits")


class InvalidCases(Exception):
    """The text holds no valid tests."""

    def __init__(self, diagnostics: Sequence[Diagnostic]) -> None:
        super().__init__(diagnostics[0].message)
        self.diagnostics = diagnostics


def read_cases(text: str, load: Callable[[str], str]) -> CaseFile:
    """The cases of a text in YAML or JSON.

    `load` gives the text of the definition at a path, which has no errors. Raises InvalidCases, and
    what `load` raises.
    """
    try:
        source = read(text)
    except SourceError as error:
        raise InvalidCases([Diagnostic.of_syntax(error)]) from None
    diagnostics = Diagnostics()
    places = source.positions()
    found = _read_file(Node(source.value, "", diagnostics), places, load, diagnostics)
    if diagnostics.has_errors:
        raise InvalidCases(place(diagnostics.all(), places))
    return found


def _read_file(
    node: Node,
    places: Mapping[str, Position],
    load: Callable[[str], str],
    diagnostics: Diagnostics,
) -> CaseFile:
    fields = node.object(required=("workflow", "cases"))
    config = _read_workflow(fields["workflow"], load, diagnostics)
    # With a broken definition inline no task is known, so the cases wait until it is mended.
    reader = _Reader(places, all_pointers(check(config).require())) if config else None
    cases = [reader.case(item) for item in fields["cases"].array()] if reader else []
    if fields["cases"].value == []:
        fields["cases"].error("empty", "must have at least one case")
    names: set[str] = set()
    for number, case in enumerate(cases):
        if case.name in names:
            item = fields["cases"].at(number).at("name")
            item.error("duplicate-name", f'"{case.name}" stands twice in this file')
        names.add(case.name)
    return CaseFile(config=config, cases=cases)


def _read_workflow(node: Node, load: Callable[[str], str], diagnostics: Diagnostics) -> str:
    """The text of the definition that a path leads to, or that stands here; empty with faults."""
    if isinstance(node.value, dict):
        text = json.dumps(node.value)
        errors = check(text).errors
        for found in errors:
            diagnostics.error(found.code, found.message, f"{node.pointer}{found.pointer}")
        return "" if errors else text
    if isinstance(node.value, str) and node.value:
        return load(node.value)
    if node.pointer:
        node.error("wrong-type", "must be the path of a definition, or the definition itself")
    return ""


class _Reader:
    """Reads cases of one definition, whose tasks are `pointers`."""

    def __init__(self, places: Mapping[str, Position], pointers: Sequence[str]) -> None:
        self._places = places
        self._pointers = pointers

    def case(self, node: Node) -> Case:
        fields = node.object(
            required=("name",), optional=("input", "startTime", "mocks", "events", "expect")
        )
        start = _read_time(fields["startTime"]) if "startTime" in fields else START
        name = fields["name"]
        if isinstance(node.value, dict) and "name" in node.value and not name.string():
            name.error("empty", "must be a text that says what the case shows")
        position = self._places.get(node.pointer)
        return Case(
            name=str(name.value),
            line=position.line if position else 0,
            input=fields["input"].value if "input" in fields else {},
            start=start,
            mocks=self._mocks(fields["mocks"]) if "mocks" in fields else {},
            events=(
                [_read_event(item, number) for number, item in enumerate(fields["events"].array())]
                if "events" in fields
                else ()
            ),
            expect=self._expectation(fields["expect"]) if "expect" in fields else Expectation(),
        )

    def _mocks(self, node: Node) -> Mapping[str, Mock]:
        mocks = {}
        for name, item in node.mapping().items():
            answers = item.array() if isinstance(item.value, list) else [item]
            if not answers:
                item.error("empty", "must have at least one answer")
            mocks[self._task(item, name)] = Mock([_read_answer(answer) for answer in answers])
        _check_results(node, mocks)
        return mocks

    def _expectation(self, node: Node) -> Expectation:
        fields = node.object(optional=(*_ENDINGS, "duration", "run", "notRun", "calls", "emitted"))
        endings = [name for name in _ENDINGS if name in fields]
        if len(endings) > 1:
            fields[endings[1]].error(
                "invalid-value", f'a run ends in one way: "{endings[0]}" is expected already'
            )
        ending = Ending.COMPLETED
        if "error" in fields:
            ending = Ending.FAULTED
        elif "waits" in fields and fields["waits"].boolean():
            ending = Ending.WAITING
        return Expectation(
            ending=ending,
            output=fields["output"].value if "output" in fields else ABSENT,
            error=_read_expected_error(fields["error"]) if "error" in fields else {},
            duration=_read_duration(fields["duration"]) if "duration" in fields else None,
            run=self._tasks(fields.get("run")),
            not_run=self._tasks(fields.get("notRun")),
            calls=self._calls(fields["calls"]) if "calls" in fields else {},
            emitted=[item.value for item in fields["emitted"].array()]
            if "emitted" in fields
            else None,
        )

    def _tasks(self, node: Node | None) -> Sequence[str]:
        items = node.array() if node else ()
        return [self._task(item, item.string()) for item in items]

    def _calls(self, node: Node) -> Mapping[str, CallExpectation]:
        return {self._task(item, name): _read_calls(item) for name, item in node.mapping().items()}

    def _task(self, node: Node, name: str) -> str:
        try:
            return find_task(name, self._pointers)
        except UnknownTask as unknown:
            node.error("unknown-reference", str(unknown))
            return name


def _check_results(node: Node, mocks: Mapping[str, Mock]) -> None:
    """Reports a task whose calls are answered in two ways: `output.as` can't do both."""
    kinds: dict[str, set[bool]] = {}
    for path, mock in mocks.items():
        pointer = pointer_of(path)
        values = {answer.is_result for answer in mock.answers if answer.error is None}
        kinds.setdefault(pointer, set()).update(values)
        if len(kinds[pointer]) > 1:
            node.error("invalid-value", f'{pointer} has both "output" and "result" in its mocks')


def _read_answer(node: Node) -> Answer:
    fields = node.object(optional=("output", "result", "error", "delay"))
    if isinstance(node.value, dict) and sum(name in fields for name in _ANSWERS) != 1:
        node.error("invalid-value", 'must have one of "output", "result" and "error"')
    value = fields.get("output") or fields.get("result")
    return Answer(
        output=value.value if value else None,
        is_result="result" in fields,
        error=_read_error(fields["error"]) if "error" in fields else None,
        delay=_read_duration(fields["delay"]) if "delay" in fields else timedelta(),
    )


def _read_error(node: Node) -> WorkflowError:
    """An error by its type alone, or with all that it has."""
    if node.is_string:
        return WorkflowError.like(node.string())
    fields = node.object(required=("type",), optional=_ERROR[1:])
    texts = {name: fields[name].string() for name in ("title", "detail") if name in fields}
    return WorkflowError.like(
        fields["type"].string(),
        status=fields["status"].integer() if "status" in fields else 0,
        **texts,
    )


def _read_expected_error(node: Node) -> Mapping[str, Any]:
    if node.is_string:
        return {"type": node.value}
    fields = node.object(optional=(*_ERROR, "instance"))
    for name, field in fields.items():
        if name == "status":
            field.integer()
        else:
            field.string()
    return {name: field.value for name, field in fields.items()}


def _read_calls(node: Node) -> CallExpectation:
    """How many calls are expected, or that and what they send."""
    if not isinstance(node.value, dict):
        return CallExpectation(count=_read_count(node))
    fields = node.object(optional=("count", "sent"))
    sent = fields.get("sent")
    if sent and not isinstance(sent.value, dict | list):
        sent.error("wrong-type", "must be an object, or an array of one object for each call")
    return CallExpectation(
        count=_read_count(fields["count"]) if "count" in fields else None,
        sent=sent.value if sent else ABSENT,
    )


def _read_count(node: Node) -> int:
    count = node.integer()
    if count < 0:
        node.error("invalid-value", "must not be negative")
    return count


def _read_event(node: Node, number: int) -> TimedEvent:
    """An event; what every event needs, and no test cares for, is filled in."""
    fields = node.object(required=("event",), optional=("at",))
    event = fields["event"]
    value = event.value if isinstance(event.value, dict) else {}
    known = {
        "specversion": SPEC_VERSION,
        "id": f"event-{number + 1}",
        "source": "/test",
        **without_nulls(value),
    }
    if event.mapping():
        for fault in event_faults(known):
            event.error("invalid-event", f'"{fault.attribute}" {fault.message}')
    elif event.value == {}:
        event.error("empty", "an event must have a type")
    return TimedEvent(
        after=_read_duration(fields["at"]) if "at" in fields else timedelta(), event=known
    )


def _read_duration(node: Node) -> timedelta:
    try:
        return parse_duration(node.value)
    except InvalidDuration as error:
        node.error(error.code, f"a duration {error}")
        return timedelta()


def _read_time(node: Node) -> datetime:
    try:
        time = datetime.fromisoformat(node.string())
    except ValueError:
        time = START.replace(tzinfo=None)
    if time.tzinfo is None:
        if node.is_string:
            node.error(
                "invalid-value", "must be a time with its zone, such as 2025-01-31T12:00:00Z"
            )
        return START
    return time.astimezone(UTC)
