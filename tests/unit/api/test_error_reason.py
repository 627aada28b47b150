"""Every reason that the service gives is in the contract."""

import re
from collections.abc import Iterator
from pathlib import Path

from api.errors.v1.error_reason_pb2 import ErrorReason
from biz.errors import DomainError

ENVOY = Path(__file__).parents[3] / "deploy/envoy/envoy.yaml"


def kinds(error: type[DomainError]) -> Iterator[type[DomainError]]:
    yield error
    for kind in error.__subclasses__():
        yield from kinds(kind)


def test_every_domain_error_has_its_reason_in_the_contract() -> None:
    reasons = {kind.reason for kind in kinds(DomainError) if hasattr(kind, "reason")}
    assert reasons <= set(ErrorReason.keys())


def test_every_reason_that_envoy_gives_is_in_the_contract() -> None:
    reasons = set(re.findall(r"reason: ([A-Z][A-Z_]+)", ENVOY.read_text()))
    assert reasons
    assert reasons <= set(ErrorReason.keys())
