"""Secrets of workflows (DSL, "Secret"): the port to where they are kept."""

from typing import Any, Protocol


class SecretNotFound(Exception):
    """A namespace has no secret of this name."""


class SecretProvider(Protocol):
    """Gives secrets to what makes the calls of workflows, and to nothing else."""

    async def get(self, namespace: str, name: str) -> Any:
        """The value, a JSON object or a text; raises SecretNotFound."""
        ...
