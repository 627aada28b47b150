"""Fetches the documents that calls stand on (DSL reference, "External Resource")."""

import asyncio
import json
import time
from collections import OrderedDict
from dataclasses import asdict, dataclass
from typing import Any

from biz.dsl.calls.resource import Resource
from biz.dsl.errors import TaskFault, WorkflowError
from biz.dsl.reading.positions import SourceError
from biz.dsl.reading.source import read
from workflows.activities.http_calls.sender import HttpRequest, HttpSender, shown_url

MAX_DOCUMENT_BYTES = 16 * 1024 * 1024

_KEPT_SECONDS = 60.0
_KEPT_DOCUMENTS = 100
_KEPT_BYTES = 32 * 1024 * 1024


@dataclass(slots=True, kw_only=True)
class FetchedDocument:
    """A document. `uri` is where it was in the end, without credentials."""

    uri: str
    content: bytes
    _value: Any = None

    def text(self) -> str:
        """As UTF-8; raises TaskFault."""
        try:
            return self.content.decode("utf-8-sig")
        except UnicodeDecodeError:
            raise self.fault("is no text in UTF-8") from None

    async def value(self) -> Any:
        """As JSON or YAML, which nobody may change; raises TaskFault. It is read once, and beside
        the event loop, since a large one takes a while.
        """
        if self._value is None:
            self._value = await asyncio.to_thread(self._read)
        return self._value

    def _read(self) -> Any:
        try:
            return read(self.text(), any_keys=True).value
        except SourceError as error:
            place = error.position
            where = f" at line {place.line}, column {place.column}" if place.line else ""
            raise self.fault(f"can't be read{where}: {error.message}") from None

    def fault(self, what: str) -> TaskFault:
        """A configuration error: what is wrong with this document."""
        detail = f"the document {shown_url(self.uri)} {what}"
        return TaskFault(WorkflowError.standard("configuration", detail))


class Documents:
    """Documents by http and https. Each is kept for a minute, for those who bring the same
    credentials; who asks for one that is under way waits for it.
    """

    def __init__(self, *, sender: HttpSender) -> None:
        self._sender = sender
        self._kept: OrderedDict[str, tuple[float, FetchedDocument]] = OrderedDict()
        self._under_way: dict[str, asyncio.Task[FetchedDocument]] = {}

    async def fetch(self, resource: Resource) -> FetchedDocument:
        """The document; raises TaskFault, which names its URL without credentials and query."""
        resource.require_valid()
        key = json.dumps(asdict(resource), sort_keys=True)
        if (kept := self._kept.get(key)) and time.monotonic() < kept[0]:
            return kept[1]
        fetching = self._under_way.get(key)
        if fetching is None:
            fetching = asyncio.create_task(self._fetch(resource))
            self._under_way[key] = fetching
            fetching.add_done_callback(lambda done: self._end(key, done))
        # One that is cancelled while it waits doesn't take the document from the others.
        return await asyncio.shield(fetching)

    async def _fetch(self, resource: Resource) -> FetchedDocument:
        request = HttpRequest(
            method="GET", url=resource.uri, authentication=resource.authentication, redirect=True
        )
        answer = await self._sender.send(request, limit=MAX_DOCUMENT_BYTES)
        return FetchedDocument(
            uri=str(answer.response.url.copy_with(userinfo=b"")),
            content=answer.content,
        )

    def _end(self, key: str, fetching: asyncio.Task[FetchedDocument]) -> None:
        del self._under_way[key]
        if fetching.cancelled() or fetching.exception() is not None:
            return
        self._kept[key] = (time.monotonic() + _KEPT_SECONDS, fetching.result())
        self._kept.move_to_end(key)
        while self._is_too_much():
            self._kept.popitem(last=False)

    def _is_too_much(self) -> bool:
        size = sum(len(document.content) for _, document in self._kept.values())
        return len(self._kept) > _KEPT_DOCUMENTS or size > _KEPT_BYTES
