"""Secrets in files, and in variables of the environment."""

import asyncio
import json
import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from biz.secrets import SecretNotFound

_MAX_BYTES = 65_536
_FILE_NAME = re.compile(r"[^/\0.][^/\0]*")
_NAMESPACE = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_NOT_IN_A_VARIABLE = re.compile(r"[^A-Za-z0-9_]")


class LocalSecrets:
    """Implements `biz.secrets.SecretProvider`.

    A secret is the file NAMESPACE/NAME of a directory, else the variable PREFIX + NAMESPACE__NAME.
    Where that holds a JSON object it is the value, otherwise its text is. Variables are there for
    namespaces of lower-case letters and digits with single hyphens between.
    """

    def __init__(
        self, *, directory: Path | None, environment: Mapping[str, str], prefix: str
    ) -> None:
        """Nothing is read before it is asked for, so a change counts at once."""
        self._directory = directory
        self._environment = environment
        self._prefix = prefix

    async def get(self, namespace: str, name: str) -> Any:
        """See SecretProvider."""
        text = await asyncio.to_thread(self._from_file, namespace, name)
        if text is None:
            text = self._environment.get(self._variable(namespace, name))
        if text is None:
            raise SecretNotFound
        with suppress(ValueError, RecursionError):
            value = json.loads(text)
            if isinstance(value, dict):
                return value
        return text

    def _from_file(self, namespace: str, name: str) -> str | None:
        if self._directory is None:
            return None
        if not _FILE_NAME.fullmatch(namespace) or not _FILE_NAME.fullmatch(name):
            return None
        try:
            with (self._directory / namespace / name).open("rb") as file:
                content = file.read(_MAX_BYTES + 1)
        except (OSError, ValueError):
            return None
        if len(content) > _MAX_BYTES:
            return None
        try:
            return content.decode().removesuffix("\n")
        except UnicodeDecodeError:
            return None

    def _variable(self, namespace: str, name: str) -> str:
        """Its name; empty for a namespace whose variables could be another one's too."""
        if not _NAMESPACE.fullmatch(namespace):
            return ""
        parts = [_NOT_IN_A_VARIABLE.sub("_", part) for part in (namespace, name)]
        return self._prefix + "__".join(parts)
