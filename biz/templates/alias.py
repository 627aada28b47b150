"""Aliases of templates, and which version a caller means."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from semver import Version

from biz.errors import InvalidArgument, TemplateInactive, TemplateNotFound
from biz.limits import check_length, check_present
from biz.paging import Page, PageRequest, PageTokens, Rows, Slice
from biz.templates.template import (
    DEFAULT_NAMESPACE,
    MAX_NAME_LENGTH,
    MAX_VERSION_LENGTH,
    Template,
    TemplateRepo,
    TemplateStatus,
    require_active,
)

DEFAULT_ALIAS = "default"
MAX_ALIAS_LENGTH = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateAlias:
    """A name such as `prod` that points to one version of a template."""

    namespace: str
    name: str
    alias: str
    version: str
    template_id: int
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateVersion:
    """What choosing a version needs to know of it."""

    id: int
    version: str
    status: TemplateStatus
    created_at: datetime


class TemplateAliasRepo(Protocol):
    """Where aliases are kept. Every method is one unit of work."""

    async def versions(self, namespace: str, name: str) -> Sequence[TemplateVersion]:
        """All versions of a name, in no order; empty where the name is unknown."""
        ...

    async def set(self, alias: TemplateAlias) -> TemplateAlias:
        """Makes the alias, or points it anew.

        Raises TemplateNotFound where its template is gone or renamed.
        """
        ...

    async def delete(self, namespace: str, name: str, alias: str) -> None:
        """Raises TemplateAliasNotFound."""
        ...

    async def list(self, namespace: str, name: str, slice: Slice) -> Rows[TemplateAlias]:
        """Of all names where `name` is empty. Orders: alias, updated_at."""
        ...

    async def find(self, namespace: str, name: str, alias: str) -> TemplateAlias | None:
        """None where there is no such alias."""
        ...


class TemplateAliasUsecase:
    """What callers can do with aliases, and what a name without an id means."""

    def __init__(
        self,
        *,
        repo: TemplateAliasRepo,
        templates: TemplateRepo,
        page_tokens: PageTokens,
        clock: Callable[[], datetime],
    ) -> None:
        self._repo = repo
        self._templates = templates
        self._page_tokens = page_tokens
        self._clock = clock

    async def resolve(
        self, *, namespace: str, name: str, version: str = "", alias: str = ""
    ) -> Template:
        """The template that a caller means, which is active.

        `version` is matched as a version first, then as an alias. With neither `version` nor
        `alias`, the alias `default` counts, and without it the newest active version.

        Raises TemplateNotFound, TemplateInactive.
        """
        namespace = namespace or DEFAULT_NAMESPACE
        versions = await self._repo.versions(namespace, name)
        wanted = version or alias or DEFAULT_ALIAS
        chosen = next((v.id for v in versions if version and v.version == version), None)
        if chosen is None and versions:
            found = await self._repo.find(namespace, name, wanted)
            chosen = found.template_id if found else None
        if chosen is None and not version and not alias:
            newest = newest_version(versions)
            chosen = newest.id if newest else None
            if newest is None and versions:
                raise TemplateInactive(
                    f"no version of the template {namespace}/{name} is active", name=name
                )
        if chosen is None:
            label = f"{namespace}/{name}" + (f" {version or alias}" if version or alias else "")
            raise TemplateNotFound(f"there is no template {label}", name=name)
        return require_active(await self._templates.get(chosen))

    async def set(self, *, namespace: str, name: str, alias: str, version: str) -> TemplateAlias:
        """Points an alias to a version: a release, or its roll-back.

        Raises InvalidArgument, TemplateNotFound.
        """
        faults = [
            *check_present("name", name),
            *check_length("name", name, MAX_NAME_LENGTH),
            *check_present("alias", alias),
            *check_length("alias", alias, MAX_ALIAS_LENGTH),
            *check_present("version", version),
            *check_length("version", version, MAX_VERSION_LENGTH),
        ]
        if faults:
            raise InvalidArgument(faults)
        namespace = namespace or DEFAULT_NAMESPACE
        for known in await self._repo.versions(namespace, name):
            if known.version == version:
                return await self._repo.set(
                    TemplateAlias(
                        namespace=namespace,
                        name=name,
                        alias=alias,
                        version=version,
                        template_id=known.id,
                        updated_at=self._clock(),
                    )
                )
        raise TemplateNotFound(f"there is no template {namespace}/{name} {version}", name=name)

    async def delete(self, *, namespace: str, name: str, alias: str) -> None:
        """Raises TemplateAliasNotFound."""
        await self._repo.delete(namespace or DEFAULT_NAMESPACE, name, alias)

    async def list(
        self, request: PageRequest, *, namespace: str = "", name: str = ""
    ) -> Page[TemplateAlias]:
        """A page of aliases, by alias."""
        content = ["aliases", namespace, name]
        slice = await self._page_tokens.slice(
            request, query=content, orders=("alias", "updated_at"), default="alias"
        )
        rows = await self._repo.list(namespace, name, slice)
        return await self._page_tokens.page(rows, slice, query=content)


def newest_version(versions: Sequence[TemplateVersion]) -> TemplateVersion | None:
    """The highest semantic version among the active ones, then the latest created.

    Versions that aren't semantic come last.
    """
    active = [v for v in versions if v.status is TemplateStatus.ACTIVE]
    semantic = [(Version.parse(v.version), v) for v in active if Version.is_valid(v.version)]
    if semantic:
        return max(semantic, key=lambda pair: (pair[0], pair[1].created_at, pair[1].id))[1]
    return max(active, key=lambda v: (v.created_at, v.id), default=None)
