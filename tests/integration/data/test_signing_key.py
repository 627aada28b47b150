"""PeeweeSigningKey, on both databases."""

import asyncio

from biz.paging import PageRequest, PageTokens
from biz.templates.template import TemplateQuery
from data.database import Database
from data.signing_key import PeeweeSigningKey
from data.template import PeeweeTemplateRepo
from tests.fixtures.repos import new_template


async def test_all_servers_of_a_database_share_one_random_key(database: Database) -> None:
    servers = [PeeweeSigningKey(database=database) for _ in range(10)]

    keys = await asyncio.gather(*(server.get() for server in servers))

    assert len(set(keys)) == 1
    assert len(keys[0]) >= 32


async def test_the_key_is_read_once(database: Database) -> None:
    signing_key = PeeweeSigningKey(database=database)
    key = await signing_key.get()
    await database.close()

    assert await signing_key.get() == key


async def test_a_place_survives_its_token(
    database: Database, templates: PeeweeTemplateRepo
) -> None:
    for number in range(3):
        await templates.create(new_template(version=f"{number}"), None)
    tokens = PageTokens(signing_key=PeeweeSigningKey(database=database))
    ask = {"query": [], "orders": ("created_at", "name"), "default": "created_at desc"}

    for order_by in ("", "name"):
        seen: list[int] = []
        token = ""
        while token or not seen:
            page_request = PageRequest(size=1, token=token, order_by=order_by)
            slice = await tokens.slice(page_request, **ask)
            rows = await templates.list(TemplateQuery(), slice)
            page = await tokens.page(rows, slice, query=[])
            seen += [template.id for template in page.items]
            token = page.next_token
        assert sorted(seen) == seen if order_by else sorted(seen, reverse=True) == seen
        assert len(seen) == 3
