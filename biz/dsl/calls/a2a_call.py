"""DSL reference, "A2A Call": one request to an agent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from biz.dsl.calls.call import Call
from biz.dsl.calls.resource import Resource
from biz.dsl.errors import TaskFault, WorkflowError
from biz.dsl.json_types import describe


@dataclass(frozen=True, slots=True, kw_only=True)
class A2aCall(Call):
    """A request of `method` to the agent that a card describes, or else to the URI `server`."""

    KIND: ClassVar[str] = "a2a_call"

    method: str
    parameters: Any
    agent_card: Resource | None
    server: Any

    def require_valid(self) -> None:
        """See Call."""
        if not isinstance(self.parameters, dict):
            detail = f"the parameters must be an object, not {describe(self.parameters)}"
            raise TaskFault(WorkflowError.standard("expression", detail))
        if self.agent_card is not None:
            self.agent_card.require_valid()
        elif not isinstance(self.server, str):
            detail = "the server's expression must give a string"
            raise TaskFault(WorkflowError.standard("expression", detail))
