"""DSL reference, "Retry": when a failed task is tried again, and after which time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from biz.dsl.durations import read_duration
from biz.dsl.expressions import Expression
from biz.dsl.frame import Frame
from biz.dsl.model import Duration
from biz.dsl.reading.reader import Node
from biz.dsl.values import read_expression

_BACKOFFS = ("constant", "linear", "exponential")
_LONGEST = timedelta(days=36_525)


@dataclass(frozen=True, slots=True, kw_only=True)
class Jitter:
    """The range of a random time that is added to a delay."""

    start: Duration
    end: Duration


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """A retry policy.

    `backoff` is one of constant, linear and exponential. `count` is how many times it is tried
    again at most, `attempt` how long one attempt may take, `total` the time from the first
    attempt's start on in which another one may start.
    """

    when: Expression | None = None
    except_when: Expression | None = None
    delay: Duration | None = None
    backoff: str = "constant"
    jitter: Jitter | None = None
    count: int | None = None
    attempt: Duration | None = None
    total: Duration | None = None

    async def applies(self, frame: Frame) -> bool:
        """Whether the error in scope is one to try again after."""
        if self.when is not None and not await frame.holds(self.when):
            return False
        return self.except_when is None or not await frame.holds(self.except_when)

    async def pause(self, frame: Frame, retry: int) -> timedelta:
        """The time before a retry; the first one is 1."""
        delay = await frame.duration(self.delay) if self.delay else timedelta()
        factor = {"constant": 1, "linear": retry, "exponential": 1 << min(retry - 1, 60)}
        try:
            pause = delay * factor[self.backoff]
        except OverflowError:
            pause = _LONGEST
        if self.jitter is not None:
            start = await frame.duration(self.jitter.start)
            end = await frame.duration(self.jitter.end)
            pause += start + (end - start) * frame.world.random()
        return min(max(pause, timedelta()), _LONGEST)


def read_retry_policy(node: Node, variables: frozenset[str]) -> RetryPolicy:
    """A retry policy of a definition."""
    fields = node.object(optional=("when", "exceptWhen", "delay", "backoff", "limit", "jitter"))
    limit = fields["limit"].object(optional=("attempt", "duration")) if "limit" in fields else {}
    attempt = limit["attempt"].object(optional=("count", "duration")) if "attempt" in limit else {}
    return RetryPolicy(
        when=_condition(fields, "when", variables),
        except_when=_condition(fields, "exceptWhen", variables),
        delay=_duration(fields, "delay", variables),
        backoff=_backoff(fields["backoff"]) if "backoff" in fields else "constant",
        jitter=_jitter(fields["jitter"], variables) if "jitter" in fields else None,
        count=_count(attempt["count"]) if "count" in attempt else None,
        attempt=_duration(attempt, "duration", variables),
        total=_duration(limit, "duration", variables),
    )


def _condition(
    fields: Mapping[str, Node], name: str, variables: frozenset[str]
) -> Expression | None:
    return read_expression(fields[name], variables) if name in fields else None


def _duration(fields: Mapping[str, Node], name: str, variables: frozenset[str]) -> Duration | None:
    return read_duration(fields[name], variables) if name in fields else None


def _count(node: Node) -> int:
    count = node.integer()
    if count < 0:
        node.warning("unusable-value", "it is never tried again, as with 0")
    return count


def _backoff(node: Node) -> str:
    fields = node.object(optional=_BACKOFFS)
    for backoff in fields.values():
        if backoff.mapping():
            backoff.warning("ignored-property", "a backoff has no properties in the standard")
    if isinstance(node.value, dict) and len(node.value) != 1:
        node.error("invalid-value", f"must have one of {', '.join(_BACKOFFS)}")
    return next(iter(fields), "constant")


def _jitter(node: Node, variables: frozenset[str]) -> Jitter:
    fields = node.object(required=("from", "to"))
    return Jitter(
        start=read_duration(fields["from"], variables), end=read_duration(fields["to"], variables)
    )
