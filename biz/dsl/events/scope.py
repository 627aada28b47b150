"""What filters of events are evaluated with."""

from __future__ import annotations

from typing import Any, Protocol

from biz.dsl.expressions import Variables
from biz.dsl.model import Evaluable


class Scope(Protocol):
    """A place with variables: a task that listens, or a schedule, which has none."""

    async def evaluate(self, evaluable: Evaluable, data: Any = ...) -> Any:
        """Evaluates on `data`, or on what the place has as its own."""
        ...


class Evaluator(Protocol):
    """What evaluates jq programs within limits."""

    async def evaluate(self, program: str, data: str) -> Any:
        """The first result of a program on a JSON text; raises EvaluationError."""
        ...


class EmptyScope:
    """A place without variables, and with null as its own. It raises EvaluationError."""

    def __init__(self, evaluator: Evaluator) -> None:
        self._variables: Variables = _NoVariables(evaluator)

    async def evaluate(self, evaluable: Evaluable, data: Any = None) -> Any:
        """See Scope."""
        return await evaluable.evaluate(data, self._variables)


class _NoVariables:
    def __init__(self, evaluator: Evaluator) -> None:
        self._evaluator = evaluator

    def __getitem__(self, name: str) -> Any:
        raise KeyError(name)

    async def charge(self, size: int) -> None:
        """No run waits for this one."""

    async def evaluate(self, program: str, data: str) -> Any:
        return await self._evaluator.evaluate(program, data)
