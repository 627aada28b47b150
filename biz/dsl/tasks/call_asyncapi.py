"""DSL reference, "AsyncAPI Call"."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from biz.dsl.authentication import Authentication, read_authentication
from biz.dsl.calls.asyncapi_call import (
    AsyncApiPublication,
    AsyncApiReception,
    AsyncApiTarget,
)
from biz.dsl.checkpoint import BATCH, EVENT, OUTPUTS
from biz.dsl.durations import read_duration
from biz.dsl.errors import TaskFault
from biz.dsl.expressions import Expression, is_evaluated
from biz.dsl.external.external_resources import ExternalResource, read_external_resource
from biz.dsl.frame import Outcome
from biz.dsl.iterators import SubscriptionIterator, read_iterator
from biz.dsl.model import Duration, Evaluable, Task, TaskList
from biz.dsl.reading.reader import Node
from biz.dsl.values import Literal, read_expression, read_value

if TYPE_CHECKING:
    from biz.dsl.frame import Frame
    from biz.dsl.parser import TaskSource

SUPPORTED = ("http", "nats")
PROTOCOLS = (
    "amqp", "amqp1", "anypointmq", "googlepubsub", "http", "ibmmq", "jms", "kafka", "mercure",
    "mqtt", "mqtt5", "nats", "pulsar", "redis", "sns", "solace", "sqs", "stomp", "ws",
)  # fmt: skip

_LONGEST_WAIT = timedelta(minutes=5)
_LARGEST_BATCH = 100
_LEAST_WAIT = timedelta(milliseconds=1)
_NO_BATCH = {"messages": (), "position": None, "ended": False}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Target:
    """Where to send and listen, with its expressions."""

    document: ExternalResource
    operation: str | None
    channel: str | None
    server: str | None
    variables: Evaluable
    protocol: str | None
    authentication: Authentication | None

    async def resolve(self, frame: Frame) -> AsyncApiTarget:
        return AsyncApiTarget(
            document=await self.document.resolve(frame),
            operation=self.operation,
            channel=self.channel,
            server=self.server,
            variables=await frame.evaluate(self.variables),
            protocol=self.protocol,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishTask(Task):
    """Publishes a message; its output is null."""

    target: _Target
    payload: Evaluable
    headers: Evaluable

    async def execute(self, frame: Frame) -> Outcome:
        """Evaluates the message and publishes it."""
        authentication = self.target.authentication
        call = AsyncApiPublication(
            target=await self.target.resolve(frame),
            payload=await frame.evaluate(self.payload),
            headers=await frame.evaluate(self.headers),
            authentication=await authentication.resolve(frame) if authentication else None,
            idempotency_key=frame.world.next_call_key(frame.path),
        )
        return Outcome(await frame.world.call(call, frame.path))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Lifetime:
    """DSL reference, "AsyncAPI Subscription Lifetime"."""

    amount: int | None
    while_: Expression | None
    until: Expression | None
    duration: Duration | None

    async def is_over_before(self, frame: Frame, outputs: list[Any]) -> bool:
        """Whether no further message is consumed."""
        if self.amount is not None:
            return len(outputs) >= self.amount
        return self.until is not None and await frame.holds(self.until, outputs)

    async def is_over_after(self, frame: Frame, outputs: list[Any]) -> bool:
        """Whether the message that was just consumed was the last one."""
        return self.while_ is not None and not await frame.holds(self.while_, outputs)


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscribeTask(Task):
    """Consumes messages one after another; its output is an array of what came of them.

    They are received in batches, whose messages are filtered and counted here. `while` and `until`
    are evaluated on the output so far.
    """

    target: _Target
    filter: Expression | None
    lifetime: _Lifetime
    foreach: SubscriptionIterator | None

    async def execute(self, frame: Frame) -> Outcome:
        """Receives until its lifetime is over."""
        end = None
        if self.lifetime.duration is not None:
            end = frame.world.now() + await frame.duration(self.lifetime.duration)
        reception = await self._open(frame)
        try:
            outcome = await self._consume(frame, reception, end)
        except TaskFault:
            await self._close(frame, reception)
            raise
        await self._close(frame, reception)
        return outcome

    async def _consume(
        self, frame: Frame, reception: AsyncApiReception, end: datetime | None
    ) -> Outcome:
        notes, path = frame.world.notes, frame.path
        outputs: list[Any] = notes.take(path, OUTPUTS, [])
        pending = notes.take(path, EVENT)
        batch = notes.take(path, BATCH, _NO_BATCH)
        while True:
            notes.put(path, OUTPUTS, outputs)
            notes.put(path, EVENT, pending)
            notes.put(path, BATCH, batch)
            if pending is not None:
                message, number = pending
                if number == len(outputs):
                    outcome = await self._process(frame, message, number)
                    if outcome.ended:
                        return outcome
                    outputs.append(outcome.output)
                if await self.lifetime.is_over_after(frame, outputs):
                    break
                pending = None
            elif batch["messages"]:
                message, *others = batch["messages"]
                if self.filter is None or await frame.holds(self.filter, message):
                    if await self.lifetime.is_over_before(frame, outputs):
                        break
                    pending = (message, len(outputs))
                batch = {**batch, "messages": others}
            else:
                if batch["ended"] or await self.lifetime.is_over_before(frame, outputs):
                    break
                wait = _LONGEST_WAIT if end is None else min(end - frame.world.now(), _LONGEST_WAIT)
                if wait < _LEAST_WAIT:
                    break
                batch = await self._receive(
                    frame,
                    reception,
                    position=batch["position"],
                    limit=self._limit(outputs),
                    wait=wait,
                )
        notes.drop(path, OUTPUTS, EVENT, BATCH)
        return Outcome(outputs)

    async def _process(self, frame: Frame, message: Any, index: int) -> Outcome:
        if self.foreach is None:
            return Outcome(message)
        return await self.foreach.iterate(frame, message, index)

    def _limit(self, outputs: list[Any]) -> int:
        """No more are received than are consumed at most."""
        if self.lifetime.amount is None:
            return _LARGEST_BATCH
        return min(self.lifetime.amount - len(outputs), _LARGEST_BATCH)

    async def _open(self, frame: Frame) -> AsyncApiReception:
        authentication = self.target.authentication
        key = frame.world.next_call_key(frame.path)
        return AsyncApiReception(
            target=await self.target.resolve(frame),
            subscription=key,
            position=None,
            limit=0,
            wait_seconds=0,
            authentication=await authentication.resolve(frame) if authentication else None,
            idempotency_key=key,
        )

    async def _close(self, frame: Frame, reception: AsyncApiReception) -> None:
        await self._receive(frame, reception, position=None, limit=0, wait=timedelta())

    async def _receive(
        self,
        frame: Frame,
        reception: AsyncApiReception,
        *,
        position: str | None,
        limit: int,
        wait: timedelta,
    ) -> Any:
        call = replace(
            reception,
            position=position,
            limit=limit,
            wait_seconds=wait.total_seconds(),
            idempotency_key=frame.world.next_call_key(frame.path),
        )
        return await frame.world.call(call, frame.path)

    def lists(self) -> Iterator[TaskList]:
        """The tasks for each message."""
        if self.foreach is not None and self.foreach.do is not None:
            yield self.foreach.do


def parse(source: TaskSource) -> Task | None:
    """Reads either task's own properties."""
    if "with" not in source.fields:
        source.parser.missing(source.common["pointer"], "with")
        return None
    node = source.fields["with"]
    arguments = node.object(
        required=("document",),
        optional=(
            "channel", "operation", "server", "protocol", "message", "subscription",
            "authentication",
        ),
    )  # fmt: skip
    for one, other in (("operation", "channel"), ("message", "subscription")):
        if isinstance(node.value, dict) and (one in arguments) == (other in arguments):
            node.error("invalid-value", f'must have either "{one}" or "{other}"')
    target = _read_target(arguments, source)
    if "subscription" in arguments:
        return _read_subscription(arguments["subscription"], target, source)
    return _read_message(arguments.get("message"), target, source)


