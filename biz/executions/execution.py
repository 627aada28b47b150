"""Executions: one run each of a template's pinned definition."""

import asyncio
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol

from biz.dsl.errors import WorkflowError
from biz.dsl.fault_hooks import FaultHook
from biz.dsl.validator import check_input, load_workflow
from biz.errors import (
    BusinessKeyInUse,
    InvalidArgument,
    Violation,
)
from biz.executions.history_batch import NO_HISTORY, HistoryBatch
from biz.idempotency import MAX_REQUEST_ID_LENGTH, RequestKey, request_key
from biz.labels import check_labels, parse_label_filter
from biz.limits import check_length, check_size
from biz.paging import Page, PageRequest, PageTokens, Rows, Slice
from biz.templates.alias import TemplateAliasUsecase
from biz.templates.template import DEFAULT_NAMESPACE, Template, TemplateUsecase, require_active

MAX_WAIT = timedelta(seconds=60)
MAX_BUSINESS_KEY_LENGTH = 255


class ExecutionStatus(StrEnum):
    """The standard's status phases, and TERMINATED, which is the service's own."""

    PENDING = "PENDING"
    RUNNING = "RUNNING"
    WAITING = "WAITING"
    SUSPENDED = "SUSPENDED"
    CANCELLED = "CANCELLED"
    FAULTED = "FAULTED"
    COMPLETED = "COMPLETED"
    TERMINATED = "TERMINATED"

    @property
    def is_end(self) -> bool:
        """True where nothing can follow."""
        return self in _ENDS


_ENDS = frozenset(
    {
        ExecutionStatus.CANCELLED,
        ExecutionStatus.FAULTED,
        ExecutionStatus.COMPLETED,
        ExecutionStatus.TERMINATED,
    }
)


