"""DSL reference, "AsyncAPI Call": a message to publish, and messages to receive."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from biz.dsl.calls.call import Call
from biz.dsl.calls.http_call import pairs
from biz.dsl.calls.resource import Resource
from biz.dsl.errors import TaskFault, WorkflowError
from biz.dsl.json_types import describe


@dataclass(frozen=True, slots=True, kw_only=True)
class AsyncApiTarget:
    """What a document says of where to send and listen.

    Either `operation` (AsyncAPI 3) or `channel` (AsyncAPI 2) is there. The server is the one of
    `server`, or else the first of `protocol`, or else the first.
    """

    document: Resource
    operation: str | None
    channel: str | None
    server: str | None
    variables: Any
    protocol: str | None

    def require_valid(self) -> None:
        """See Call."""
        self.document.require_valid()
        _require_object("server's variables", self.variables)


@dataclass(frozen=True, slots=True, kw_only=True)
class AsyncApiPublication(Call):
    """A message to publish; `headers` are an object, and `payload` is None where there is none."""

    KIND: ClassVar[str] = "asyncapi_publish"

    target: AsyncApiTarget
    payload: Any
    headers: Any

    def require_valid(self) -> None:
        """See Call."""
        self.target.require_valid()
        pairs("headers", self.headers)


@dataclass(frozen=True, slots=True, kw_only=True)
class AsyncApiReception(Call):
    """The next messages of a subscription, up to `limit` of them within `wait_seconds`.

    `subscription` is the same for all receptions of one, `position` what the last one gave. A limit
    of 0 ends the subscription.
    """

    KIND: ClassVar[str] = "asyncapi_receive"

    target: AsyncApiTarget
    subscription: str
    position: str | None
    limit: int
    wait_seconds: float

    @property
    def is_close(self) -> bool:
        """Whether it ends the subscription."""
        return self.limit == 0

    def require_valid(self) -> None:
        """See Call."""
        self.target.require_valid()


def _require_object(what: str, value: Any) -> None:
    if not isinstance(value, dict):
        detail = f"the {what} must be an object, not {describe(value)}"
        raise TaskFault(WorkflowError.standard("expression", detail))
