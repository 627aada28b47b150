"""Labels: what users sort their templates and executions by."""

import re
from collections.abc import Iterable, Mapping, Sequence

from biz.errors import Violation

MAX_LABELS = 64
_KEY = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._/-]{0,61}[A-Za-z0-9])?")
MAX_VALUE_LENGTH = 255


def check_labels(labels: Mapping[str, str]) -> Iterable[Violation]:
    """The faults of a set of labels."""
    if len(labels) > MAX_LABELS:
        yield Violation(
            field="labels", code="too-many", message=f"at most {MAX_LABELS} labels are kept"
        )
    for key, value in labels.items():
        if not _KEY.fullmatch(key):
            yield Violation(
                field="labels",
                code="bad-label-key",
                message=f"the key {key[:80]!r} must be 1 to 63 letters, digits, dots, dashes, "
                "underscores or slashes, a letter or digit first and last",
            )
        if len(value) > MAX_VALUE_LENGTH:
            yield Violation(
                field="labels",
                code="too-long",
                message=f"the value of {key[:80]!r} must have at most "
                f"{MAX_VALUE_LENGTH} characters",
            )


def parse_label_filter(terms: Sequence[str]) -> tuple[dict[str, str], list[Violation]]:
    """Reads at most MAX_LABELS terms such as "team=payments"; all of them must match."""
    if len(terms) > MAX_LABELS:
        message = f"filter by at most {MAX_LABELS} labels"
        return {}, [Violation(field="labels", code="too-many", message=message)]
    labels: dict[str, str] = {}
    faults = []
    for term in terms:
        key, equals, value = term.partition("=")
        message = ""
        if not equals or not _KEY.fullmatch(key):
            message = 'write it as "key=value"'
        elif labels.setdefault(key, value) != value:
            message = f"nothing has two values of {key}"
        if message:
            faults.append(Violation(field="labels", code="bad-label-filter", message=message))
    return labels, faults
