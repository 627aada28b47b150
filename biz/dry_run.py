"""Dry runs: what callers can try without anything outside being touched."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from biz.dsl.dry_run import DryRun, Rehearsal, TimedEvent
from biz.dsl.events.event import event_faults, without_nulls
from biz.dsl.memory_runtime import Answer
from biz.dsl.mocks import Mock, UnknownTask, all_pointers, find_task
from biz.dsl.model import Workflow
from biz.dsl.reading.pointers import child
from biz.dsl.schemas import Schema
from biz.dsl.validator import load_workflow
from biz.errors import InvalidArgument, Violation
from biz.limits import check_size
from biz.templates.template import TemplateUsecase

MAX_MOCKS = 1000
MAX_EVENTS = 1000


class DryRunner(Protocol):
    """Does dry runs where they can be stopped."""

    async def run(self, rehearsal: Rehearsal) -> DryRun:
        """What comes of one; raises DryRunTooLarge."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class DryRunRequest:
    """What a caller asks to try: a definition, or a template by id.

    `mocks` are by what names a task, each the answers of successive calls. An event is a JSON
    value, and comes at its time, or at the start. `input` None means none.
    """

    config: str = ""
    template_id: int = 0
    input: Any = None
    mocks: Mapping[str, Sequence[Answer]] = field(default_factory=dict)
    events: Sequence[tuple[Any, datetime | None]] = ()
    start: datetime | None = None


class DryRunUsecase:
    """What callers can do with dry runs."""

    def __init__(
        self, *, templates: TemplateUsecase, runner: DryRunner, clock: Callable[[], datetime]
    ) -> None:
        self._templates = templates
        self._runner = runner
        self._clock = clock

    async def run(self, request: DryRunRequest) -> DryRun:
        """Runs a definition in memory, on a virtual clock.

        Raises InvalidArgument, InvalidDefinition, TemplateNotFound, DryRunTooLarge.
        """
        if faults := list(_request_faults(request)):
            raise InvalidArgument(faults)
        config = request.config
        if request.template_id:
            config = (await self._templates.get(request.template_id)).config
        else:
            await self._templates.require_valid(config)
        start = request.start or self._clock()
        # In a thread, since the first one parses the definition, and a schema may be large.
        rehearsal = await asyncio.to_thread(_rehearsal, config, request, start)
        return await self._runner.run(rehearsal)


def _rehearsal(config: str, request: DryRunRequest, start: datetime) -> Rehearsal:
    """What the request means for the definition; raises InvalidArgument."""
    workflow = load_workflow(config)
    input = {} if request.input is None else request.input
    faults = list(_input_faults(workflow, input))
    mocks = _mocks(workflow, request, faults)
    events = _events(request, start, faults)
    if faults:
        raise InvalidArgument(faults)
    return Rehearsal(config=config, input=input, start=start, mocks=mocks, events=events)


def _request_faults(request: DryRunRequest) -> Iterator[Violation]:
    if bool(request.config) == bool(request.template_id):
        yield Violation(field="config", code="one-of", message="give either config or template_id")
    for name, values, limit in (
        ("mocks", request.mocks, MAX_MOCKS),
        ("events", request.events, MAX_EVENTS),
    ):
        if len(values) > limit:
            message = f"must have at most {limit} items"
            yield Violation(field=name, code="too-many", message=message)
    yield from check_size("input", request.input)


def _input_faults(workflow: Workflow, input: Any) -> Iterator[Violation]:
    schema = workflow.input.schema
    if isinstance(schema, Schema):
        for fault in schema.faults(input):
            yield Violation(
                field="input", code="schema", message=fault.message, pointer=fault.pointer
            )


def _mocks(
    workflow: Workflow, request: DryRunRequest, faults: list[Violation]
) -> Mapping[str, Mock]:
    pointers = all_pointers(workflow)
    mocks = {}
    for name, answers in request.mocks.items():
        place = child("", name)
        if not answers:
            message = "must have at least one answer"
            faults.append(Violation(field="mocks", code="empty", message=message, pointer=place))
        try:
            mocks[find_task(name, pointers)] = Mock(answers)
        except UnknownTask as unknown:
            fault = Violation(
                field="mocks", code="unknown-task", message=str(unknown), pointer=place
            )
            faults.append(fault)
    return mocks


def _events(
    request: DryRunRequest, start: datetime, faults: list[Violation]
) -> Sequence[TimedEvent]:
    events = []
    for number, (event, time) in enumerate(request.events):
        known = without_nulls(event) if isinstance(event, dict) else event
        for fault in event_faults(known):
            place = child(f"/{number}/event", fault.attribute) if fault.attribute else f"/{number}"
            faults.append(
                Violation(
                    field="events", code="invalid-event", message=fault.message, pointer=place
                )
            )
        after = timedelta() if time is None else time - start
        if after < timedelta():
            message = "comes before the run starts: give a later time, or an earlier start_time"
            pointer = f"/{number}/time"
            early = Violation(field="events", code="out-of-range", message=message, pointer=pointer)
            faults.append(early)
        events.append(TimedEvent(after=after, event=known))
    return events
