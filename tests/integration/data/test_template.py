"""PeeweeTemplateRepo, on both databases."""

import asyncio
from dataclasses import fields, replace
from datetime import timedelta

import pytest

from biz.errors import (
    InvalidArgument,
    RequestIdReused,
    TemplateAlreadyExists,
    TemplateEtagMismatch,
    TemplateInUse,
    TemplateNotFound,
)
from biz.executions.execution import ExecutionEnd, ExecutionStatus
from biz.templates.alias import TemplateAlias
from biz.templates.template import NewTemplate, TemplateChange, TemplateQuery, TemplateStatus
from data.execution import PeeweeExecutionRepo
from data.template import PeeweeTemplateRepo
from data.template_alias import PeeweeTemplateAliasRepo
from tests.fixtures.repos import NOW, first, ids, new_execution, new_template, request

LATER = NOW + timedelta(seconds=1)
AWKWARD = """it's "a" \\ %s ? ünï 漢字 🐈 \n\t"""


async def test_what_is_stored_comes_back_whole(templates: PeeweeTemplateRepo) -> None:
    new = new_template(
        name=AWKWARD,
        version=AWKWARD,
        description=AWKWARD,
        config=AWKWARD,
        labels={"a.b/c": AWKWARD},
    )

    created = await templates.create(new, None)

    for field in fields(NewTemplate):
        assert getattr(created, field.name) == getattr(new, field.name), field.name
    assert created.status is TemplateStatus.ACTIVE
    assert created.updated_at == new.created_at
    assert await templates.get(created.id) == created


async def test_an_unknown_id_is_not_found(templates: PeeweeTemplateRepo) -> None:
    with pytest.raises(TemplateNotFound):
        await templates.get(1)
    with pytest.raises(TemplateNotFound):
        await templates.update(1, TemplateChange(name="x"), updated_at=LATER)
    with pytest.raises(TemplateNotFound):
        await templates.delete(1, force=True)


async def test_a_key_is_taken_once(templates: PeeweeTemplateRepo) -> None:
    await templates.create(new_template(), None)

    with pytest.raises(TemplateAlreadyExists):
        await templates.create(new_template(config="other"), None)

    await templates.create(new_template(namespace="other"), None)
    await templates.create(new_template(name="other"), None)
    await templates.create(new_template(version="2.0.0"), None)


async def test_names_differ_by_case(templates: PeeweeTemplateRepo) -> None:
    await templates.create(new_template(name="order"), None)
    await templates.create(new_template(name="Order"), None)

    rows = await templates.list(TemplateQuery(name="Order"), first())
    assert [template.name for template in rows.items] == ["Order"]


async def test_an_id_is_never_given_twice(templates: PeeweeTemplateRepo) -> None:
    old = await templates.create(new_template(), None)
    await templates.delete(old.id, force=False)

    assert (await templates.create(new_template(), None)).id != old.id


async def test_a_text_that_is_too_long_is_no_error_of_the_driver(
    templates: PeeweeTemplateRepo, database_url: str
) -> None:
    if database_url.startswith("postgresql"):
        with pytest.raises(InvalidArgument):
            await templates.create(new_template(version="9" * 51), None)
    else:
        await templates.create(new_template(version="9" * 51), None)


async def test_the_same_request_makes_one_template(templates: PeeweeTemplateRepo) -> None:
    created = await templates.create(new_template(), request())

    assert await templates.create(new_template(), request()) == created


async def test_a_request_answers_the_template_as_it_is_now(templates: PeeweeTemplateRepo) -> None:
    created = await templates.create(new_template(), request())
    changed = await templates.update(created.id, TemplateChange(version="2"), updated_at=LATER)

    assert await templates.create(new_template(), request()) == changed


async def test_a_request_id_with_another_content_is_refused(
    templates: PeeweeTemplateRepo,
) -> None:
    await templates.create(new_template(), request())

    with pytest.raises(RequestIdReused):
        await templates.create(new_template(name="other"), request(digest="b"))
    assert (await templates.list(TemplateQuery(name="other"), first())).items == []


async def test_a_request_whose_template_is_gone_makes_no_other(
    templates: PeeweeTemplateRepo,
) -> None:
    created = await templates.create(new_template(), request())
    await templates.delete(created.id, force=False)

    with pytest.raises(TemplateNotFound):
        await templates.create(new_template(), request())


async def test_a_refused_request_leaves_its_id_free(templates: PeeweeTemplateRepo) -> None:
    await templates.create(new_template(), None)
    with pytest.raises(TemplateAlreadyExists):
        await templates.create(new_template(), request())

    created = await templates.create(new_template(version="2"), request(digest="b"))
    assert created.version == "2"


async def test_equal_requests_at_once_make_one_template(templates: PeeweeTemplateRepo) -> None:
    made = await asyncio.gather(*(templates.create(new_template(), request()) for _ in range(50)))

    assert len({template.id for template in made}) == 1
    assert len((await templates.list(TemplateQuery(), first())).items) == 1


async def test_equal_templates_at_once_make_one(templates: PeeweeTemplateRepo) -> None:
    made = await asyncio.gather(
        *(templates.create(new_template(), None) for _ in range(20)), return_exceptions=True
    )

    refused = [one for one in made if isinstance(one, BaseException)]
    assert len(refused) == 19
    assert all(isinstance(error, TemplateAlreadyExists) for error in refused)