class BusinessKeyPolicy(StrEnum):
    """What a start does when a live execution of the namespace has its business key."""

    FAIL = "FAIL"
    USE_EXISTING = "USE_EXISTING"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewExecution:
    """An execution before it is stored; `definition` is the template's text, pinned.

    `input` is a JSON value. An empty `business_key` means none. `parent_id` is the execution that
    runs it, empty where none does. `hooks` are told where it faults, unless it is made for a hook
    itself: `hook_of` is the execution whose fault that was told of. What it makes in its turn, and
    what takes up from it, counts as made for that hook too.
    """

    id: str
    namespace: str
    template_id: int
    template_name: str
    template_version: str
    definition: str
    definition_digest: str
    input: Any
    labels: Mapping[str, str]
    business_key: str
    created_at: datetime
    parent_id: str = ""
    retry_of: str = ""
    hooks: Sequence[FaultHook] = ()
    hook_of: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """One run. `output` counts when it is COMPLETED, `error` when it is FAULTED or cut short.

    In lists without the full view `definition`, `input` and `output` are empty. `retry_of` is the
    execution that it took up from, `retried_by` the one that took up from it; empty for none.
    """

    id: str
    namespace: str
    template_id: int
    template_name: str
    template_version: str
    definition: str
    definition_digest: str
    status: ExecutionStatus
    input: Any
    output: Any
    error: WorkflowError | None
    labels: Mapping[str, str]
    business_key: str
    current_tasks: Sequence[str]
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    parent_id: str = ""
    retry_of: str = ""
    retried_by: str = ""

    @property
    def has_begun(self) -> bool:
        """False where nothing was done: one that ends so counts as started when it was created."""
        return self.started_at not in (None, self.created_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionProgress:
    """Where a live run stands. `sequence` grows within a run: an older one changes nothing.

    `current_tasks` are references such as `/do/0/getPet`. `order` is the sequence of the last order
    that the run has got: until it has got the newest one, that says whether it is suspended.
    """

    sequence: int
    status: ExecutionStatus
    current_tasks: Sequence[str]
    at: datetime
    order: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionEnd:
    """How a run ended; `status` is one of the ends.

    `checkpoint` is the text of the Checkpoint at which another run may take up, or empty.
    """

    status: ExecutionStatus
    output: Any
    error: WorkflowError | None
    ended_at: datetime
    checkpoint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionQuery:
    """A filter; empty values match all. `full` asks for definition, input and output too."""

    namespace: str = ""
    template_id: int = 0
    template_name: str = ""
    statuses: Sequence[ExecutionStatus] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    business_key: str = ""
    parent_id: str = ""
    created_after: datetime | None = None
    created_before: datetime | None = None
    full: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class StartRequest:
    """What a caller asks to run: a template by id, or by name and version, alias or newest.

    `input` is a JSON value; None means none, which the workflow sees as an empty object. With
    `wait` the answer comes at the end of the run, or shows its state after that time.
    """

    template_id: int = 0
    namespace: str = ""
    template_name: str = ""
    version: str = ""
    alias: str = ""
    input: Any = None
    labels: Mapping[str, str] = field(default_factory=dict)
    business_key: str = ""
    business_key_policy: BusinessKeyPolicy = BusinessKeyPolicy.FAIL
    request_id: str = ""
    wait: timedelta = timedelta()


class ExecutionRecorder(Protocol):
    """What a running workflow writes of itself; every method may be repeated.

    `events` are what happened since, for its history.
    """

    async def record_progress(
        self, id: str, progress: ExecutionProgress, events: HistoryBatch = NO_HISTORY
    ) -> None:
        """Changes a live execution; sets `started_at` once. An ended or unknown one is left."""
        ...

    async def record_events(self, id: str, events: HistoryBatch) -> None:
        """Writes history, and nothing else."""
        ...

    async def record_end(
        self, id: str, end: ExecutionEnd, events: HistoryBatch = NO_HISTORY
    ) -> None:
        """Ends a live execution. One that has ended already, or is unknown, is left."""
        ...


class ExecutionRepo(ExecutionRecorder, Protocol):
    """Where executions are kept. Every method is one unit of work."""

    async def create(self, execution: NewExecution, request: RequestKey | None) -> Execution:
        """Stores it as PENDING; a known `request` answers the execution that it made.

        Raises BusinessKeyInUse, RequestIdReused.
        """
        ...

    async def get(self, id: str) -> Execution:
        """Raises ExecutionNotFound."""
        ...

    async def find_by_request(self, request: RequestKey) -> Execution | None:
        """What the same request made before, None for a new one. Raises RequestIdReused."""
        ...

    async def bind_request(self, request: RequestKey, id: str) -> Execution:
        """Lets a request stand for an execution that is there, from its first time on.

        Gives the one that it stands for. Raises RequestIdReused.
        """
        ...

    async def list(self, query: ExecutionQuery, slice: Slice) -> Rows[Execution]:
        """Orders: created_at, id."""
        ...

    async def record_end_from_outside(self, id: str, end: ExecutionEnd) -> None:
        """Ends a live execution whose run didn't do so itself: its history has no end yet."""
        ...

    async def list_pending(self, *, created_before: datetime, limit: int) -> Sequence[Execution]:
        """Executions that the engine may not know yet, oldest first, without children.

        Those of which something is asked are left out: they start with the order.
        """
        ...

    async def list_live(self, *, after_id: str, limit: int) -> Sequence[str]:
        """Ids of all that haven't ended, in the order of their ids, after `after_id`."""
        ...


class Runs(Protocol):
    """The runs of executions at the engine; `biz.executions.runs` stands behind it."""

    async def start(self, execution: Execution) -> Execution:
        """Asks the engine to run a stored execution; PENDING still where it doesn't answer."""
        ...

    async def wait(self, id: str, timeout: timedelta) -> Execution:
        """The execution at its end, or after `timeout`, or where the engine doesn't answer."""
        ...


class ExecutionUsecase:
    """What callers can do with executions."""

    def __init__(
        self,
        *,
        repo: ExecutionRepo,
        templates: TemplateUsecase,
        aliases: TemplateAliasUsecase,
        runs: Runs,
        page_tokens: PageTokens,
        clock: Callable[[], datetime],
    ) -> None:
        self._repo = repo
        self._templates = templates
        self._aliases = aliases
        self._runs = runs
        self._page_tokens = page_tokens
        self._clock = clock

    async def start(self, request: StartRequest) -> Execution:
        """Stores an execution, then asks the engine to run it.

        Once stored it will run, even if the engine doesn't answer now: it is PENDING until then.

        Raises InvalidArgument, TemplateNotFound, TemplateInactive, BusinessKeyInUse,
        RequestIdReused.
        """
        if faults := list(_start_faults(request)):
            raise InvalidArgument(faults)
        stored = await self._stored(request)
        if stored.status is ExecutionStatus.PENDING:
            stored = await self._runs.start(stored)
        return await self._wait(stored, request.wait)

    async def get(self, id: str, *, wait: timedelta = timedelta()) -> Execution:
        """The execution, at its end or after `wait`.

        Raises InvalidArgument, ExecutionNotFound.
        """
        if faults := list(_wait_faults(wait)):
            raise InvalidArgument(faults)
        return await self._wait(await self._repo.get(id), wait)

    async def list(
        self, request: PageRequest, *, query: ExecutionQuery, labels: Sequence[str] = ()
    ) -> Page[Execution]:
        """A page of executions, newest first by default; `labels` are terms "key=value"."""
        label_filter, faults = parse_label_filter(labels)
        if faults:
            raise InvalidArgument(faults)
        query = replace(query, labels=label_filter)
        content = asdict(query)
        slice = await self._page_tokens.slice(
            request, query=content, orders=("created_at", "id"), default="created_at desc"
        )
        rows = await self._repo.list(query, slice)
        return await self._page_tokens.page(rows, slice, query=content)

    async def _stored(self, request: StartRequest) -> Execution:
        """The execution that the request makes, or made before."""
        namespace = request.namespace or DEFAULT_NAMESPACE
        key = _key_of(request, namespace)
        if key and (known := await self._repo.find_by_request(key)):
            return known
        template = await self._template(request, namespace)
        execution = await new_execution(
            template,
            id=str(uuid.uuid4()),
            input=request.input,
            now=self._clock(),
            labels=request.labels,
            business_key=request.business_key,
        )
        try:
            return await self._repo.create(execution, key)
        except BusinessKeyInUse as taken:
            if request.business_key_policy is BusinessKeyPolicy.FAIL:
                raise
            if key:
                return await self._repo.bind_request(key, taken.execution_id)
            return await self._repo.get(taken.execution_id)

    async def _template(self, request: StartRequest, namespace: str) -> Template:
        """The active template that the request means."""
        if request.template_id:
            return require_active(await self._templates.get(request.template_id))
        return await self._aliases.resolve(
            namespace=namespace,
            name=request.template_name,
            version=request.version,
            alias=request.alias,
        )

    async def _wait(self, execution: Execution, wait: timedelta) -> Execution:
        if not wait or execution.status.is_end:
            return execution
        return await self._runs.wait(execution.id, wait)


def _key_of(request: StartRequest, namespace: str) -> RequestKey | None:
    if not request.request_id:
        return None  # and no copy of its input is made
    content = asdict(replace(request, wait=timedelta(), request_id=""))
    return request_key("StartExecution", namespace, request.request_id, content)


async def new_execution(
    template: Template,
    *,
    id: str,
    input: Any,
    now: datetime,
    labels: Mapping[str, str] | None = None,
    business_key: str = "",
    parent_id: str = "",
    hook_of: str = "",
) -> NewExecution:
    """What is stored; raises InvalidArgument where the definition refuses the input."""
    run_input = {} if input is None else input
    # In a thread, since the first one parses the definition, and a schema may be large.
    broken = await asyncio.to_thread(check_input, template.config, run_input)
    workflow = await asyncio.to_thread(load_workflow, template.config)
    if broken:
        raise InvalidArgument(
            [
                Violation(field="input", code="schema", message=f.message, pointer=f.pointer)
                for f in broken
            ]
        )
    return NewExecution(
        id=id,
        namespace=template.namespace,
        template_id=template.id,
        template_name=template.name,
        template_version=template.version,
        definition=template.config,
        definition_digest=template.digest,
        input=run_input,
        labels=labels or {},
        business_key=business_key,
        created_at=now,
        parent_id=parent_id,
        hooks=workflow.on_fault,
        hook_of=hook_of,
    )


def _start_faults(request: StartRequest) -> Iterator[Violation]:
    if bool(request.template_id) == bool(request.template_name):
        message = "give either template_id or template_name"
        yield Violation(field="template_id", code="one-of", message=message)
    if request.template_id and (request.version or request.alias):
        message = "version and alias go with template_name"
        yield Violation(field="template_id", code="one-of", message=message)
    if request.version and request.alias:
        yield Violation(field="alias", code="one-of", message="give either version or alias")
    yield from check_length("business_key", request.business_key, MAX_BUSINESS_KEY_LENGTH)
    yield from check_length("request_id", request.request_id, MAX_REQUEST_ID_LENGTH)
    yield from check_size("input", request.input)
    yield from check_labels(request.labels)
    yield from _wait_faults(request.wait)


def _wait_faults(wait: timedelta) -> Iterator[Violation]:
    if not timedelta() <= wait <= MAX_WAIT:
        message = f"must be from 0 to {MAX_WAIT.seconds} seconds"
        yield Violation(field="wait", code="out-of-range", message=message)
