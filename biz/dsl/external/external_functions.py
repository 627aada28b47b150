"""Functions that stand in a document of their own (DSL, "Creating a Custom Function").

Such a document holds one task. It knows nothing of the definition that calls it: neither what that
has under `use`, its secrets among it, nor its variables.
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

from biz.dsl.flow import check_flow
from biz.dsl.model import Task, TaskList
from biz.dsl.parser import Parser
from biz.dsl.reading.diagnostics import Diagnostics, Severity
from biz.dsl.reading.reader import Node
from biz.dsl.use import Use

_CACHED = 64
_SHOWN = 3


def function_fault(document: Any) -> str | None:
    """What is wrong with a document that is to be a function, None where it is one."""
    diagnostics = Diagnostics()
    task = _parse(document, "function", "", diagnostics, is_trusted=False)
    if task is not None:
        check_flow([TaskList([task], places={})], diagnostics)
    errors = [found for found in diagnostics.all() if found.severity is Severity.ERROR]
    if not errors:
        return None
    shown = "; ".join(f"{found.pointer or '/'} {found.message}" for found in errors[:_SHOWN])
    return f"is no function: {shown}"


def load_function(document: Any, name: str, pointer: str) -> Task:
    """The task of a document that was found to be a function; `pointer` is to be its own."""
    return _load(json.dumps(document), name, pointer)


@lru_cache(maxsize=_CACHED)
def _load(text: str, name: str, pointer: str) -> Task:
    task = _parse(json.loads(text), name, pointer, Diagnostics(), is_trusted=True)
    assert task is not None
    return task


def _parse(
    document: Any, name: str, pointer: str, diagnostics: Diagnostics, *, is_trusted: bool
) -> Task | None:
    node = Node(document, pointer, diagnostics, is_trusted=is_trusted, is_foreign=True)
    return Parser(diagnostics, Use(None)).task(name, node, frozenset())
