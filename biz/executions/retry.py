"""Retries: new executions that take up where others ended, or at any task of theirs."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from biz.dsl.checkpoint import CannotTakeUp, Checkpoint
from biz.dsl.lifecycle import ABSENT, LifecycleType
from biz.dsl.taking_up import checkpoint_at, with_data
from biz.dsl.validator import load_workflow
from biz.errors import (
    ExecutionNotEnded,
    ExecutionRetried,
    InvalidArgument,
    RetryImpossible,
)
from biz.executions.checkpoints import CheckpointRepo
from biz.executions.execution import Execution, ExecutionRepo, ExecutionStatus, Runs
from biz.executions.succession import Succession, successor
from biz.idempotency import MAX_REQUEST_ID_LENGTH, RequestKey, request_key
from biz.limits import check_length, check_size
from biz.templates.alias import TemplateAliasUsecase
from biz.templates.template import Template


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryRequest:
    """Which execution to take up from, and where: at its end, or at the task at `from_task`.

    `input`, a JSON value, takes the place of what goes into that task; ABSENT leaves it. With
    `latest_template` the new execution has the template's newest definition, not the pinned one.
    """

    id: str
    from_task: str = ""
    input: Any = ABSENT
    latest_template: bool = False
    request_id: str = ""


class RetryUsecase:
    """How callers have executions taken up."""

    def __init__(
        self,
        *,
        repo: ExecutionRepo,
        checkpoints: CheckpointRepo,
        succession: Succession,
        aliases: TemplateAliasUsecase,
        runs: Runs,
        clock: Callable[[], datetime],
    ) -> None:
        self._repo = repo
        self._checkpoints = checkpoints
        self._succession = succession
        self._aliases = aliases
        self._runs = runs
        self._clock = clock

    async def retry(self, request: RetryRequest) -> Execution:
        """Stores an execution that goes on with another one's work, and has it run.

        What that one has done is kept and not done again. Raises InvalidArgument,
        ExecutionNotFound, ExecutionNotEnded, ExecutionRetried, RetryImpossible, TemplateNotFound,
        BusinessKeyInUse, RequestIdReused, EngineUnavailable.
        """
        _require_valid(request)
        ended = await self._repo.get(request.id)
        key = _key_of(request, ended.namespace)
        stored = await self._repo.find_by_request(key) if key else None
        if stored is None:
            _require_retriable(ended, request)
            stored = await self._store(ended, request, key)
        if stored.status is ExecutionStatus.PENDING:
            stored = await self._runs.start(stored)
        return stored

    async def _store(
        self, ended: Execution, request: RetryRequest, key: RequestKey | None
    ) -> Execution:
        template = await self._newest(ended) if request.latest_template else None
        new = successor(ended, id=str(uuid.uuid4()), now=self._clock(), template=template)
        try:
            checkpoint = await self._checkpoint(ended, request)
            if request.input is not ABSENT:
                checkpoint = with_data(checkpoint, request.input)
        except CannotTakeUp as reason:
            raise RetryImpossible(ended.id, str(reason)) from None
        return await self._succession.store(
            new, ended, checkpoint, request=key, is_renewed=request.latest_template
        )

    async def _newest(self, ended: Execution) -> Template:
        return await self._aliases.resolve(namespace=ended.namespace, name=ended.template_name)

    async def _checkpoint(self, ended: Execution, request: RetryRequest) -> Checkpoint:
        last = await self._succession.last(ended)
        if request.from_task:
            past = _Past(self._checkpoints, ended.id)
            workflow = await asyncio.to_thread(load_workflow, ended.definition)
            return await checkpoint_at(request.from_task, past, last, workflow)
        if last is None:
            raise CannotTakeUp("where it stood wasn't kept; give from_task, a task of its history")
        return last


class _Past:
    """`biz.dsl.taking_up.Past` of an execution."""

    def __init__(self, repo: CheckpointRepo, id: str) -> None:
        self._repo = repo
        self._id = id

    async def started(self, path: str) -> tuple[Any, Any] | None:
        found = await self._repo.find_event(self._id, LifecycleType.TASK_STARTED, path)
        if found is None or found.input is ABSENT or found.context is ABSENT:
            return None
        return found.input, found.context

    async def completed(self, path: str) -> tuple[Any] | None:
        found = await self._repo.find_event(self._id, LifecycleType.TASK_COMPLETED, path)
        return None if found is None or found.output is ABSENT else (found.output,)

    async def caught(self, path: str) -> Mapping[str, Any] | None:
        found = await self._repo.find_event(
            self._id, LifecycleType.TASK_FAULTED, f"{path}/try", within=True
        )
        return None if found is None or found.error is None else found.error.to_json()


def _require_valid(request: RetryRequest) -> None:
    faults = list(check_length("request_id", request.request_id, MAX_REQUEST_ID_LENGTH))
    if request.input is not ABSENT:
        faults += check_size("input", request.input)
    if faults:
        raise InvalidArgument(faults)


def _require_retriable(ended: Execution, request: RetryRequest) -> None:
    if not ended.status.is_end:
        raise ExecutionNotEnded(ended.id, ended.status.value)
    if ended.retried_by:
        raise ExecutionRetried(ended.id, ended.retried_by)
    if ended.status is ExecutionStatus.COMPLETED and not request.from_task:
        message = "names the task to take up at: the execution is COMPLETED"
        raise RetryImpossible(ended.id, f"from_task {message}")


def _key_of(request: RetryRequest, namespace: str) -> RequestKey | None:
    if not request.request_id:
        return None
    content = asdict(replace(request, request_id="", input=None))
    content["input"] = [] if request.input is ABSENT else [request.input]
    return request_key("RetryExecution", namespace, request.request_id, content)
