"""DSL reference, "External Resource": documents that a definition names."""

from __future__ import annotations

from dataclasses import dataclass

from biz.dsl.authentication import Authentication
from biz.dsl.calls.resource import Resource, is_fetchable
from biz.dsl.endpoints import Endpoint, read_endpoint
from biz.dsl.expressions import is_evaluated
from biz.dsl.frame import Frame
from biz.dsl.reading.reader import Node
from biz.dsl.reusables import Reusables


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalResource:
    """A document, and its name where it has one."""

    endpoint: Endpoint
    name: str = ""

    async def resolve(self, frame: Frame) -> Resource:
        """The document for one call; raises TaskFault where an expression fails."""
        authentication = self.endpoint.authentication
        return Resource(
            uri=await self.endpoint.resolve(frame),
            authentication=await authentication.resolve(frame) if authentication else None,
        )


def read_catalog(
    node: Node, variables: frozenset[str], authentications: Reusables[Authentication]
) -> ExternalResource:
    """The root of a catalog (DSL reference, "Catalog")."""
    endpoint = node.object(required=("endpoint",))["endpoint"]
    _check_address(endpoint)
    return ExternalResource(endpoint=read_endpoint(endpoint, variables, authentications))


def read_external_resource(
    node: Node,
    variables: frozenset[str],
    authentications: Reusables[Authentication],
    *,
    is_fetched: bool = True,
) -> ExternalResource:
    """An external resource of a definition; warns of one that can't be had, where it is needed."""
    fields = node.object(required=("endpoint",), optional=("name",))
    if is_fetched:
        _check_address(fields["endpoint"])
    return ExternalResource(
        endpoint=read_endpoint(fields["endpoint"], variables, authentications),
        name=fields["name"].string() if "name" in fields else "",
    )


def _check_address(endpoint: Node) -> None:
    if isinstance(endpoint.value, dict):
        if "uri" not in endpoint.value:
            return
        endpoint = endpoint.at("uri")
    if not endpoint.is_string or is_evaluated(endpoint.value) or endpoint.value.startswith("{"):
        return
    warn_unfetchable(endpoint)


def warn_unfetchable(address: Node) -> None:
    """Warns of the literal address of a document that can't be had."""
    if not is_fetchable(address.string()):
        message = "documents are fetched by http and https only, so calls fault that need this one"
        address.warning("unfetchable-document", message)
