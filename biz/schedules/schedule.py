"""Schedules: what starts a template's executions by itself.

A schedule belongs to a template's name: of its active versions the newest has one, for each way to
start that its definition knows. What is stored is what is wanted; the timetable at the engine
follows it.
"""

from __future__ import annotations

import asyncio
import hashlib
import uuid
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import count, islice, takewhile
from typing import TYPE_CHECKING, Any, Protocol

from biz.dsl.cron import cron_times
from biz.dsl.schedule import Overlap
from biz.dsl.time_zones import time_zone
from biz.errors import InvalidArgument, ScheduleNotTimed, TemplateInactive, Violation
from biz.executions.execution import Execution
from biz.idempotency import MAX_REQUEST_ID_LENGTH, RequestKey, request_key
from biz.limits import MAX_REASON_LENGTH, check_length, check_size
from biz.paging import Page, PageRequest, PageTokens, Rows, Slice

if TYPE_CHECKING:
    from biz.schedules.scheduling import Scheduling

MAX_BACKFILL = 1000
"""So many starts one backfill makes at most."""
MAX_BACKFILL_WINDOW = timedelta(days=366)

_SHOWN_STARTS = 5
_INSTANT = timedelta(microseconds=1)
_EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
"""Nothing is backfilled before."""


class ScheduleKind(StrEnum):
    """What a schedule goes by."""

    EVERY = "EVERY"
    CRON = "CRON"
    AFTER = "AFTER"
    EVENT = "EVENT"


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedSchedule:
    """A schedule as a definition asks for it.

    `expression` is for readers; `interval` is that of EVERY and the delay of AFTER; `filters` tells
    the events of EVENT apart from those of another definition.
    """

    kind: ScheduleKind
    template_id: int
    template_version: str
    is_active: bool
    expression: str = ""
    interval: timedelta = timedelta()
    time_zone: str = "UTC"
    overlap: Overlap = Overlap.ALLOW
    input: Any = None
    filters: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """A stored schedule. `is_held` is PauseSchedule's; `wanted.is_active` is the template's.

    The times of EVERY are whole intervals away from `anchor`. `revision` grows with every change of
    what is wanted; `applied_revision` is the one that the timetable has. `due_at` is when AFTER
    starts next, where that is known.
    """

    id: str
    namespace: str
    template_name: str
    wanted: WantedSchedule
    anchor: datetime
    is_held: bool = False
    hold_reason: str = ""
    revision: int = 1
    applied_revision: int = 0
    last_start_time: datetime | None = None
    last_execution_id: str = ""
    due_at: datetime | None = None

    @property
    def kind(self) -> ScheduleKind:
        """What it goes by."""
        return self.wanted.kind

    @property
    def is_paused(self) -> bool:
        """Whether it starts nothing by itself."""
        return self.is_held or not self.wanted.is_active

    @property
    def pause_reason(self) -> str:
        """Why it is paused."""
        if self.is_held or self.wanted.is_active:
            return self.hold_reason
        return "the template is inactive"

    @property
    def is_timed(self) -> bool:
        """Whether its times are known beforehand."""
        return self.kind in (ScheduleKind.EVERY, ScheduleKind.CRON)

    @property
    def clock(self) -> str:
        """Tells its times apart from those that it had before a change."""
        if self.kind is ScheduleKind.EVERY:
            return f"{self.wanted.interval} {self.anchor.isoformat()}"
        return f"{self.wanted.expression} {self.wanted.time_zone}"

    def times(self, after: datetime) -> Iterator[datetime]:
        """Its times that are later than `after`, of one that is timed."""
        if self.kind is ScheduleKind.CRON:
            zone = time_zone(self.wanted.time_zone)
            yield from cron_times(self.wanted.expression, zone, after)
            return
        first = (after - self.anchor) // self.wanted.interval + 1
        for number in count(first):
            yield self.anchor + number * self.wanted.interval

    def next_times(self, now: datetime) -> Sequence[datetime]:
        """The next starts, as far as they are known."""
        if self.is_paused:
            return ()
        if self.is_timed:
            return tuple(islice(self.times(now), _SHOWN_STARTS))
        return (self.due_at,) if self.due_at is not None and self.due_at > now else ()


