"""DSL reference, "OpenAPI Call"."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from biz.dsl.authentication import Authentication, read_authentication
from biz.dsl.calls.http_call import HttpOutput
from biz.dsl.calls.openapi_call import OpenApiCall
from biz.dsl.external.external_resources import ExternalResource, read_external_resource
from biz.dsl.frame import Outcome
from biz.dsl.model import Evaluable, Task
from biz.dsl.values import Literal, read_value

if TYPE_CHECKING:
    from biz.dsl.frame import Frame
    from biz.dsl.parser import TaskSource


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenApiCallTask(Task):
    """Calls an operation that an OpenAPI document describes; its output is as of an HTTP call."""

    document: ExternalResource
    operation_id: Evaluable
    parameters: Evaluable
    authentication: Authentication | None
    output_format: HttpOutput
    redirect: bool

    @classmethod
    def parse(cls, source: TaskSource) -> OpenApiCallTask:
        """Reads its own properties."""
        if "with" not in source.fields:
            source.parser.missing(source.common["pointer"], "with")
            return cls(**source.common, **_NOTHING)
        arguments = source.fields["with"].object(
            required=("document", "operationId"),
            optional=("parameters", "authentication", "output", "redirect"),
        )
        named = source.parser.use.authentications
        arguments["operationId"].string()
        parameters = arguments.get("parameters")
        if parameters:
            parameters.mapping()
        authentication = arguments.get("authentication")
        output = arguments.get("output")
        redirect = arguments.get("redirect")
        return cls(
            document=read_external_resource(arguments["document"], source.variables, named),
            operation_id=read_value(arguments["operationId"], source.variables),
            parameters=read_value(parameters, source.variables) if parameters else Literal({}),
            authentication=read_authentication(authentication, source.variables, named)
            if authentication
            else None,
            output_format=HttpOutput(output.choice("content", "raw", "response"))
            if output
            else HttpOutput.CONTENT,
            redirect=redirect.boolean() if redirect else False,
            **source.common,
        )

    async def execute(self, frame: Frame) -> Outcome:
        """Evaluates the parameters and makes the call."""
        call = OpenApiCall(
            document=await self.document.resolve(frame),
            operation_id=await frame.evaluate(self.operation_id),
            parameters=await frame.evaluate(self.parameters),
            output=self.output_format,
            redirect=self.redirect,
            authentication=await self.authentication.resolve(frame)
            if self.authentication
            else None,
            idempotency_key=frame.world.next_call_key(frame.path),
        )
        return Outcome(await frame.world.call(call, frame.path))


_NOTHING: Mapping[str, Any] = dict.fromkeys(
    ("document", "operation_id", "parameters", "authentication", "output_format", "redirect")
)
