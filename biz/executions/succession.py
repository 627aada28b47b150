"""Executions that take up where others ended: at the end of those, or at any place of them."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime

from biz.dsl.checkpoint import MAX_CHECKPOINT_LENGTH, CannotTakeUp, Checkpoint
from biz.dsl.relocation import relocated, renewed
from biz.dsl.validator import load_workflow
from biz.engine import Engine
from biz.errors import RetryImpossible
from biz.executions.checkpoints import CheckpointRepo
from biz.executions.execution import Execution, ExecutionStatus, NewExecution
from biz.idempotency import RequestKey
from biz.templates.template import Template


def successor(
    ended: Execution, *, id: str, now: datetime, template: Template | None, parent_id: str = ""
) -> NewExecution:
    """One that takes up from `ended`: of its own definition, or that of `template` where given."""
    new = NewExecution(
        id=id,
        namespace=ended.namespace,
        template_id=ended.template_id,
        template_name=ended.template_name,
        template_version=ended.template_version,
        definition=ended.definition,
        definition_digest=ended.definition_digest,
        input=ended.input,
        labels=ended.labels,
        business_key=ended.business_key,
        created_at=now,
        parent_id=parent_id,
        retry_of=ended.id,
    )
    if template is None:
        return new
    return replace(
        new,
        template_id=template.id,
        template_version=template.version,
        definition=template.config,
        definition_digest=template.digest,
    )


class Succession:
    """Knows where executions ended, and stores those that go on from there."""

    def __init__(self, *, checkpoints: CheckpointRepo, engine: Engine) -> None:
        self._checkpoints = checkpoints
        self._engine = engine

    async def last(self, ended: Execution) -> Checkpoint | None:
        """Where an execution stood at its end; None where that isn't known.

        Raises EngineUnavailable.
        """
        text = await self._checkpoints.get(ended.id)
        if text is None and ended.status is not ExecutionStatus.COMPLETED:
            text = await self._engine.checkpoint(ended.id)
        if not text and not ended.has_begun:
            text = await self._checkpoints.get_start(ended.id)
            if text is None:
                return Checkpoint()
        return Checkpoint.from_text(text) if text else None

    async def store(
        self,
        new: NewExecution,
        ended: Execution,
        checkpoint: Checkpoint,
        *,
        request: RequestKey | None = None,
        is_renewed: bool = False,
    ) -> Execution:
        """Stores an execution that takes up from another one at `checkpoint`.

        Where it `is_renewed`, the workflows that it has run are too. Raises RetryImpossible, and
        as CheckpointRepo.create_retry.
        """
        workflow = await asyncio.to_thread(load_workflow, new.definition)
        new = replace(new, hooks=workflow.on_fault)
        try:
            if new.definition != ended.definition:
                checkpoint = relocated(checkpoint, workflow)
        except CannotTakeUp as reason:
            raise RetryImpossible(ended.id, str(reason)) from None
        text = (renewed(checkpoint) if is_renewed else checkpoint).to_text()
        if len(text) > MAX_CHECKPOINT_LENGTH:
            raise RetryImpossible(ended.id, "what it worked on is too large to be taken up")
        return await self._checkpoints.create_retry(new, text, request)