def start_id(schedule_id: str, key: str) -> str:
    """The id of the execution that a start makes."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{schedule_id}/{key}"))


def time_key(time: datetime) -> str:
    """Names the start of a schedule at this time."""
    return time.isoformat()


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateChanged:
    """Something was done to a version of a name; `sequence` grows with each change."""

    sequence: int
    namespace: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """What a change of a template has changed: schedules, and the ids of those that are gone."""

    changed: Sequence[Schedule] = ()
    removed: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleQuery:
    """A filter; empty values match all."""

    namespace: str = ""
    template_name: str = ""


class ScheduleRepo(Protocol):
    """Where schedules are kept. Every method is one unit of work."""

    async def list_changes(self, *, limit: int) -> Sequence[TemplateChanged]:
        """The last change of each name that isn't settled yet, oldest first."""
        ...

    async def find_change(self, namespace: str, name: str) -> TemplateChanged | None:
        """The last change of a name that isn't settled yet."""
        ...

    async def settle(
        self, change: TemplateChanged, wanted: Sequence[WantedSchedule], *, now: datetime
    ) -> Settled:
        """Makes the schedules of a name so, and settles its changes up to this one.

        `wanted` was read after the change. Nothing is done where another has settled it.
        """
        ...

    async def get(self, id: str) -> Schedule:
        """Raises ScheduleNotFound."""
        ...

    async def list(self, query: ScheduleQuery, slice: Slice) -> Rows[Schedule]:
        """Orders: id, template_name."""
        ...

    async def hold(self, id: str, reason: str) -> Schedule:
        """Pauses it. Raises ScheduleNotFound."""
        ...

    async def release(self, id: str, reason: str) -> Schedule:
        """Lets it start again, from now on. Raises ScheduleNotFound."""
        ...

    async def list_unapplied(self, *, limit: int) -> Sequence[Schedule]:
        """Those of which the timetable has an older revision."""
        ...

    async def list_timed(self, *, after_id: str, limit: int) -> Sequence[Schedule]:
        """Those of EVERY and CRON, by id."""
        ...

    async def mark_applied(self, id: str, revision: int) -> bool:
        """The timetable has this revision; False where that isn't the present one."""
        ...

    async def record_start(self, id: str, execution_id: str, at: datetime) -> None:
        """The schedule has started this execution."""
        ...

    async def started(self, execution_ids: Collection[str]) -> Collection[str]:
        """Those of the ids that there are executions of."""
        ...

    async def claim_backfill(self, request: RequestKey, start_count: int, now: datetime) -> int:
        """The count of the first call of this request. Raises RequestIdReused."""
        ...

    async def find_followed(self, execution_id: str) -> Schedule | None:
        """The schedule of AFTER that has started this execution last."""
        ...

    async def list_overdue(self, *, now: datetime, limit: int) -> Sequence[Schedule]:
        """Those of AFTER that aren't paused, and of which no run is under way, nor to come."""
        ...

    async def set_due(self, schedule: Schedule, due_at: datetime) -> None:
        """Keeps when a schedule of AFTER starts next, unless it has started meanwhile."""
        ...


