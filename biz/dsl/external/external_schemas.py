"""DSL reference, "Schema": schemas that stand in a document of their own."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from biz.dsl.calls.fetch_call import FetchCall, Purpose
from biz.dsl.errors import TaskFault
from biz.dsl.external.external_resources import ExternalResource
from biz.dsl.frame import Frame
from biz.dsl.schemas import InvalidSchema, Schema, compile_schema

_CACHED = 64


@dataclass(frozen=True, slots=True)
class ExternalSchema:
    """Where a schema is."""

    resource: ExternalResource

    async def load(self, frame: Frame) -> Schema:
        """The schema, fetched at most once by a run; raises TaskFault."""
        call = FetchCall(
            resource=await self.resource.resolve(frame),
            purpose=Purpose.SCHEMA,
            idempotency_key=frame.world.next_call_key(frame.path),
        )
        try:
            document = await frame.world.fetch(call, frame.path)
        except TaskFault as found:
            raise found.at(frame.task.pointer) from None
        return _compile(json.dumps(document))


def schema_fault(document: Any) -> str | None:
    """What is wrong with a document that is to be a schema, None where it is one."""
    try:
        compile_schema(document)
    except InvalidSchema as error:
        return f"is no schema: {error.pointer or '/'} {error.message}"
    return None


@lru_cache(maxsize=_CACHED)
def _compile(text: str) -> Schema:
    return compile_schema(json.loads(text), is_trusted=True)
