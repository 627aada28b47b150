"""Templates in memory."""

from dataclasses import asdict, replace
from datetime import datetime

from biz.errors import (
    RequestIdReused,
    TemplateAlreadyExists,
    TemplateEtagMismatch,
    TemplateInUse,
    TemplateNotFound,
)
from biz.idempotency import RequestKey
from biz.paging import Rows, Slice
from biz.templates.template import (
    NewTemplate,
    Template,
    TemplateChange,
    TemplateQuery,
    TemplateStatus,
)


class FakeTemplateRepo:
    """`biz.templates.template.TemplateRepo`; `asked` holds the last list's query and slice."""

    def __init__(self) -> None:
        self.templates: dict[int, Template] = {}
        self.in_use: set[int] = set()
        self.asked: tuple[TemplateQuery, Slice] | None = None
        self._requests: dict[tuple[str, str, str], tuple[str, int]] = {}

    async def create(self, template: NewTemplate, request: RequestKey | None) -> Template:
        key = request and (request.namespace, request.rpc, request.request_id)
        if request and key in self._requests:
            digest, id = self._requests[key]
            if digest != request.digest:
                raise RequestIdReused(request.request_id)
            return self.templates[id]
        self._require_free(template.namespace, template.name, template.version, id=0)
        id = len(self.templates) + 1
        self.templates[id] = Template(
            id=id,
            status=TemplateStatus.ACTIVE,
            updated_at=template.created_at,
            revision=1,
            **{name: getattr(template, name) for name in NewTemplate.__slots__},
        )
        if request and key:
            self._requests[key] = (request.digest, id)
        return self.templates[id]

    async def get(self, id: int) -> Template:
        if id not in self.templates:
            raise TemplateNotFound(f"there is no template {id}")
        return self.templates[id]

    async def update(
        self, id: int, change: TemplateChange, *, updated_at: datetime, etag: str = ""
    ) -> Template:
        template = await self.get(id)
        if etag and etag != template.etag:
            raise TemplateEtagMismatch(id)
        values = {name: value for name, value in asdict(change).items() if value is not None}
        changed = replace(template, **values, updated_at=updated_at, revision=template.revision + 1)
        self._require_free(changed.namespace, changed.name, changed.version, id=id)
        self.templates[id] = changed
        return changed

    async def delete(self, id: int, *, force: bool) -> None:
        await self.get(id)
        if id in self.in_use and not force:
            raise TemplateInUse(f"the template {id} is in use")
        del self.templates[id]

    async def list(self, query: TemplateQuery, slice: Slice) -> Rows[Template]:
        self.asked = (query, slice)
        found = list(self.templates.values())[: slice.limit]
        place = ("place", found[-1].id) if len(found) < len(self.templates) else None
        return Rows(items=found, place=place, total=len(self.templates) if slice.count else None)

    def _require_free(self, namespace: str, name: str, version: str, *, id: int) -> None:
        for other in self.templates.values():
            if other.id != id and (other.namespace, other.name, other.version) == (
                namespace,
                name,
                version,
            ):
                raise TemplateAlreadyExists(namespace, name, version)
