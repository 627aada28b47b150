"""PeeweeTemplateAliasRepo, on both databases."""

from dataclasses import replace
from datetime import timedelta

import pytest

from biz.errors import TemplateAliasNotFound, TemplateNotFound
from biz.templates.alias import TemplateAlias, TemplateVersion
from biz.templates.template import Template, TemplateChange, TemplateStatus
from data.template import PeeweeTemplateRepo
from data.template_alias import PeeweeTemplateAliasRepo
from tests.fixtures.repos import NOW, first, new_template

LATER = NOW + timedelta(seconds=1)


def alias_of(template: Template, alias: str = "prod") -> TemplateAlias:
    return TemplateAlias(
        namespace=template.namespace,
        name=template.name,
        alias=alias,
        version=template.version,
        template_id=template.id,
        updated_at=NOW,
    )


async def test_an_alias_is_made_and_pointed_anew(
    templates: PeeweeTemplateRepo, aliases: PeeweeTemplateAliasRepo
) -> None:
    one = await templates.create(new_template(version="1"), None)
    two = await templates.create(new_template(version="2"), None)

    made = await aliases.set(alias_of(one))
    assert made == alias_of(one)
    assert await aliases.find("shop", "order", "prod") == made

    moved = await aliases.set(replace(alias_of(two), updated_at=LATER))
    assert moved == replace(alias_of(two), updated_at=LATER)
    assert await aliases.find("shop", "order", "prod") == moved


async def test_an_alias_needs_its_template(
    templates: PeeweeTemplateRepo, aliases: PeeweeTemplateAliasRepo
) -> None:
    template = await templates.create(new_template(), None)
    await templates.delete(template.id, force=False)

    with pytest.raises(TemplateNotFound):
        await aliases.set(alias_of(template))


async def test_an_alias_is_refused_when_its_template_was_renamed(
    templates: PeeweeTemplateRepo,
    aliases: PeeweeTemplateAliasRepo,
) -> None:
    template = await templates.create(new_template(), None)
    await templates.update(template.id, TemplateChange(name="other"), updated_at=LATER)

    with pytest.raises(TemplateNotFound):
        await aliases.set(alias_of(template))


async def test_an_alias_follows_the_version_of_its_template(
    templates: PeeweeTemplateRepo,
    aliases: PeeweeTemplateAliasRepo,
) -> None:
    template = await templates.create(new_template(version="1"), None)
    await aliases.set(alias_of(template))

    await templates.update(template.id, TemplateChange(version="1.1"), updated_at=LATER)

    found = await aliases.find("shop", "order", "prod")
    assert found == replace(alias_of(template), version="1.1")


async def test_an_alias_follows_the_name_of_its_template(
    templates: PeeweeTemplateRepo, aliases: PeeweeTemplateAliasRepo
) -> None:
    moving = await templates.create(new_template(name="order", version="1"), None)
    there = await templates.create(new_template(name="sale", version="2"), None)
    await aliases.set(alias_of(moving, "prod"))
    await aliases.set(alias_of(moving, "canary"))
    await aliases.set(alias_of(there, "prod"))

    await templates.update(moving.id, TemplateChange(name="sale"), updated_at=LATER)

    assert (await aliases.list("shop", "order", first(by="alias"))).items == []
    canary, prod = (await aliases.list("shop", "sale", first(by="alias"))).items
    assert (canary.alias, canary.version) == ("canary", "1")
    assert (prod.alias, prod.version) == ("prod", "2")


async def test_an_alias_is_deleted_once(
    templates: PeeweeTemplateRepo, aliases: PeeweeTemplateAliasRepo
) -> None:
    template = await templates.create(new_template(), None)
    await aliases.set(alias_of(template))

    await aliases.delete("shop", "order", "prod")

    assert await aliases.find("shop", "order", "prod") is None
    with pytest.raises(TemplateAliasNotFound):
        await aliases.delete("shop", "order", "prod")


async def test_aliases_are_listed_by_name_or_all(
    templates: PeeweeTemplateRepo, aliases: PeeweeTemplateAliasRepo
) -> None:
    order = await templates.create(new_template(name="order"), None)
    sale = await templates.create(new_template(name="sale"), None)
    other = await templates.create(new_template(namespace="other"), None)
    await aliases.set(alias_of(order, "b"))
    await aliases.set(alias_of(sale, "a"))
    await aliases.set(alias_of(other, "c"))

    async def listed(namespace: str, name: str) -> list[str]:
        rows = await aliases.list(namespace, name, first(by="alias", count=True))
        assert rows.total == len(rows.items)
        return [alias.alias for alias in rows.items]

    assert await listed("shop", "order") == ["b"]
    assert await listed("shop", "") == ["a", "b"]
    assert await listed("", "") == ["a", "b", "c"]


async def test_aliases_of_the_same_name_are_paged_without_loss(
    templates: PeeweeTemplateRepo,
    aliases: PeeweeTemplateAliasRepo,
) -> None:
    made = set()
    for number in range(5):
        template = await templates.create(new_template(name=f"name{number}"), None)
        made.add((await aliases.set(alias_of(template))).name)

    for by in ("alias", "updated_at"):
        slice, seen = first(2, by=by), []
        while slice.after or not seen:
            rows = await aliases.list("", "", slice)
            seen += [alias.name for alias in rows.items]
            slice = replace(slice, after=rows.place)
        assert sorted(seen) == sorted(made)


async def test_versions_are_those_of_one_name(
    templates: PeeweeTemplateRepo, aliases: PeeweeTemplateAliasRepo
) -> None:
    one = await templates.create(new_template(version="1"), None)
    two = await templates.create(new_template(version="2"), None)
    await templates.update(two.id, TemplateChange(status=TemplateStatus.INACTIVE), updated_at=LATER)
    await templates.create(new_template(name="other"), None)
    await templates.create(new_template(namespace="other"), None)

    found = sorted(await aliases.versions("shop", "order"), key=lambda v: v.id)

    assert found == [
        TemplateVersion(id=one.id, version="1", status=TemplateStatus.ACTIVE, created_at=NOW),
        TemplateVersion(id=two.id, version="2", status=TemplateStatus.INACTIVE, created_at=NOW),
    ]
    assert await aliases.versions("shop", "unknown") == []