@pytest.mark.parametrize(
    "change",
    [
        TemplateChange(name="other"),
        TemplateChange(version="2"),
        TemplateChange(description="new"),
        TemplateChange(description=""),
        TemplateChange(config="{1}", digest="d2"),
        TemplateChange(status=TemplateStatus.INACTIVE),
        TemplateChange(labels={"b": "2"}),
        TemplateChange(labels={}),
    ],
)
async def test_an_update_changes_what_it_names_and_nothing_else(
    templates: PeeweeTemplateRepo, change: TemplateChange
) -> None:
    old = await templates.create(new_template(description="old", labels={"a": "1"}), None)

    new = await templates.update(old.id, change, updated_at=LATER)

    named = {
        field.name: getattr(change, field.name)
        for field in fields(change)
        if getattr(change, field.name) is not None
    }
    assert new == replace(old, **named, updated_at=LATER, revision=old.revision + 1)
    assert new.etag != old.etag
    assert await templates.get(old.id) == new


async def test_an_update_can_ask_for_a_state(templates: PeeweeTemplateRepo) -> None:
    old = await templates.create(new_template(), None)
    new = await templates.update(
        old.id, TemplateChange(description="1"), updated_at=LATER, etag=old.etag
    )

    with pytest.raises(TemplateEtagMismatch):
        await templates.update(
            old.id, TemplateChange(description="2"), updated_at=LATER, etag=old.etag
        )
    assert await templates.get(old.id) == new


async def test_of_updates_at_once_that_ask_for_a_state_one_gets_it(
    templates: PeeweeTemplateRepo,
) -> None:
    old = await templates.create(new_template(), None)

    made = await asyncio.gather(
        *(
            templates.update(
                old.id, TemplateChange(description=f"{i}"), updated_at=LATER, etag=old.etag
            )
            for i in range(10)
        ),
        return_exceptions=True,
    )

    assert sum(not isinstance(one, TemplateEtagMismatch) for one in made) == 1
    assert (await templates.get(old.id)).revision == old.revision + 1


async def test_a_template_cannot_take_the_key_of_another(templates: PeeweeTemplateRepo) -> None:
    await templates.create(new_template(version="1"), None)
    other = await templates.create(new_template(version="2"), None)

    with pytest.raises(TemplateAlreadyExists, match="version 1"):
        await templates.update(other.id, TemplateChange(version="1"), updated_at=LATER)
    assert await templates.get(other.id) == other


async def test_a_template_in_use_is_deleted_only_by_force(
    templates: PeeweeTemplateRepo, executions: PeeweeExecutionRepo
) -> None:
    template = await templates.create(new_template(), None)
    await executions.create(new_execution("e1", template_id=template.id), None)

    with pytest.raises(TemplateInUse, match="execution e1"):
        await templates.delete(template.id, force=False)
    await templates.delete(template.id, force=True)

    with pytest.raises(TemplateNotFound):
        await templates.get(template.id)
    assert (await executions.get("e1")).definition == "{}"


async def test_ended_executions_do_not_hold_a_template(
    templates: PeeweeTemplateRepo, executions: PeeweeExecutionRepo
) -> None:
    template = await templates.create(new_template(), None)
    await executions.create(new_execution("e1", template_id=template.id), None)
    end = ExecutionEnd(status=ExecutionStatus.COMPLETED, output=None, error=None, ended_at=LATER)
    await executions.record_end("e1", end)

    await templates.delete(template.id, force=False)


async def test_a_template_with_an_alias_is_deleted_only_by_force_and_with_it(
    templates: PeeweeTemplateRepo, aliases: PeeweeTemplateAliasRepo
) -> None:
    template = await templates.create(new_template(), None)
    await aliases.set(
        TemplateAlias(
            namespace="shop",
            name="order",
            alias="prod",
            version="1.0.0",
            template_id=template.id,
            updated_at=NOW,
        )
    )

    with pytest.raises(TemplateInUse, match="alias prod"):
        await templates.delete(template.id, force=False)
    await templates.delete(template.id, force=True)

    assert await aliases.find("shop", "order", "prod") is None


async def test_lists_hold_the_definition_only_in_full(templates: PeeweeTemplateRepo) -> None:
    created = await templates.create(new_template(labels={"a": "1"}), None)

    light = await templates.list(TemplateQuery(), first())
    full = await templates.list(TemplateQuery(full=True), first())

    assert list(light.items) == [replace(created, config="")]
    assert list(full.items) == [created]


async def test_each_filter_matches_what_it_says(templates: PeeweeTemplateRepo) -> None:
    one = await templates.create(new_template(name="order_a", labels={"team": "x"}), None)
    two = await templates.create(new_template(name="Order%b", namespace="other"), None)
    await templates.update(two.id, TemplateChange(status=TemplateStatus.INACTIVE), updated_at=LATER)

    async def found(query: TemplateQuery) -> object:
        rows = await templates.list(query, first(by="id", count=True))
        assert rows.total == len(rows.items)
        return ids(rows)

    assert await found(TemplateQuery()) == [one.id, two.id]
    assert await found(TemplateQuery(namespace="shop")) == [one.id]
    assert await found(TemplateQuery(name="Order%b")) == [two.id]
    assert await found(TemplateQuery(name_prefix="order_")) == [one.id]
    assert await found(TemplateQuery(name_prefix="Order%")) == [two.id]
    assert await found(TemplateQuery(name_prefix="%")) == []
    assert await found(TemplateQuery(status=TemplateStatus.ACTIVE)) == [one.id]
    assert await found(TemplateQuery(status=TemplateStatus.INACTIVE)) == [two.id]
    assert await found(TemplateQuery(labels={"team": "x"})) == [one.id]
    assert await found(TemplateQuery(labels={"team": "y"})) == []
    assert await found(TemplateQuery(namespace="other", labels={"team": "x"})) == []
