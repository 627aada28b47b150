"""Documents that a run needs to go on: functions and schemas from elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from biz.dsl.calls.call import Call
from biz.dsl.calls.resource import Resource


class Purpose(StrEnum):
    """What a document is to be."""

    FUNCTION = "function"
    SCHEMA = "schema"


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchCall(Call):
    """Fetches a document, whose JSON value is the answer once it was found fit for its purpose."""

    KIND: ClassVar[str] = "fetch"

    resource: Resource
    purpose: Purpose

    def require_valid(self) -> None:
        """See Call."""
        self.resource.require_valid()
