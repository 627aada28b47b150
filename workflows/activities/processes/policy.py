"""Which programs the definitions of which namespaces may have run: none, unless a setting says."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from biz.dsl.errors import TaskFault, WorkflowError


class ProcessKind(StrEnum):
    """What a definition can have run beside a worker."""

    SHELL = "shell"
    SCRIPT = "script"
    CONTAINER = "container"
    MCP = "mcp"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessPolicy:
    """The kinds that may run; without `namespaces`, for all of them."""

    kinds: Collection[str] = ()
    namespaces: Collection[str] = ()

    def require_allowed(self, kind: ProcessKind, namespace: str) -> None:
        """Raises TaskFault, an authorization error that names the setting."""
        if kind not in self.kinds:
            raise _refusal(f"{kind} processes are turned off; the setting PROCESSES turns them on")
        if self.namespaces and namespace not in self.namespaces:
            raise _refusal(
                f"the namespace {namespace} may run no processes; "
                "the setting PROCESS_NAMESPACES has those that may"
            )


def _refusal(detail: str) -> TaskFault:
    return TaskFault(WorkflowError.standard("authorization", detail))
