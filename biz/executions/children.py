"""Executions that a run makes by `run: {workflow: …}`; the run itself starts them."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from biz.errors import ExecutionNotEnded, ExecutionNotFound, RetryImpossible, TemplateNotFound
from biz.executions.execution import (
    Execution,
    ExecutionRepo,
    ExecutionStatus,
    new_execution,
)
from biz.executions.succession import Succession, successor
from biz.templates.alias import TemplateAliasUsecase
from biz.templates.template import Template

LATEST = "latest"
"""The standard's word for the version where none is named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildRequest:
    """What a run asks for: a template of a namespace, by its name and a version or alias.

    `key` is the same for each repetition of the request, and of no other request. `retry_of` is the
    execution that it is to take up from, if any, `is_renewed` whether in the version that is named
    now. One that isn't `awaited` is only started.
    """

    parent_id: str
    key: str
    namespace: str
    name: str
    version: str
    input: Any
    awaited: bool = True
    retry_of: str = ""
    is_renewed: bool = False


class ChildExecutionUsecase:
    """Stores the executions that runs make."""

    def __init__(
        self,
        *,
        repo: ExecutionRepo,
        aliases: TemplateAliasUsecase,
        succession: Succession,
        clock: Callable[[], datetime],
    ) -> None:
        self._repo = repo
        self._aliases = aliases
        self._succession = succession
        self._clock = clock

    async def store(self, request: ChildRequest) -> Execution:
        """The execution, PENDING until the run has started it; a repetition gives the same one.

        It may be an older one, which is what the run wants already. Raises TemplateNotFound,
        TemplateInactive, InvalidArgument; of one that takes up ExecutionNotFound,
        ExecutionNotEnded, RetryImpossible, EngineUnavailable as well.
        """
        id = str(uuid.uuid5(uuid.NAMESPACE_URL, request.key))
        try:
            return await self._repo.get(id)
        except ExecutionNotFound:
            if request.retry_of:
                return await self._take_up(id, request, await self._newest(request.retry_of))
        return await self._begin(id, request)

    async def _begin(self, id: str, request: ChildRequest) -> Execution:
        execution = await new_execution(
            await self._template(request),
            id=id,
            input=request.input,
            now=self._clock(),
            parent_id=request.parent_id,
        )
        return await self._repo.create(execution, None)

    async def _newest(self, id: str) -> Execution:
        """The last of those that took up from an execution, or that one itself."""
        execution = await self._repo.get(id)
        while execution.retried_by:
            execution = await self._repo.get(execution.retried_by)
        return execution

    async def _take_up(self, id: str, request: ChildRequest, before: Execution) -> Execution:
        if before.status is ExecutionStatus.COMPLETED:
            return before
        if not request.awaited and before.has_begun:
            return before
        if not before.status.is_end:
            raise ExecutionNotEnded(before.id, before.status.value)
        checkpoint = await self._succession.last(before)
        if checkpoint is None:
            raise RetryImpossible(before.id, "where it stood isn't kept")
        new = successor(
            before,
            id=id,
            now=self._clock(),
            template=await self._template(request) if request.is_renewed else None,
            parent_id=request.parent_id,
        )
        return await self._succession.store(new, before, checkpoint, is_renewed=request.is_renewed)

    async def _template(self, request: ChildRequest) -> Template:
        return await named_template(
            self._aliases,
            namespace=request.namespace,
            name=request.name,
            version=request.version,
        )


async def named_template(
    aliases: TemplateAliasUsecase, *, namespace: str, name: str, version: str
) -> Template:
    """What a version or alias names; `latest`, where nothing is called so, the newest one.

    Raises TemplateNotFound, TemplateInactive.
    """
    try:
        return await aliases.resolve(namespace=namespace, name=name, version=version)
    except TemplateNotFound:
        if version != LATEST:
            raise
        return await aliases.resolve(namespace=namespace, name=name)
