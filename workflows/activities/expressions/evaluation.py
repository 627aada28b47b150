"""Evaluates the expressions that may not end by themselves."""

from dataclasses import dataclass
from typing import Any, Protocol

from temporalio import activity

from biz.dsl.expressions import EvaluationError


class Evaluator(Protocol):
    """What evaluates jq programs within limits."""

    async def evaluate(self, program: str, data: str) -> Any:
        """The first result of a program on a JSON text; raises EvaluationError."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluated:
    """What came of an evaluation: a value, or an error, which is as final."""

    value: Any = None
    error: str | None = None


class EvaluationActivities:
    """Evaluates jq programs: Temporal keeps what came of it, so that a replay has the same."""

    def __init__(self, *, evaluator: Evaluator) -> None:
        self._evaluator = evaluator

    @activity.defn
    async def evaluate_expression(self, program: str, data: str) -> Evaluated:
        """Fails only where it should be repeated."""
        try:
            return Evaluated(value=await self._evaluator.evaluate(program, data))
        except EvaluationError as error:
            return Evaluated(error=str(error))
