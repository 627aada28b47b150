"""DSL reference, "A2A Call"."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from biz.dsl.calls.a2a_call import A2aCall
from biz.dsl.endpoints import Endpoint, read_endpoint
from biz.dsl.external.external_resources import ExternalResource, read_external_resource
from biz.dsl.frame import Outcome
from biz.dsl.model import Evaluable, Task
from biz.dsl.parameters import read_parameters

if TYPE_CHECKING:
    from biz.dsl.frame import Frame
    from biz.dsl.parser import TaskSource

METHODS = (
    "message/send",
    "message/stream",
    "tasks/get",
    "tasks/list",
    "tasks/cancel",
    "tasks/resubscribe",
    "tasks/pushNotificationConfig/set",
    "tasks/pushNotificationConfig/get",
    "tasks/pushNotificationConfig/list",
    "tasks/pushNotificationConfig/delete",
    "agent/getAuthenticatedExtendedCard",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class A2aCallTask(Task):
    """Asks an agent; its output is the JSON-RPC result, of a stream an array of all of them."""

    method: str
    parameters: Evaluable
    agent_card: ExternalResource | None
    server: Endpoint | None

    @classmethod
    def parse(cls, source: TaskSource) -> A2aCallTask | None:
        """Reads its own properties."""
        if "with" not in source.fields:
            source.parser.missing(source.common["pointer"], "with")
            return None
        variables = source.variables
        named = source.parser.use.authentications
        node = source.fields["with"]
        arguments = node.object(
            required=("method",), optional=("agentCard", "server", "parameters")
        )
        card = arguments.get("agentCard")
        server = arguments.get("server")
        parameters = arguments.get("parameters")
        if isinstance(node.value, dict) and card is None and server is None:
            node.error("missing-property", 'must have "agentCard" or "server"')
        if card is not None and server is not None:
            server.warning("ignored-property", "the agent is the one of its card")
        if parameters is not None and parameters.value == {}:
            parameters.error("empty", "must have at least one parameter")
        return cls(
            method=arguments["method"].choice(*METHODS),
            parameters=read_parameters(parameters, variables),
            agent_card=read_external_resource(card, variables, named) if card else None,
            server=read_endpoint(server, variables, named) if server and not card else None,
            **source.common,
        )

    async def execute(self, frame: Frame) -> Outcome:
        """Evaluates the request and makes the call."""
        authentication = self.server.authentication if self.server else None
        call = A2aCall(
            method=self.method,
            parameters=await frame.evaluate(self.parameters),
            agent_card=await self.agent_card.resolve(frame) if self.agent_card else None,
            server=await self.server.resolve(frame) if self.server else None,
            authentication=await authentication.resolve(frame) if authentication else None,
            idempotency_key=frame.world.next_call_key(frame.path),
        )
        return Outcome(await frame.world.call(call, frame.path))