def _read_target(arguments: Mapping[str, Node], source: TaskSource) -> _Target:
    server, variables = _read_server(arguments.get("server"), source.variables)
    protocol = arguments.get("protocol")
    if protocol is not None:
        _check_protocol(protocol, is_ignored=server is not None)
    named = source.parser.use.authentications
    authentication = arguments.get("authentication")
    return _Target(
        document=read_external_resource(arguments["document"], source.variables, named),
        operation=arguments["operation"].string() if "operation" in arguments else None,
        channel=arguments["channel"].string() if "channel" in arguments else None,
        server=server,
        variables=variables,
        protocol=protocol.string() if protocol else None,
        authentication=read_authentication(authentication, source.variables, named)
        if authentication
        else None,
    )


def _check_protocol(node: Node, *, is_ignored: bool) -> None:
    name = node.choice(*PROTOCOLS)
    if name == node.value and name not in SUPPORTED and not is_ignored:
        node.warning(
            "unsupported-protocol",
            f"messages by {name} can't be sent or received, so that the task will fault; "
            f"supported are {' and '.join(SUPPORTED)}",
        )


def _read_server(node: Node | None, variables: frozenset[str]) -> tuple[str | None, Evaluable]:
    if node is None:
        return None, Literal({})
    fields = node.object(required=("name",), optional=("variables",))
    if "variables" not in fields:
        return fields["name"].string(), Literal({})
    fields["variables"].mapping()
    return fields["name"].string(), read_value(fields["variables"], variables)


def _read_message(node: Node | None, target: _Target, source: TaskSource) -> PublishTask:
    fields = node.object(optional=("payload", "headers")) if node is not None else {}
    for field in fields.values():
        field.mapping()
    return PublishTask(
        target=target,
        payload=read_value(fields["payload"], source.variables)
        if "payload" in fields
        else Literal(None),
        headers=read_value(fields["headers"], source.variables)
        if "headers" in fields
        else Literal({}),
        **source.common,
    )


def _read_subscription(node: Node, target: _Target, source: TaskSource) -> SubscribeTask:
    inside = source.without_secrets()
    fields = node.object(required=("consume",), optional=("filter", "foreach"))
    return SubscribeTask(
        target=target,
        filter=_read_condition(fields["filter"], inside.variables) if "filter" in fields else None,
        lifetime=_read_lifetime(fields["consume"], inside.variables),
        foreach=read_iterator(fields["foreach"], inside) if "foreach" in fields else None,
        **source.common,
    )


def _read_lifetime(node: Node, variables: frozenset[str]) -> _Lifetime:
    fields = node.object(optional=("amount", "while", "until", "for"))
    if isinstance(node.value, dict) and len(fields.keys() & {"amount", "while", "until"}) != 1:
        node.error("invalid-value", 'must have one of "amount", "while" and "until"')

    def expression(name: str) -> Expression | None:
        return _read_condition(fields[name], variables) if name in fields else None

    return _Lifetime(
        amount=fields["amount"].integer() if "amount" in fields else None,
        while_=expression("while"),
        until=expression("until"),
        duration=read_duration(fields["for"], variables) if "for" in fields else None,
    )


def _read_condition(node: Node, variables: frozenset[str]) -> Expression:
    if node.is_string and not is_evaluated(node.value):
        node.error("invalid-value", "must be an expression in braces, such as ${ .payload.ready }")
    return read_expression(node, variables)
