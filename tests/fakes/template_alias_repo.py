"""Aliases of templates in memory."""

from collections.abc import Sequence

from biz.errors import TemplateAliasNotFound
from biz.paging import Rows, Slice
from biz.templates.alias import TemplateAlias, TemplateVersion
from tests.fakes.template_repo import FakeTemplateRepo


class FakeTemplateAliasRepo:
    """`biz.templates.alias.TemplateAliasRepo` over the templates of another fake."""

    def __init__(self, templates: FakeTemplateRepo) -> None:
        self.aliases: dict[tuple[str, str, str], TemplateAlias] = {}
        self.asked: tuple[str, str, Slice] | None = None
        self._templates = templates

    async def versions(self, namespace: str, name: str) -> Sequence[TemplateVersion]:
        return [
            TemplateVersion(id=t.id, version=t.version, status=t.status, created_at=t.created_at)
            for t in self._templates.templates.values()
            if (t.namespace, t.name) == (namespace, name)
        ]

    async def set(self, alias: TemplateAlias) -> TemplateAlias:
        self.aliases[alias.namespace, alias.name, alias.alias] = alias
        return alias

    async def delete(self, namespace: str, name: str, alias: str) -> None:
        if self.aliases.pop((namespace, name, alias), None) is None:
            raise TemplateAliasNotFound(f"{namespace}/{name} has no alias {alias}")

    async def list(self, namespace: str, name: str, slice: Slice) -> Rows[TemplateAlias]:
        self.asked = (namespace, name, slice)
        return Rows(items=list(self.aliases.values()), place=None)

    async def find(self, namespace: str, name: str, alias: str) -> TemplateAlias | None:
        return self.aliases.get((namespace, name, alias))
