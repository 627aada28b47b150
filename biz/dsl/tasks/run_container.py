"""DSL reference, "Container Process", "Container Lifetime"."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from biz.dsl.calls.container_call import Cleanup, ContainerCall, PullPolicy
from biz.dsl.durations import read_duration
from biz.dsl.model import Duration, Evaluable
from biz.dsl.reading.reader import Node
from biz.dsl.tasks.process import PROPERTIES, ProcessTask, read_process, read_text
from biz.dsl.values import Literal, read_value

if TYPE_CHECKING:
    from biz.dsl.frame import Frame
    from biz.dsl.parser import TaskSource

_PROPERTIES = ("name", "command", "ports", "volumes", "lifetime", "pullPolicy", *PROPERTIES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lifetime:
    """When a container is deleted; `after` goes with EVENTUALLY."""

    cleanup: Cleanup
    after: Duration | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerTask(ProcessTask):
    """Runs a container."""

    image: Evaluable
    container: Evaluable
    command: Evaluable
    ports: Evaluable
    volumes: Evaluable
    pull_policy: PullPolicy
    lifetime: Lifetime

    @classmethod
    def parse(cls, source: TaskSource, node: Node, options: Mapping[str, Any]) -> ContainerTask:
        """Reads the value of `container`; `options` are the properties beside it."""
        fields = node.object(required=("image",), optional=_PROPERTIES)
        policy = fields.get("pullPolicy")
        return cls(
            image=read_text(fields["image"], source.variables),
            container=read_text(fields.get("name"), source.variables),
            command=read_text(fields.get("command"), source.variables),
            ports=_read_mapping(fields.get("ports"), source.variables),
            volumes=_read_mapping(fields.get("volumes"), source.variables),
            pull_policy=PullPolicy(policy.choice(*PullPolicy) if policy else "ifNotPresent"),
            lifetime=_read_lifetime(fields.get("lifetime"), source.without_secrets().variables),
            **read_process(fields, source.variables),
            **options,
            **source.common,
        )

    async def call(self, frame: Frame, common: Mapping[str, Any]) -> ContainerCall:
        """See ProcessTask."""
        keep = await frame.duration(self.lifetime.after) if self.lifetime.after else None
        return ContainerCall(
            image=await frame.evaluate(self.image),
            name=await frame.evaluate(self.container),
            command=await frame.evaluate(self.command),
            ports=await frame.evaluate(self.ports),
            volumes=await frame.evaluate(self.volumes),
            pull_policy=self.pull_policy,
            cleanup=self.lifetime.cleanup,
            keep_seconds=keep.total_seconds() if keep else 0,
            workflow=frame.world.document.name,
            namespace=frame.world.document.namespace,
            task=self.name,
            **common,
        )


def _read_mapping(node: Node | None, variables: frozenset[str]) -> Evaluable:
    if node is None:
        return Literal({})
    node.mapping()
    return read_value(node, variables)


def _read_lifetime(node: Node | None, variables: frozenset[str]) -> Lifetime:
    if node is None:
        return Lifetime(cleanup=Cleanup.NEVER, after=None)
    fields = node.object(required=("cleanup",), optional=("after",))
    cleanup = Cleanup(fields["cleanup"].choice(*Cleanup))
    if isinstance(node.value, dict) and "cleanup" in node.value:
        is_eventual = node.value["cleanup"] == Cleanup.EVENTUALLY
        if is_eventual and "after" not in fields:
            node.error("missing-property", '"after" is missing: it goes with eventually')
        if not is_eventual and "after" in fields:
            fields["after"].error("invalid-value", '"after" goes with eventually alone')
    after = read_duration(fields["after"], variables) if "after" in fields else None
    return Lifetime(cleanup=cleanup, after=after)
