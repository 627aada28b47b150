"""Keeps the tokens that calls authenticate with until they expire."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from biz.dsl.errors import TaskFault
from biz.dsl.oauth2 import OAuth2Policy
from workflows.activities.authentication.token_request import IssuedToken, TokenClient
from workflows.activities.redaction import keep_secret

_MOST_KEPT = 1_000
_KEPT_SECONDS = 300
"""How long a token is kept that doesn't say when it expires."""

_LEEWAY_SECONDS = 30
_LEEWAY_SHARE = 0.1
"""A token isn't used in the last part of its life: so long, or so much of it."""


@dataclass(slots=True)
class _Kept:
    """The token of one policy; one at a time asks for it."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    token: IssuedToken | None = None
    until: float = 0.0


class TokenSource:
    """Gives the access tokens of policies: one for all calls with the same policy."""

    def __init__(self, *, client: TokenClient, clock: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._clock = clock
        self._kept: OrderedDict[OAuth2Policy, _Kept] = OrderedDict()

    async def get(self, policy: OAuth2Policy, *, instead_of: str | None = None) -> str:
        """An access token, other than one that a service has refused; raises TaskFault."""
        kept = self._place(policy)
        async with kept.lock:
            token = kept.token
            if token is None or token.access == instead_of or self._clock() >= kept.until:
                token = await self._renewed(policy, token)
                kept.token, kept.until = token, self._until(token)
        keep_secret(token.access)
        return token.access

    async def _renewed(self, policy: OAuth2Policy, old: IssuedToken | None) -> IssuedToken:
        if old is not None and old.refresh:
            try:
                return await self._client.refresh(policy, old.refresh)
            except TaskFault:
                pass  # that one is stale too
        return await self._client.request(policy)

    def _place(self, policy: OAuth2Policy) -> _Kept:
        kept = self._kept.setdefault(policy, _Kept())
        self._kept.move_to_end(policy)
        if len(self._kept) > _MOST_KEPT:
            self._kept.popitem(last=False)
        return kept

    def _until(self, token: IssuedToken) -> float:
        seconds = _KEPT_SECONDS if token.seconds is None else token.seconds
        return self._clock() + seconds - min(_LEEWAY_SECONDS, seconds * _LEEWAY_SHARE)
