"""Template aliases, kept with peewee; the version of an alias is its template's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import peewee

from biz.errors import TemplateAliasNotFound, TemplateNotFound
from biz.paging import Rows, Slice
from biz.templates.alias import TemplateAlias, TemplateVersion
from biz.templates.template import TemplateStatus
from data.database import Database
from data.listing import fetch
from data.models import TemplateAliasRow, TemplateRow, from_microseconds, to_microseconds
from data.query import all_rows, first_row, for_update

_ORDERS: Mapping[str, peewee.Field[Any]] = {
    "alias": TemplateAliasRow.alias_name,
    "updated_at": TemplateAliasRow.updated_at,
}


class PeeweeTemplateAliasRepo:
    """`biz.templates.alias.TemplateAliasRepo`. Methods may raise DatabaseUnavailable as well."""

    def __init__(self, *, database: Database) -> None:
        self._database = database

    async def versions(self, namespace: str, name: str) -> Sequence[TemplateVersion]:
        return await self._database.read(lambda db: _versions(db, namespace, name))

    async def set(self, alias: TemplateAlias) -> TemplateAlias:
        return await self._database.write(lambda db: _set(db, alias), repeatable=True)

    async def delete(self, namespace: str, name: str, alias: str) -> None:
        await self._database.write(lambda db: _delete(db, namespace, name, alias))

    async def list(self, namespace: str, name: str, slice: Slice) -> Rows[TemplateAlias]:
        return await self._database.read(lambda db: _list(db, namespace, name, slice))

    async def find(self, namespace: str, name: str, alias: str) -> TemplateAlias | None:
        return await self._database.read(lambda db: _find(db, namespace, name, alias))


def _versions(db: peewee.Database, namespace: str, name: str) -> Sequence[TemplateVersion]:
    query = TemplateRow.select(
        TemplateRow.id, TemplateRow.version, TemplateRow.status, TemplateRow.created_at
    ).where(TemplateRow.namespace == namespace, TemplateRow.name == name)
    return [
        TemplateVersion(
            id=row.id,
            version=row.version,
            status=TemplateStatus(row.status),
            created_at=from_microseconds(row.created_at),
        )
        for row in all_rows(db, query)
    ]


def _set(db: peewee.Database, alias: TemplateAlias) -> TemplateAlias:
    """Makes the alias, or points it anew; raises TemplateNotFound.

    The template is locked meanwhile, so that it is neither deleted nor renamed.
    """
    template = first_row(
        db,
        for_update(
            db,
            TemplateRow.select(TemplateRow.version).where(
                TemplateRow.id == alias.template_id,
                TemplateRow.namespace == alias.namespace,
                TemplateRow.name == alias.name,
            ),
        ),
    )
    if template is None:
        raise TemplateNotFound(
            f"there is no template {alias.namespace}/{alias.name} {alias.version}",
            template_id=str(alias.template_id),
        )
    TemplateAliasRow.insert(
        namespace=alias.namespace,
        name=alias.name,
        alias_name=alias.alias,
        template_id=alias.template_id,
        updated_at=to_microseconds(alias.updated_at),
    ).on_conflict(
        conflict_target=[
            TemplateAliasRow.namespace,
            TemplateAliasRow.name,
            TemplateAliasRow.alias_name,
        ],
        preserve=[TemplateAliasRow.template_id, TemplateAliasRow.updated_at],
    ).as_rowcount().execute(db)
    return replace(alias, version=template.version)


def move_aliases(db: peewee.Database, *, template_id: int, namespace: str, name: str) -> None:
    """Brings a template's aliases to its new name, but for those that the name has already."""
    pointing = TemplateAliasRow.template_id == template_id
    taken = TemplateAliasRow.select(TemplateAliasRow.alias_name).where(
        TemplateAliasRow.namespace == namespace, TemplateAliasRow.name == name
    )
    TemplateAliasRow.delete().where(pointing, TemplateAliasRow.alias_name.in_(taken)).execute(db)
    TemplateAliasRow.update(name=name).where(pointing).execute(db)


def _delete(db: peewee.Database, namespace: str, name: str, alias: str) -> None:
    """Raises TemplateAliasNotFound."""
    if not TemplateAliasRow.delete().where(*_is(namespace, name, alias)).execute(db):
        raise TemplateAliasNotFound(
            f"the template {namespace}/{name} has no alias {alias}", name=name, alias=alias
        )


def _list(db: peewee.Database, namespace: str, name: str, slice: Slice) -> Rows[TemplateAlias]:
    """Of all namespaces where `namespace` is empty, of all names where `name` is."""
    where = []
    if namespace:
        where.append(TemplateAliasRow.namespace == namespace)
    if name:
        where.append(TemplateAliasRow.name == name)
    return fetch(
        db,
        _select(),
        slice,
        where=where,
        order=_ORDERS[slice.order.field],
        key=TemplateAliasRow.id,
        texts=[TemplateAliasRow.namespace, TemplateAliasRow.name, TemplateAliasRow.alias_name],
        decode=_from_row,
    )


def _find(db: peewee.Database, namespace: str, name: str, alias: str) -> TemplateAlias | None:
    """None where there is no such alias."""
    row = first_row(db, _select().where(*_is(namespace, name, alias)).objects())
    return _from_row(row) if row else None


def _select() -> peewee.ModelSelect[TemplateAliasRow]:
    on = TemplateRow.id == TemplateAliasRow.template_id
    return TemplateAliasRow.select(TemplateAliasRow, TemplateRow.version).join(TemplateRow, on=on)


def _is(namespace: str, name: str, alias: str) -> tuple[Any, ...]:
    return (
        TemplateAliasRow.namespace == namespace,
        TemplateAliasRow.name == name,
        TemplateAliasRow.alias_name == alias,
    )


def _from_row(row: Any) -> TemplateAlias:
    """Of a row of `_select`: an alias with its template's version."""
    return TemplateAlias(
        namespace=row.namespace,
        name=row.name,
        alias=row.alias_name,
        version=row.version,
        template_id=row.template_id,
        updated_at=from_microseconds(row.updated_at),
    )
