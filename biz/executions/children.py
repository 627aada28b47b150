"""Executions that a run makes by `run: {workflow: …}`; the run itself starts them."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from biz.errors import ExecutionNotFound, TemplateNotFound
from biz.executions.execution import Execution, ExecutionRepo, new_execution
from biz.templates.alias import TemplateAliasUsecase
from biz.templates.template import Template

LATEST = "latest"
"""The standard's word for the version where none is named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildRequest:
    """What a run asks for: a template of a namespace, by its name and a version or alias.

    `key` is the same for each repetition of the request, and of no other request.
    """

    parent_id: str
    key: str
    namespace: str
    name: str
    version: str
    input: Any


class ChildExecutionUsecase:
    """Stores the executions that runs make."""

    def __init__(
        self,
        *,
        repo: ExecutionRepo,
        aliases: TemplateAliasUsecase,
        clock: Callable[[], datetime],
    ) -> None:
        self._repo = repo
        self._aliases = aliases
        self._clock = clock

    async def store(self, request: ChildRequest) -> Execution:
        """The execution, PENDING until the run has started it; a repetition gives the same one.

        Raises TemplateNotFound, TemplateInactive, InvalidArgument.
        """
        id = str(uuid.uuid5(uuid.NAMESPACE_URL, request.key))
        try:
            return await self._repo.get(id)
        except ExecutionNotFound:
            template = await named_template(
                self._aliases,
                namespace=request.namespace,
                name=request.name,
                version=request.version,
            )
        execution = await new_execution(
            template, id=id, input=request.input, now=self._clock(), parent_id=request.parent_id
        )
        return await self._repo.create(execution, None)


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
