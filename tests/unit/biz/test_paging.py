from typing import Any

import pytest

from biz.errors import InvalidArgument
from biz.paging import (
    DEFAULT_PAGE_SIZE,
    MAX_PAGE_SIZE,
    Order,
    Page,
    PageRequest,
    PageTokens,
    Rows,
    Slice,
)
from tests.fakes.signing_key import FakeSigningKey

ORDERS = ("created_at", "name")


async def slice_of(
    request: PageRequest, *, query: Any = ("a",), key: str = "a key for tests"
) -> Slice:
    return await PageTokens(signing_key=FakeSigningKey(key)).slice(
        request, query=query, orders=ORDERS, default="created_at desc"
    )


async def page_of(rows: Rows[int], slice: Slice, *, query: Any = ("a",)) -> Page[int]:
    return await PageTokens(signing_key=FakeSigningKey()).page(rows, slice, query=query)


async def refusal(request: PageRequest, **options: Any) -> list[tuple[str, str]]:
    with pytest.raises(InvalidArgument) as raised:
        await slice_of(request, **options)
    return [(fault.field, fault.code) for fault in raised.value.violations]


@pytest.mark.parametrize(
    ("asked", "given"),
    [(0, DEFAULT_PAGE_SIZE), (1, 1), (MAX_PAGE_SIZE, MAX_PAGE_SIZE), (10**9, MAX_PAGE_SIZE)],
)
async def test_the_size_of_a_page(asked: int, given: int) -> None:
    assert (await slice_of(PageRequest(size=asked))).limit == given


@pytest.mark.parametrize(
    ("text", "order"),
    [
        ("", Order(field="created_at", descending=True)),
        ("name", Order(field="name", descending=False)),
        ("name asc", Order(field="name", descending=False)),
        ("  name   DESC ", Order(field="name", descending=True)),
    ],
)
async def test_the_order_of_a_list(text: str, order: Order) -> None:
    assert (await slice_of(PageRequest(order_by=text))).order == order


@pytest.mark.parametrize("text", ["size", "name up", "name desc asc", "name,created_at", ","])
async def test_no_order_is(text: str) -> None:
    assert await refusal(PageRequest(order_by=text)) == [("order_by", "unknown-order")]


async def test_every_fault_of_a_request_is_told() -> None:
    assert await refusal(PageRequest(size=-1, order_by="size")) == [
        ("page_size", "out-of-range"),
        ("order_by", "unknown-order"),
    ]


async def test_a_negative_size_is_refused() -> None:
    assert await refusal(PageRequest(size=-1)) == [("page_size", "out-of-range")]


async def test_a_total_is_counted_when_it_is_asked_for() -> None:
    assert not (await slice_of(PageRequest())).count
    assert (await slice_of(PageRequest(show_total=True))).count


async def test_the_last_page_has_no_token() -> None:
    slice = await slice_of(PageRequest())
    page = await page_of(Rows(items=[1, 2], place=None, total=2), slice)
    assert page == Page(items=[1, 2], next_token="", total=2)


async def test_a_token_leads_to_what_follows() -> None:
    slice = await slice_of(PageRequest(order_by="name"))
    page = await page_of(Rows(items=[1], place=("é", 1)), slice)
    following = await slice_of(PageRequest(token=page.next_token, order_by="name"))
    assert following.after == ("é", 1)


async def test_a_token_may_go_with_another_size() -> None:
    page = await page_of(Rows(items=[1], place=(5, "x")), await slice_of(PageRequest(size=1)))
    following = await slice_of(PageRequest(token=page.next_token, size=7, show_total=True))
    assert (following.after, following.limit) == ((5, "x"), 7)


async def test_a_token_belongs_to_its_list() -> None:
    page = await page_of(Rows(items=[1], place=(5, 1)), await slice_of(PageRequest()))
    bad = [("page_token", "bad-page-token")]
    assert await refusal(PageRequest(token=page.next_token), query=("b",)) == bad
    assert await refusal(PageRequest(token=page.next_token, order_by="name")) == bad
    assert await refusal(PageRequest(token=page.next_token, order_by="created_at")) == bad
    assert await refusal(PageRequest(token=page.next_token), key="of another service") == bad


@pytest.mark.parametrize("token", ["x", "a.b", "é", ".", "W10.AAAA", "a" * 10_000])
async def test_what_isnt_signed_is_no_token(token: str) -> None:
    assert await refusal(PageRequest(token=token)) == [("page_token", "bad-page-token")]


async def test_a_changed_token_is_no_token() -> None:
    page = await page_of(Rows(items=[1], place=(5, 1)), await slice_of(PageRequest()))
    changed = page.next_token[:3] + "_" + page.next_token[4:]
    assert await refusal(PageRequest(token=changed)) == [("page_token", "bad-page-token")]
