"""Evaluates what a workflow has left of a call: the expressions that read secrets."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any, TypeVar, cast

from biz.dsl.calls.call import Call
from biz.dsl.deferral import AUTHORIZATION, LEFT_TO_ACTIVITIES, NOTHING, SECRETS, Step, fill
from biz.dsl.errors import TaskFault, WorkflowError
from biz.dsl.expressions import EvaluationError, compile_expression
from biz.dsl.uri_templates import compile_template
from biz.secrets import SecretNotFound, SecretProvider
from workflows.activities.authentication.authenticator import Authenticator
from workflows.activities.expressions.evaluation import Evaluator
from workflows.activities.redaction import keep_secret

_SHOWN = 200
"""Characters of an expression in an error."""

_Call = TypeVar("_Call", bound=Call)


class CallCompleter:
    """Gives calls the secrets of their namespace."""

    def __init__(
        self, *, secrets: SecretProvider, evaluator: Evaluator, authenticator: Authenticator
    ) -> None:
        self._secrets = secrets
        self._evaluator = evaluator
        self._authenticator = authenticator

    async def complete(self, call: _Call, namespace: str) -> _Call:
        """The call with everything in its place; raises TaskFault."""
        if call.is_complete:
            return call
        completion = _Completion(
            call, namespace, self._secrets, self._evaluator, self._authenticator
        )
        return cast(_Call, await completion.call())


class _Completion:
    """One call; each step and each secret is asked for once."""

    def __init__(
        self,
        call: Call,
        namespace: str,
        secrets: SecretProvider,
        evaluator: Evaluator,
        authenticator: Authenticator,
    ) -> None:
        self._call = call
        self._namespace = namespace
        self._provider = secrets
        self._evaluator = evaluator
        self._authenticator = authenticator
        self._secrets: dict[str, Any] = {}
        self._results: dict[int, Any] = {}

    async def call(self) -> Call:
        filled = await fill(self._call, self._call.deferral.holes, self._result)
        return replace(filled, deferral=NOTHING)

    async def _result(self, index: int) -> Any:
        if index not in self._results:
            step = self._call.deferral.steps[index]
            filled = await fill(step, step.holes, self._result)
            try:
                self._results[index] = await self._evaluate(filled)
            except EvaluationError as error:
                if step.otherwise is not None:
                    return step.otherwise
                detail = str(error) if step.is_template else _described(step.text)
                raise TaskFault(WorkflowError.standard("expression", detail)) from None
            keep_secret(self._results[index])
        return self._results[index]

    async def _evaluate(self, step: Step) -> Any:
        if step.is_template:
            return compile_template(step.text).expand(step.data)
        expression = compile_expression(
            step.text, frozenset(step.arguments) | LEFT_TO_ACTIVITIES, is_trusted=True
        )
        arguments = dict(step.arguments)
        if SECRETS in expression.variables:
            listed = self._call.deferral.secrets
            names = listed if expression.secrets is None else sorted(expression.secrets)
            arguments[SECRETS] = {name: await self._secret(name) for name in names}
        if AUTHORIZATION in expression.variables:
            arguments[AUTHORIZATION] = await self._authorization()
        return await expression.compute(step.data, _Arguments(arguments, self._evaluator))

    async def _secret(self, name: str) -> Any:
        if name not in self._secrets:
            try:
                self._secrets[name] = await self._provider.get(self._namespace, name)
            except SecretNotFound:
                detail = f'the namespace "{self._namespace}" has no secret "{name}"'
                raise TaskFault(WorkflowError.standard("authorization", detail)) from None
            keep_secret(self._secrets[name])
        return self._secrets[name]

    async def _authorization(self) -> Mapping[str, Any] | None:
        """That of the call's own authentication, whose expressions can't read it."""
        if self._call.authentication is None:
            return None
        own = [hole for hole in self._call.deferral.holes if hole.path[0] == "authentication"]
        credentials = (await fill(self._call, own, self._result)).authentication
        assert credentials is not None
        return asdict(await self._authenticator.authorization(credentials))


def _described(program: str) -> str:
    """Of an expression that failed; what jq says holds parts of its data."""
    shown = program if len(program) <= _SHOWN else f"{program[:_SHOWN]}…"
    return f"the expression {shown} failed; why isn't told, since it reads secrets"


class _Arguments:
    """The arguments of an expression, all of them at hand."""

    def __init__(self, values: Mapping[str, Any], evaluator: Evaluator) -> None:
        self._values = values
        self._evaluator = evaluator

    def __getitem__(self, name: str) -> Any:
        return self._values[name]

    async def charge(self, size: int) -> None:
        """No other run waits for this one."""

    async def evaluate(self, program: str, data: str) -> Any:
        return await self._evaluator.evaluate(program, data)
