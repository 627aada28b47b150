"""Workflows: definitions as such, stored or not."""

import asyncio
from collections.abc import Sequence

from biz.dsl.diagnostics import Diagnostic
from biz.dsl.validator import check
from biz.errors import InvalidArgument
from biz.limits import check_present, check_size


class WorkflowUsecase:
    """What callers can do with a definition before they store it."""

    async def validate(self, config: str) -> Sequence[Diagnostic]:
        """Everything that is wrong with a definition in JSON or YAML; empty when nothing is.

        Raises InvalidArgument where there is no text, or too much of it.
        """
        if faults := [*check_present("config", config), *check_size("config", config)]:
            raise InvalidArgument(faults)
        checked = await asyncio.to_thread(check, config)
        return checked.diagnostics
