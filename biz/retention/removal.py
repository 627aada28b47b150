"""How executions go, with all that was kept of them."""

from typing import Protocol


class RemovalRepo(Protocol):
    """Where executions are kept, for those who remove them."""

    async def delete(self, id: str) -> None:
        """Removes an ended execution with all that belongs to it. Its children stay.

        A deletion that was cut off can be repeated. Raises ExecutionNotFound, ExecutionNotEnded.
        """
        ...


class RemovalUsecase:
    """What callers can remove."""

    def __init__(self, *, repo: RemovalRepo) -> None:
        self._repo = repo

    async def delete(self, id: str) -> None:
        """Removes an ended execution. Raises ExecutionNotFound, ExecutionNotEnded."""
        await self._repo.delete(id)
