"""Workflows: definitions as such, stored or not."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from biz.dsl.reading.diagnostics import Diagnostic
from biz.dsl.validator import check
from biz.errors import InvalidArgument
from biz.limits import check_present, check_size


class WorkflowUsecase:
    """What callers can do with a definition before they store it."""

    def __init__(self) -> None:
        self._checks = ThreadPoolExecutor(1, thread_name_prefix="validation")

    async def validate(self, config: str) -> Sequence[Diagnostic]:
        """Everything that is wrong with a definition in JSON or YAML; empty when nothing is.

        Raises InvalidArgument where there is no text, or too much of it.
        """
        if faults := [*check_present("config", config), *check_size("config", config)]:
            raise InvalidArgument(faults)
        loop = asyncio.get_running_loop()
        return (await loop.run_in_executor(self._checks, check, config)).diagnostics
