"""Paging, on both databases: nothing lost, nothing twice, whatever comes in between."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from biz.executions.execution import ExecutionQuery
from biz.paging import Rows, Slice
from biz.templates.template import TemplateChange, TemplateQuery
from data.execution import PeeweeExecutionRepo
from data.template import PeeweeTemplateRepo
from tests.fixtures.repos import NOW, first, ids, new_execution, new_template

Fetch = Callable[[Slice], Awaitable[Rows[Any]]]


async def _nothing() -> None:
    return None


async def _all(
    fetch: Fetch, slice: Slice, between: Callable[[], Awaitable[object]] = _nothing
) -> list[Any]:
    """The ids of all pages; `between` happens after each."""
    seen: list[Any] = []
    while True:
        rows = await fetch(slice)
        seen += ids(rows)
        if rows.place is None:
            return seen
        slice = replace(slice, after=rows.place)
        await between()


@pytest.mark.parametrize("by", ["created_at", "updated_at", "name", "id"])
@pytest.mark.parametrize("descending", [False, True])
async def test_pages_of_templates_are_stable_under_inserts(
    templates: PeeweeTemplateRepo, by: str, descending: bool
) -> None:
    # Ties in every order but that of the id.
    for number in range(9):
        template = await templates.create(
            new_template(
                name=f"name{number % 3}",
                version=f"{number}",
                age=timedelta(microseconds=number % 4),
            ),
            None,
        )
        change = TemplateChange(description="changed")
        at = NOW + timedelta(microseconds=number % 2)
        await templates.update(template.id, change, updated_at=at)
    stored = (await templates.list(TemplateQuery(), first(by="id"))).items
    expected = [
        template.id
        for template in sorted(
            stored, key=lambda one: (getattr(one, by), one.id), reverse=descending
        )
    ]
    added = []

    async def insert() -> None:
        if len(added) >= 8:
            return
        edges = (("name0", timedelta(days=1)), ("name9", -timedelta(days=1)))
        for name, age in edges:
            made = await templates.create(
                new_template(name=name, version=f"new{len(added)}", age=age), None
            )
            added.append(made.id)

    async def fetch(slice: Slice) -> Rows[Any]:
        return await templates.list(TemplateQuery(), slice)

    seen = await _all(fetch, first(2, by=by, descending=descending), insert)

    assert [id for id in seen if id not in added] == expected
    assert len(seen) == len(set(seen))


@pytest.mark.parametrize("by", ["created_at", "id"])
@pytest.mark.parametrize("descending", [False, True])
async def test_pages_of_executions_are_stable_under_inserts(
    executions: PeeweeExecutionRepo, by: str, descending: bool
) -> None:
    for number in range(9):
        age = timedelta(microseconds=number % 4)
        await executions.create(new_execution(f"e{number}", age=age), None)
    stored = (await executions.list(ExecutionQuery(), first(by="id"))).items
    expected = [
        execution.id
        for execution in sorted(
            stored, key=lambda one: (getattr(one, by), one.id), reverse=descending
        )
    ]
    added = 0

    async def insert() -> None:
        nonlocal added
        if added >= 8:
            return
        for prefix, age in (("a", timedelta(days=1)), ("z", -timedelta(days=1))):
            added += 1
            await executions.create(new_execution(f"{prefix}{added}", age=age), None)

    async def fetch(slice: Slice) -> Rows[Any]:
        return await executions.list(ExecutionQuery(namespace="shop"), slice)

    seen = await _all(fetch, first(2, by=by, descending=descending), insert)

    assert [id for id in seen if id.startswith("e")] == expected
    assert len(seen) == len(set(seen))


async def test_a_page_ends_where_the_list_does(executions: PeeweeExecutionRepo) -> None:
    for number in range(4):
        await executions.create(new_execution(f"e{number}"), None)

    exact = await executions.list(ExecutionQuery(), first(4, count=True))
    short = await executions.list(ExecutionQuery(), first(3, count=True))
    none = await executions.list(ExecutionQuery(namespace="none"), first(3, count=True))

    assert (ids(exact), exact.place, exact.total) == (["e0", "e1", "e2", "e3"], None, 4)
    assert (ids(short), short.total) == (["e0", "e1", "e2"], 4)
    assert short.place is not None
    assert (ids(none), none.place, none.total) == ([], None, 0)
    assert (await executions.list(ExecutionQuery(), first())).total is None


async def test_a_page_ends_after_the_row_that_passes_its_size(
    executions: PeeweeExecutionRepo,
) -> None:
    for number in range(6):
        await executions.create(new_execution(f"e{number}", definition="é" * 500), None)

    async def fetch(slice: Slice) -> Rows[Any]:
        return await executions.list(ExecutionQuery(full=True), slice)

    async def light(slice: Slice) -> Rows[Any]:
        return await executions.list(ExecutionQuery(), slice)

    small = first(max_bytes=1500)
    assert ids(await fetch(small)) == ["e0", "e1"]
    assert ids(await fetch(replace(small, limit=1))) == ["e0"]
    assert ids(await fetch(first(max_bytes=0))) == ["e0"]
    assert len(ids(await light(small))) == 6
    assert await _all(fetch, small) == [f"e{number}" for number in range(6)]


async def test_the_size_of_a_template_counts_its_definition(
    templates: PeeweeTemplateRepo,
) -> None:
    for number in range(4):
        await templates.create(new_template(version=f"{number}", config="x" * 1000), None)

    full = await templates.list(TemplateQuery(full=True), first(max_bytes=1500))
    light = await templates.list(TemplateQuery(), first(max_bytes=1500))

    assert len(full.items) == 2
    assert len(light.items) == 4
