"""Workflows: definitions as such, stored or not."""

import asyncio
from collections.abc import Sequence

from biz.dsl.diagnostics import Diagnostic
from biz.dsl.validator import check
from biz.errors import InvalidArgument, Violation
from biz.template import MAX_CONFIG_BYTES


class WorkflowUsecase:
    """What callers can do with a definition before they store it."""

    async def validate(self, config: str) -> Sequence[Diagnostic]:
        """Everything that is wrong with a definition in JSON or YAML; empty when nothing is.

        Raises InvalidArgument where there is no text, or too much of it.
        """
        size = len(config.encode())
        if not config.strip():
            raise _refused("empty", "must not be empty")
        if size > MAX_CONFIG_BYTES:
            raise _refused("too-long", f"must have at most {MAX_CONFIG_BYTES} bytes")
        checked = await asyncio.to_thread(check, config)
        return checked.diagnostics


def _refused(code: str, message: str) -> InvalidArgument:
    return InvalidArgument([Violation(field="config", code=code, message=message)])
