"""DSL reference, "Script Process"."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from biz.dsl.calls.script_call import ScriptCall, ScriptLanguage
from biz.dsl.expressions import is_evaluated
from biz.dsl.external.external_resources import ExternalResource, read_external_resource
from biz.dsl.model import Evaluable
from biz.dsl.reading.reader import Node
from biz.dsl.tasks.process import PROPERTIES, ProcessTask, read_process
from biz.dsl.values import Literal, read_expression

if TYPE_CHECKING:
    from biz.dsl.frame import Frame
    from biz.dsl.parser import TaskSource


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptTask(ProcessTask):
    """Runs a script."""

    language: ScriptLanguage
    code: Evaluable
    source: ExternalResource | None

    @classmethod
    def parse(cls, source: TaskSource, node: Node, options: Mapping[str, Any]) -> ScriptTask:
        """Reads the value of `script`; `options` are the properties beside it."""
        fields = node.object(required=("language",), optional=("code", "source", *PROPERTIES))
        if isinstance(node.value, dict) and ("code" in fields) == ("source" in fields):
            node.error("invalid-value", 'must have either "code" or "source"')
        authentications = source.parser.use.authentications
        return cls(
            language=ScriptLanguage(fields["language"].choice(*ScriptLanguage)),
            code=_read_code(fields.get("code"), source.variables),
            source=(
                read_external_resource(fields["source"], source.variables, authentications)
                if "source" in fields
                else None
            ),
            **read_process(fields, source.variables),
            **options,
            **source.common,
        )

    async def call(self, frame: Frame, common: Mapping[str, Any]) -> ScriptCall:
        """See ProcessTask."""
        return ScriptCall(
            language=self.language,
            code=await frame.evaluate(self.code),
            source=await self.source.resolve(frame) if self.source else None,
            **common,
        )


def _read_code(node: Node | None, variables: frozenset[str]) -> Evaluable:
    """A text in which `${` may stand: it is JavaScript too."""
    if node is None:
        return Literal(None)
    code = node.string()
    return read_expression(node, variables) if is_evaluated(code) else Literal(code)
