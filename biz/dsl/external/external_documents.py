"""Whether a document from elsewhere is what a run needs of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from biz.dsl.calls.fetch_call import Purpose
from biz.dsl.external.external_functions import function_fault
from biz.dsl.external.external_schemas import schema_fault

_CHECKS: Mapping[Purpose, Callable[[Any], str | None]] = {
    Purpose.FUNCTION: function_fault,
    Purpose.SCHEMA: schema_fault,
}


def document_fault(document: Any, purpose: Purpose) -> str | None:
    """What is wrong with a document, as a text behind its name; None where it is fit.

    Takes long for a large one, which is why it isn't asked in a run, but where it is fetched.
    """
    return _CHECKS[purpose](document)
