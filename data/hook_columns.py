"""The columns of an execution that say who is told of its fault."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import peewee

from biz.dsl.fault_hooks import FaultHook, HttpHook, WorkflowHook
from biz.executions.execution import NewExecution
from data.models import ExecutionRow, from_json, to_json


def hooks_to_text(hooks: Sequence[FaultHook]) -> str:
    """Empty where there are none; the inverse of `hooks_from_text`."""
    return to_json([asdict(hook) for hook in hooks]) or "" if hooks else ""


def hooks_from_text(text: str) -> Sequence[FaultHook]:
    return [_from_json(value) for value in from_json(text)] if text else ()


def hook_of(execution: NewExecution) -> Any:
    """The execution whose hook it is made for, or what it comes from was; empty for none."""
    origin = execution.parent_id or execution.retry_of
    if execution.hook_of or not origin:
        return execution.hook_of
    row = ExecutionRow.alias()
    return peewee.fn.COALESCE(row.select(row.hook_of).where(row.id == origin), "")


def _from_json(value: dict[str, Any]) -> FaultHook:
    return HttpHook(**value) if "endpoint" in value else WorkflowHook(**value)
