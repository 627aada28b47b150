"""DSL reference, "OpenAPI Call": the operation to be called, before its document is read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from biz.dsl.calls.call import Call
from biz.dsl.calls.http_call import HttpOutput
from biz.dsl.calls.resource import Resource
from biz.dsl.errors import TaskFault, WorkflowError


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenApiCall(Call):
    """An operation of an OpenAPI document. `parameters` is an object, by name."""

    KIND: ClassVar[str] = "openapi_call"

    document: Resource
    operation_id: Any
    parameters: Any
    output: HttpOutput
    redirect: bool

    def require_valid(self) -> None:
        """See Call."""
        self.document.require_valid()
        if not isinstance(self.operation_id, str):
            detail = "the operationId's expression must give a string"
            raise TaskFault(WorkflowError.standard("expression", detail))