class ScheduleUsecase:
    """What callers can do with schedules."""

    def __init__(
        self,
        *,
        repo: ScheduleRepo,
        scheduling: Scheduling,
        page_tokens: PageTokens,
        clock: Callable[[], datetime],
    ) -> None:
        self._repo = repo
        self._scheduling = scheduling
        self._page_tokens = page_tokens
        self._clock = clock

    async def get(self, id: str) -> Schedule:
        """Raises ScheduleNotFound."""
        return await self._repo.get(id)

    async def list(self, request: PageRequest, *, query: ScheduleQuery) -> Page[Schedule]:
        """A page of schedules, by id by default."""
        content = ["schedules", asdict(query)]
        slice = await self._page_tokens.slice(
            request, query=content, orders=("id", "template_name"), default="id"
        )
        rows = await self._repo.list(query, slice)
        return await self._page_tokens.page(rows, slice, query=content)

    async def pause(self, id: str, *, reason: str) -> Schedule:
        """Holds it until it is resumed, even if the engine doesn't answer now.

        Raises InvalidArgument, ScheduleNotFound.
        """
        _require_reason(reason)
        return await self._scheduling.apply(await self._repo.hold(id, reason))

    async def resume(self, id: str, *, reason: str) -> Schedule:
        """Lets it start again. Raises InvalidArgument, ScheduleNotFound, TemplateInactive."""
        _require_reason(reason)
        _require_active(await self._repo.get(id))
        return await self._scheduling.apply(await self._repo.release(id, reason))

    async def trigger(self, id: str, *, input: Any, request_id: str) -> Execution:
        """Starts an execution now, with the schedule's input where `input` is None.

        Raises InvalidArgument, ScheduleNotFound, TemplateInactive, RequestIdReused.
        """
        faults = [
            *check_length("request_id", request_id, MAX_REQUEST_ID_LENGTH),
            *check_size("input", input),
        ]
        if faults:
            raise InvalidArgument(faults)
        schedule = await self._repo.get(id)
        key = request_key("TriggerSchedule", schedule.namespace, request_id, [id, input])
        return await self._scheduling.trigger(schedule, input, key)

    async def backfill(
        self, id: str, *, start_time: datetime, end_time: datetime, request_id: str
    ) -> int:
        """Makes the starts from `start_time` until before `end_time` that weren't made.

        Answers how many they are.

        Raises InvalidArgument, ScheduleNotFound, ScheduleNotTimed, TemplateInactive,
        RequestIdReused, EngineUnavailable.
        """
        schedule = await self._repo.get(id)
        if not schedule.is_timed:
            raise ScheduleNotTimed(id, schedule.kind)
        _require_active(schedule)
        now = self._clock()
        faults = [
            *check_length("request_id", request_id, MAX_REQUEST_ID_LENGTH),
            *_window_faults(start_time, end_time, now),
        ]
        if faults:
            raise InvalidArgument(faults)
        keys = await asyncio.to_thread(_keys, schedule, start_time, end_time)
        if len(keys) > MAX_BACKFILL:
            message = f"there are more than {MAX_BACKFILL} starts in this time; take a shorter one"
            raise InvalidArgument(
                [Violation(field="end_time", code="out-of-range", message=message)]
            )
        by_id = {start_id(id, key): key for key in keys}
        known = set(await self._repo.started(by_id.keys()))
        missing = [key for execution_id, key in by_id.items() if execution_id not in known]
        content = [id, start_time.isoformat(), end_time.isoformat()]
        request = request_key("BackfillSchedule", schedule.namespace, request_id, content)
        start_count = len(missing)
        if request is not None:
            start_count = await self._repo.claim_backfill(request, start_count, now)
        if missing:
            await self._scheduling.backfill(schedule, _name_of(id, request), missing)
        return start_count


def _require_active(schedule: Schedule) -> None:
    if not schedule.wanted.is_active:
        raise TemplateInactive(
            f"the template {schedule.namespace}/{schedule.template_name} "
            f"{schedule.wanted.template_version} is inactive; set its status to active first",
            template_id=str(schedule.wanted.template_id),
        )


def _require_reason(reason: str) -> None:
    if faults := list(check_length("reason", reason, MAX_REASON_LENGTH)):
        raise InvalidArgument(faults)


def _window_faults(start: datetime, end: datetime, now: datetime) -> Iterator[Violation]:
    if start < _EARLIEST:
        message = f"must not be before {_EARLIEST:%Y-%m-%d}"
        yield Violation(field="start_time", code="out-of-range", message=message)
    message = ""
    if end <= start:
        message = "must be later than start_time"
    elif end > now:
        message = "must not be in the future"
    elif end - start > MAX_BACKFILL_WINDOW:
        message = f"must be at most {MAX_BACKFILL_WINDOW.days} days after start_time"
    if message:
        yield Violation(field="end_time", code="out-of-range", message=message)


def _keys(schedule: Schedule, start: datetime, end: datetime) -> Sequence[str]:
    """Those of the times in a window; one more than a backfill may make, where there are more."""
    times = takewhile(lambda time: time < end, schedule.times(start - _INSTANT))
    return [time_key(time) for time in islice(times, MAX_BACKFILL + 1)]


def _name_of(id: str, request: RequestKey | None) -> str:
    """Names a backfill at the engine, the same for each repetition of a request."""
    text = str(uuid.uuid4()) if request is None else request.request_id
    return f"backfill-{id}-{hashlib.sha256(text.encode()).hexdigest()[:16]}"
