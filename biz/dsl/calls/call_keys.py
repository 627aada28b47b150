"""Idempotency keys of calls: the run, the task's path, and the call's number in the run."""

from urllib.parse import quote, unquote


def call_key(run_id: str, path: str, number: int) -> str:
    """The key of one call that the task at `path` makes."""
    return f"{run_id}:{quote(path)}:{number}"


def task_of(key: str) -> str:
    """The path of the task that makes the call."""
    return unquote(key.rsplit(":", 2)[1])
