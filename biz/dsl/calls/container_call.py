"""DSL reference, "Container Process", "Container Lifetime": the container, as it is run."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar

from biz.dsl.calls.process_call import ProcessCall, text
from biz.dsl.errors import TaskFault, WorkflowError
from biz.dsl.json_types import describe

_PORT = re.compile(r"\d{1,5}(/(tcp|udp))?", re.ASCII)


class PullPolicy(StrEnum):
    """When an image is pulled."""

    IF_NOT_PRESENT = "ifNotPresent"
    ALWAYS = "always"
    NEVER = "never"


class Cleanup(StrEnum):
    """When a container is deleted, after its end."""

    NEVER = "never"
    ALWAYS = "always"
    EVENTUALLY = "eventually"


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerCall(ProcessCall):
    """A container. A command is one of the shell; its arguments are `$1`, `$2` and so on.

    Without a `command` they follow what the image runs by itself. `name` is null where it is the
    engine's to choose. `ports` are the host's, each with the container's; `volumes` are folders of
    the host or names, each with a folder of the container. `workflow` and `task` are those that run
    it, as they are named. With the cleanup EVENTUALLY it is deleted `keep_seconds` after its end.
    """

    KIND: ClassVar[str] = "container_process"

    image: Any
    name: Any
    command: Any
    ports: Any
    volumes: Any
    pull_policy: PullPolicy
    cleanup: Cleanup
    keep_seconds: float
    workflow: str
    namespace: str
    task: str

    def require_valid(self) -> None:
        """See Call."""
        ProcessCall.require_valid(self)
        if not text("the image", self.image):
            raise _fault("the image's name is empty")
        for what, value in (("name", self.name), ("command", self.command)):
            if value is not None:
                text(f"the {what}", value)
        port_pairs(self.ports)
        volume_pairs(self.volumes)


def port_pairs(ports: Any) -> list[tuple[str, str]]:
    """Ports of the host, each with the container's and its protocol. Raises TaskFault."""
    found = []
    for host, container in _items("ports", ports):
        inside = text(f"the port {host}", container)
        if not _PORT.fullmatch(host) or "/" in host or not _PORT.fullmatch(inside):
            raise _fault(f"{host[:80]}: {inside[:80]} is no mapping of ports, such as 8080: 80")
        found.append((host, inside if "/" in inside else f"{inside}/tcp"))
    return found


def volume_pairs(volumes: Any) -> list[tuple[str, str]]:
    """Folders of the host or names of volumes, each with the container's folder and its mode.

    Raises TaskFault.
    """
    found = []
    for source, target in _items("volumes", volumes):
        inside = text(f"the volume {source}", target)
        if not source or ":" in source or not inside.startswith("/"):
            raise _fault(f"{source[:80]}: {inside[:80]} is no mapping of volumes, such as data: /d")
        found.append((source, inside))
    return found


def _items(what: str, values: Any) -> list[tuple[str, Any]]:
    if not isinstance(values, dict):
        raise _fault(f"the {what} must be an object, not {describe(values)}")
    return list(values.items())


def _fault(detail: str) -> TaskFault:
    return TaskFault(WorkflowError.standard("expression", detail))
