"""Stands in for the hosts that definitions name: each is a path of one server on loopback."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from tests.conformance.greeter import greeter


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A request that a stand-in was sent; `body` is its JSON, or its text."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any


class Web:
    """A server for all hosts; `url` and `/host` in place of `https://host` reach the stand-in.

    `greeter` is the port of the gRPC service beside it.
    """

    def __init__(self) -> None:
        self.url = ""
        self.greeter = 0
        self.asked: list[Asked] = []
        self._answers: dict[tuple[str, str], Callable[[Asked], web.Response]] = {}

    def at(self, host: str) -> str:
        """Where a host stands."""
        return f"{self.url}/{host}"

    def answer(self, method: str, path: str, answer: Callable[[Asked], web.Response]) -> None:
        """Says what a path answers, which begins with the host."""
        self._answers[method, path] = answer

    def sent(self, method: str, path: str) -> list[Asked]:
        """The requests that a path was sent."""
        return [asked for asked in self.asked if (asked.method, asked.path) == (method, path)]

    async def respond(self, request: web.Request) -> web.Response:
        """Answers one request; an unknown path is 404."""
        text = await request.text()
        try:
            body = json.loads(text) if text else None
        except ValueError:
            body = text
        asked = Asked(
            method=request.method,
            path=request.path.removeprefix("/"),
            query=dict(request.query),
            headers={name.lower(): value for name, value in request.headers.items()},
            body=body,
        )
        self.asked.append(asked)
        answer = self._answers.get((asked.method, asked.path))
        return answer(asked) if answer else web.json_response({"error": "not found"}, status=404)


@asynccontextmanager
async def serve() -> AsyncIterator[Web]:
    """A web without any host yet."""
    found = Web()
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", found.respond)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0]
    found.url = f"http://{host}:{port}"
    try:
        async with greeter() as found.greeter:
            yield found
    finally:
        await runner.cleanup()
