"""DSL reference, "Use": what a definition keeps under a name, for use at several places."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from biz.dsl.authentication import Authentication, read_reusable
from biz.dsl.error_definitions import ErrorDefinition, read_error_definition
from biz.dsl.external.external_resources import ExternalResource, read_catalog
from biz.dsl.model import Duration
from biz.dsl.reading.reader import Node
from biz.dsl.retries import RetryPolicy, read_retry_policy
from biz.dsl.reusables import Reusables
from biz.dsl.secret_names import read_secret_names
from biz.dsl.timeouts import read_timeout


class Use:
    """The reusable components of a definition.

    Those that are made of tasks, `functions` and `extensions`, are left to the parser of tasks.
    """

    def __init__(self, node: Node | None) -> None:
        """Reads the names; `node` is the value of `use`."""
        fields: Mapping[str, Node] = {}
        if node is not None:
            fields = node.object(
                optional=(
                    "authentications",
                    "catalogs",
                    "errors",
                    "extensions",
                    "functions",
                    "retries",
                    "secrets",
                    "timeouts",
                )
            )
        if "secrets" in fields:
            read_secret_names(fields["secrets"])

        def named(kind: str) -> Mapping[str, Node]:
            return fields[kind].mapping() if kind in fields else {}

        self.authentications: Reusables[Authentication] = Reusables(
            "authentications", named("authentications"), read_reusable
        )
        self.catalogs: Reusables[ExternalResource] = Reusables(
            "catalogs",
            named("catalogs"),
            lambda node, variables: read_catalog(node, variables, self.authentications),
        )
        self.errors: Reusables[ErrorDefinition] = Reusables(
            "errors", named("errors"), read_error_definition
        )
        self.retries: Reusables[RetryPolicy] = Reusables(
            "retries", named("retries"), read_retry_policy, is_given_variables=True
        )
        self.timeouts: Reusables[Duration] = Reusables("timeouts", named("timeouts"), read_timeout)
        self.functions: Mapping[str, Node] = named("functions")
        self.extensions: Sequence[tuple[str, Node]] = (
            list(fields["extensions"].named_items()) if "extensions" in fields else ()
        )

    def timeout(self, node: Node, variables: frozenset[str]) -> Duration | None:
        """A timeout at the place of its use: inline, or the name of one."""
        if isinstance(node.value, str):
            return self.timeouts.get(node, variables)
        return read_timeout(node, variables)

    def check_unused(self) -> None:
        """Reads what nothing refers to, so that its faults are told too."""
        for components in (
            self.authentications,
            self.catalogs,
            self.errors,
            self.retries,
            self.timeouts,
        ):
            components.check_unused()
