"""What a call authenticates with, once the expressions of its policy are evaluated."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from biz.dsl.errors import TaskFault, WorkflowError


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """A resolved policy (DSL reference, "Authentication").

    `scheme` is the standard's name of it, such as "basic"; `properties` are those of the policy.
    """

    scheme: str
    properties: Mapping[str, Any]

    def require_valid(self) -> None:
        """Raises TaskFault where a property isn't a string."""
        for name, value in self.properties.items():
            if not isinstance(value, str):
                detail = f"the {name} must be a string"
                raise TaskFault(WorkflowError.standard("authentication", detail))
