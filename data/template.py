"""Templates, kept with peewee."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any

import peewee
from peewee import fn

from biz.errors import (
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
from data.database import Database
from data.idempotency import claim, name_resource
from data.listing import fetch
from data.models import (
    ExecutionRow,
    TemplateAliasRow,
    TemplateRow,
    from_json,
    from_microseconds,
    to_json,
    to_microseconds,
)
from data.query import first_row, for_update, has_labels
from data.template_alias import move_aliases
from data.template_change import note_change

_ORDERS: Mapping[str, peewee.Field[Any]] = {
    "created_at": TemplateRow.created_at,
    "updated_at": TemplateRow.updated_at,
    "name": TemplateRow.name,
    "id": TemplateRow.id,
}
_HEAVY = (TemplateRow.config,)
_LIGHT = tuple(field for field in TemplateRow._meta.sorted_fields if field not in set(_HEAVY))
_LIGHT_TEXTS = (TemplateRow.name, TemplateRow.description, TemplateRow.labels)


class PeeweeTemplateRepo:
    """`biz.templates.template.TemplateRepo`. Every method may raise DatabaseUnavailable as well.

    An alias points to a template, so it follows a change of version or name; where the new name
    has that alias already, the one that is there stays.
    """

    def __init__(self, *, database: Database) -> None:
        self._database = database

    async def create(self, template: NewTemplate, request: RequestKey | None) -> Template:
        return await self._database.write(
            lambda db: _create(db, template, request), repeatable=request is not None
        )

    async def get(self, id: int) -> Template:
        return await self._database.read(lambda db: _get(db, id))

    async def update(
        self, id: int, change: TemplateChange, *, updated_at: datetime, etag: str = ""
    ) -> Template:
        return await self._database.write(lambda db: _update(db, id, change, updated_at, etag))

    async def delete(self, id: int, *, force: bool) -> None:
        await self._database.write(lambda db: _delete(db, id, force))

    async def list(self, query: TemplateQuery, slice: Slice) -> Rows[Template]:
        return await self._database.read(lambda db: _list(db, query, slice))


def _create(db: peewee.Database, template: NewTemplate, request: RequestKey | None) -> Template:
    if request and (known := claim(db, request, resource_id="", now=template.created_at)):
        return _get(db, int(known))
    query = (
        TemplateRow.insert(_to_columns(template))
        .on_conflict(action="nothing")
        .returning(TemplateRow)
    )
    for row in list(query.execute(db)):
        if request:
            name_resource(db, request, str(row.id))
        note_change(db, row.namespace, row.name)
        return _from_row(row)
    raise TemplateAlreadyExists(template.namespace, template.name, template.version)


def _get(db: peewee.Database, id: int) -> Template:
    row = first_row(db, TemplateRow.select().where(TemplateRow.id == id))
    if row is None:
        raise _not_found(id)
    return _from_row(row)


def _update(
    db: peewee.Database, id: int, change: TemplateChange, updated_at: datetime, etag: str
) -> Template:
    row = first_row(db, for_update(db, TemplateRow.select().where(TemplateRow.id == id)))
    if row is None:
        raise _not_found(id)
    if etag and etag != _from_row(row).etag:
        raise TemplateEtagMismatch(id)
    name_before = row.name
    values = {
        **_changed_columns(change),
        "updated_at": to_microseconds(updated_at),
        "revision": row.revision + 1,
    }
    for column, value in values.items():
        setattr(row, column, value)
    try:
        TemplateRow.update(values).where(TemplateRow.id == id).execute(db)
    except peewee.IntegrityError:
        raise TemplateAlreadyExists(row.namespace, row.name, row.version) from None
    note_change(db, row.namespace, name_before, row.name)
    if row.name != name_before:
        move_aliases(db, template_id=id, namespace=row.namespace, name=row.name)
    return _from_row(row)


def _delete(db: peewee.Database, id: int, force: bool) -> None:
    query = TemplateRow.select(TemplateRow.namespace, TemplateRow.name).where(TemplateRow.id == id)
    row = first_row(db, for_update(db, query))
    if row is None:
        raise _not_found(id)
    if not force:
        for user in _users(db, id):
            raise TemplateInUse(
                f"{user} uses the template {id}; end or remove that first, or set force",
                template_id=str(id),
            )
    TemplateRow.delete().where(TemplateRow.id == id).execute(db)
    note_change(db, row.namespace, row.name)


def _users(db: peewee.Database, id: int) -> Iterator[str]:
    execution = first_row(
        db,
        ExecutionRow.select(ExecutionRow.id).where(
            ExecutionRow.template_id == id, ExecutionRow.ended_at.is_null()
        ),
    )
    if execution:
        yield f"the execution {execution.id}"
    alias = first_row(db, TemplateAliasRow.select().where(TemplateAliasRow.template_id == id))
    if alias:
        yield f"the alias {alias.alias_name}"


def _list(db: peewee.Database, query: TemplateQuery, slice: Slice) -> Rows[Template]:
    return fetch(
        db,
        TemplateRow.select() if query.full else TemplateRow.select(*_LIGHT),
        slice,
        where=list(_conditions(db, query)),
        order=_ORDERS[slice.order.field],
        key=TemplateRow.id,
        texts=[*_LIGHT_TEXTS, *_HEAVY] if query.full else _LIGHT_TEXTS,
        decode=_from_row,
    )


def _conditions(db: peewee.Database, query: TemplateQuery) -> Iterator[Any]:
    if query.namespace:
        yield TemplateRow.namespace == query.namespace
    if query.name:
        yield TemplateRow.name == query.name
    if query.name_prefix:
        # LIKE would need its own characters escaped, and differs in case between the databases.
        yield fn.SUBSTR(TemplateRow.name, 1, len(query.name_prefix)) == query.name_prefix
    if query.status:
        yield TemplateRow.status == query.status.value
    yield from has_labels(db, TemplateRow.labels, query.labels)


def _not_found(id: int) -> TemplateNotFound:
    return TemplateNotFound(f"there is no template {id}", template_id=str(id))


def _to_columns(template: NewTemplate) -> dict[str, Any]:
    return {
        "namespace": template.namespace,
        "name": template.name,
        "version": template.version,
        "description": template.description,
        "config": template.config,
        "digest": template.digest,
        "labels": to_json(dict(template.labels)),
        "status": TemplateStatus.ACTIVE.value,
        "revision": 1,
        "created_at": to_microseconds(template.created_at),
        "updated_at": to_microseconds(template.created_at),
    }


def _changed_columns(change: TemplateChange) -> dict[str, Any]:
    """Of what is set; properties and columns have the same names."""
    values = {field.name: getattr(change, field.name) for field in fields(change)}
    if change.status is not None:
        values["status"] = change.status.value
    if change.labels is not None:
        values["labels"] = to_json(dict(change.labels))
    return {name: value for name, value in values.items() if value is not None}


def _from_row(row: TemplateRow) -> Template:
    return Template(
        id=row.id,
        namespace=row.namespace,
        name=row.name,
        version=row.version,
        description=row.description,
        config=row.config or "",
        digest=row.digest,
        labels=from_json(row.labels),
        status=TemplateStatus(row.status),
        created_at=from_microseconds(row.created_at),
        updated_at=from_microseconds(row.updated_at),
        revision=row.revision,
    )
