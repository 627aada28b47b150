"""The page that a request for a list asks for."""

from typing import Protocol

from biz.paging import PageRequest


class ListRequest(Protocol):
    """What all requests for a page have in common."""

    page_size: int
    page_token: str
    order_by: str
    show_total: bool


def page_request_from_proto(request: ListRequest) -> PageRequest:
    """The page that is asked for."""
    return PageRequest(
        size=request.page_size,
        token=request.page_token,
        order_by=request.order_by,
        show_total=request.show_total,
    )
