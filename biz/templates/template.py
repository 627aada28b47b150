"""Templates: stored workflow definitions."""

import asyncio
import hashlib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from biz.dsl.validator import Checked, check
from biz.errors import (
    InvalidArgument,
    InvalidDefinition,
    TemplateInactive,
    Unavailable,
    Violation,
)
from biz.idempotency import MAX_REQUEST_ID_LENGTH, RequestKey, request_key
from biz.labels import check_labels, parse_label_filter
from biz.limits import check_length, check_present, check_size
from biz.paging import Page, PageRequest, PageTokens, Rows, Slice

DEFAULT_NAMESPACE = "default"
MAX_NAME_LENGTH = 255
MAX_DESCRIPTION_LENGTH = 1000
MAX_VERSION_LENGTH = 50
MAX_NAMESPACE_LENGTH = 63


class TemplateStatus(StrEnum):
    """Only active templates can be started."""

    ACTIVE = "active"
    INACTIVE = "inactive"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTemplate:
    """A template before it has an id. `config` is the definition's text as sent."""

    namespace: str
    name: str
    version: str
    description: str
    config: str
    digest: str
    labels: Mapping[str, str]
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A stored definition; unique by (namespace, name, version).

    `digest` is the SHA-256 of `config` in hexadecimal; `revision` grows with every update. In
    lists without the full view `config` is empty.
    """

    id: int
    namespace: str
    name: str
    version: str
    description: str
    config: str
    digest: str
    labels: Mapping[str, str]
    status: TemplateStatus
    created_at: datetime
    updated_at: datetime
    revision: int

    @property
    def etag(self) -> str:
        """Opaque to callers; differs after every update."""
        return f"{self.id}-{self.revision}"


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateChange:
    """What an update sets; None leaves a property as it is. `digest` goes with `config`."""

    name: str | None = None
    version: str | None = None
    description: str | None = None
    config: str | None = None
    digest: str | None = None
    status: TemplateStatus | None = None
    labels: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateQuery:
    """A filter; empty values match all. `full` asks for `config` too."""

    namespace: str = ""
    name: str = ""
    name_prefix: str = ""
    status: TemplateStatus | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    full: bool = False


class TemplateRepo(Protocol):
    """Where templates are kept. Every method is one unit of work."""

    async def create(self, template: NewTemplate, request: RequestKey | None) -> Template:
        """Stores it as active; a known `request` answers the template that it made.

        Raises TemplateAlreadyExists, RequestIdReused.
        """
        ...

    async def get(self, id: int) -> Template:
        """Raises TemplateNotFound."""
        ...

    async def update(
        self, id: int, change: TemplateChange, *, updated_at: datetime, etag: str = ""
    ) -> Template:
        """Sets what `change` names, if `etag` is empty or the present one.

        Raises TemplateNotFound, TemplateAlreadyExists, TemplateEtagMismatch.
        """
        ...

    async def delete(self, id: int, *, force: bool) -> None:
        """Removes it with its aliases.

        Raises TemplateNotFound; and TemplateInUse unless forced, when an execution of it is live
        or an alias points to it.
        """
        ...

    async def list(self, query: TemplateQuery, slice: Slice) -> Rows[Template]:
        """Orders: created_at, updated_at, name, id."""
        ...


class TemplateWatcher(Protocol):
    """What follows templates, such as their schedules."""

    async def template_changed(self, namespace: str, name: str) -> None:
        """Told after a change of a version of this name was stored."""
        ...


class TemplateUsecase:
    """What callers can do with templates."""

    def __init__(
        self,
        *,
        repo: TemplateRepo,
        page_tokens: PageTokens,
        clock: Callable[[], datetime],
        watcher: TemplateWatcher | None = None,
    ) -> None:
        self._repo = repo
        self._watcher = watcher
        self._page_tokens = page_tokens
        self._clock = clock
        # A thread of their own: a large definition takes seconds, and holds up only others.
        self._checks = ThreadPoolExecutor(1, thread_name_prefix="definitions")

    async def create(
        self,
        *,
        config: str,
        namespace: str = "",
        name: str = "",
        version: str = "",
        description: str = "",
        labels: Mapping[str, str] | None = None,
        request_id: str = "",
    ) -> Template:
        """Stores a definition; what is left empty comes from its `document`.

        Raises InvalidArgument, InvalidDefinition, TemplateAlreadyExists, RequestIdReused.
        """
        labels = labels or {}
        request_content = [config, namespace, name, version, description, dict(labels)]
        faults = [
            *check_length("namespace", namespace, MAX_NAMESPACE_LENGTH),
            *check_length("name", name, MAX_NAME_LENGTH),
            *check_length("version", version, MAX_VERSION_LENGTH),
            *check_length("description", description, MAX_DESCRIPTION_LENGTH),
            *check_length("request_id", request_id, MAX_REQUEST_ID_LENGTH),
            *check_labels(labels),
        ]
        document = (await self._checked(config, faults)).document
        template = NewTemplate(
            namespace=namespace or document.namespace or DEFAULT_NAMESPACE,
            name=name or document.name,
            version=version or document.version,
            description=description or document.summary[:MAX_DESCRIPTION_LENGTH],
            config=config,
            digest=_digest(config),
            labels=labels,
            created_at=self._clock(),
        )
        if too_long := list(check_length("version", template.version, MAX_VERSION_LENGTH)):
            raise InvalidArgument(too_long)
        key = request_key("CreateTemplate", template.namespace, request_id, request_content)
        created = await self._repo.create(template, key)
        await self._tell(created)
        return created

    async def get(self, id: int) -> Template:
        """Raises TemplateNotFound."""
        return await self._repo.get(id)

    async def update(self, id: int, change: TemplateChange, *, etag: str = "") -> Template:
        """Changes what is set, and nothing else.

        Raises InvalidArgument, InvalidDefinition, TemplateNotFound, TemplateAlreadyExists,
        TemplateEtagMismatch.
        """
        if change == TemplateChange():
            message = "set at least one of name, version, description, config, status, labels"
            raise InvalidArgument([Violation(field="", code="nothing-set", message=message)])
        faults = [
            *check_present("name", change.name),
            *check_length("name", change.name, MAX_NAME_LENGTH),
            *check_present("version", change.version),
            *check_length("version", change.version, MAX_VERSION_LENGTH),
            *check_length("description", change.description, MAX_DESCRIPTION_LENGTH),
            *check_labels(change.labels or {}),
        ]
        if change.config is not None:
            await self._checked(change.config, faults)
            change = replace(change, digest=_digest(change.config))
        elif faults:
            raise InvalidArgument(faults)
        before = await self._repo.get(id)
        updated = await self._repo.update(id, change, updated_at=self._clock(), etag=etag)
        await self._tell(updated)
        if before.name != updated.name:
            await self._tell(before)
        return updated

    async def delete(self, id: int, *, force: bool = False) -> None:
        """Raises TemplateNotFound, TemplateInUse. Executions keep their pinned definition."""
        template = await self._repo.get(id)
        await self._repo.delete(id, force=force)
        await self._tell(template)

    async def list(
        self, request: PageRequest, *, query: TemplateQuery, labels: Sequence[str] = ()
    ) -> Page[Template]:
        """A page of templates, newest first by default; `labels` are terms "key=value"."""
        label_filter, faults = parse_label_filter(labels)
        if faults:
            raise InvalidArgument(faults)
        query = replace(query, labels=label_filter)
        content = asdict(query)
        slice = await self._page_tokens.slice(
            request,
            query=content,
            orders=("created_at", "updated_at", "name", "id"),
            default="created_at desc",
        )
        rows = await self._repo.list(query, slice)
        return await self._page_tokens.page(rows, slice, query=content)

    async def require_valid(self, config: str) -> None:
        """Raises InvalidArgument, InvalidDefinition where a definition couldn't be stored."""
        await self._checked(config, ())

    async def _tell(self, template: Template) -> None:
        """What follows the template hears of its change; it is told again where that fails."""
        if self._watcher is not None:
            with suppress(Unavailable):
                await self._watcher.template_changed(template.namespace, template.name)

    async def _checked(self, config: str, faults: Sequence[Violation]) -> Checked:
        """The definition, once it and the other fields have no fault."""
        if unfit := [*check_present("config", config), *check_size("config", config)]:
            raise InvalidArgument([*faults, *unfit])
        loop = asyncio.get_running_loop()
        checked = await loop.run_in_executor(self._checks, check, config)
        errors = [
            Violation(field="config", code=d.code, message=d.message, pointer=d.pointer)
            for d in checked.errors
        ]
        if errors:
            raise InvalidDefinition([*faults, *errors])
        if faults:
            raise InvalidArgument(faults)
        return checked


def require_active(template: Template) -> Template:
    """The same template; raises TemplateInactive."""
    if template.status is not TemplateStatus.ACTIVE:
        raise TemplateInactive(
            f"the template {template.namespace}/{template.name} {template.version} is inactive; "
            "set its status to active first",
            template_id=str(template.id),
        )
    return template


def _digest(config: str) -> str:
    return hashlib.sha256(config.encode()).hexdigest()
