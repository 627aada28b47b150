"""DSL reference, "Call": calls of functions that are elsewhere, by URI or in a catalog.

What happens in such a function is told by the pointer of the task that calls it, with `/call` and
the place in the function behind it, such as `/do/0/log/call/do/1/send`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from biz.dsl.calls.fetch_call import FetchCall, Purpose
from biz.dsl.calls.resource import Resource
from biz.dsl.external.catalogs import CatalogedFunction, raw_uri
from biz.dsl.external.external_resources import ExternalResource, warn_unfetchable
from biz.dsl.model import Evaluable, Task
from biz.dsl.tasks.call_function import call_function, read_arguments

if TYPE_CHECKING:
    from biz.dsl.frame import Frame, Outcome
    from biz.dsl.parser import TaskSource


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalFunctionCallTask(Task):
    """Does the task of a function that is fetched, on `with` or else on its own input.

    Its output is the function's. `function` is what `call` says.
    """

    function: str
    arguments: Evaluable | None

    async def execute(self, frame: Frame) -> Outcome:
        """Fetches the function, once for a run, and does it."""
        call = FetchCall(
            resource=await self._locate(frame),
            purpose=Purpose.FUNCTION,
            idempotency_key=frame.world.next_call_key(frame.path),
        )
        document = await frame.world.fetch(call, frame.path)
        function = frame.walk.load_function(document, self.function, f"{self.pointer}/call")
        return await call_function(function, self.arguments, f"{frame.path}/call", frame)

    async def _locate(self, frame: Frame) -> Resource:
        return Resource(uri=raw_uri(self.function))


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogedFunctionCallTask(ExternalFunctionCallTask):
    """Does the task of a function in a catalog."""

    catalog: ExternalResource
    reference: CatalogedFunction

    async def _locate(self, frame: Frame) -> Resource:
        root = await self.catalog.resolve(frame)
        uri = self.reference.uri(root.uri) if isinstance(root.uri, str) else root.uri
        return replace(root, uri=uri)


def parse_uri(source: TaskSource) -> Task:
    """The call of the function that stands at a URI."""
    node = source.fields["call"]
    warn_unfetchable(node)
    return ExternalFunctionCallTask(
        function=node.string(), arguments=read_arguments(source), **source.common
    )


def parse_cataloged(source: TaskSource, reference: CatalogedFunction) -> Task | None:
    """The call of a function of a catalog under `use`, None where there is no such catalog."""
    catalog = source.parser.use.catalogs.find(
        reference.catalog, source.fields["call"], source.variables
    )
    if catalog is None:
        return None
    return CatalogedFunctionCallTask(
        function=source.fields["call"].string(),
        arguments=read_arguments(source),
        catalog=catalog,
        reference=reference,
        **source.common,
    )
