"""Says everything that is wrong with a definition, before anything runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from biz.dsl.flow import check_flow
from biz.dsl.model import Document, Workflow
from biz.dsl.parser import parse_workflow
from biz.dsl.reading.diagnostics import Diagnostic, Diagnostics, Severity
from biz.dsl.reading.positions import Position, SourceError
from biz.dsl.reading.source import read
from biz.dsl.schemas import Schema, SchemaFault

_CACHED_WORKFLOWS = 64


class InvalidWorkflow(Exception):
    """The text holds no valid workflow."""

    def __init__(self, diagnostics: Sequence[Diagnostic]) -> None:
        first = diagnostics[0]
        super().__init__(f"{first.pointer or '/'}: {first.message}")
        self.diagnostics = diagnostics


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What is known of a definition's text; `workflow` is None where it has errors."""

    workflow: Workflow | None
    diagnostics: Sequence[Diagnostic]

    @property
    def errors(self) -> Sequence[Diagnostic]:
        """The diagnostics that refuse the definition."""
        return [d for d in self.diagnostics if d.severity is Severity.ERROR]

    @property
    def document(self) -> Document:
        """The document of a definition without errors."""
        return self.require().document

    def require(self) -> Workflow:
        """The workflow; raises InvalidWorkflow where there are errors."""
        if self.workflow is None:
            raise InvalidWorkflow(self.errors)
        return self.workflow


def check(text: str) -> Checked:
    """Reads a definition in JSON or YAML, and reports every fault in the order of their places."""
    return _check(text, is_trusted=False)


@lru_cache(maxsize=_CACHED_WORKFLOWS)
def load_workflow(text: str) -> Workflow:
    """The workflow of a definition that was checked when it was stored. Raises InvalidWorkflow.

    Quick, since a run loads it where nothing may take long.
    """
    return _check(text, is_trusted=True).require()


def check_input(text: str, input: Any) -> Sequence[SchemaFault]:
    """Where an input breaks the `input.schema` of a stored definition.

    One that is elsewhere can be had by a run only, which faults then.
    """
    schema = load_workflow(text).input.schema
    return schema.faults(input) if isinstance(schema, Schema) else ()


def _check(text: str, *, is_trusted: bool) -> Checked:
    try:
        source = read(text)
    except SourceError as error:
        return Checked(workflow=None, diagnostics=(Diagnostic.of_syntax(error),))
    diagnostics = Diagnostics()
    workflow = parse_workflow(source.value, diagnostics, is_trusted=is_trusted)
    if not is_trusted:
        check_flow(workflow.lists(), diagnostics)
    found = diagnostics.all()
    if not found:
        return Checked(workflow=workflow, diagnostics=())
    places = source.positions()
    placed = place(found, places)
    has_errors = any(d.severity is Severity.ERROR for d in placed)
    return Checked(workflow=None if has_errors else workflow, diagnostics=placed)


def place(
    diagnostics: Sequence[Diagnostic], places: Mapping[str, Position]
) -> Sequence[Diagnostic]:
    """The diagnostics with their lines and columns, in the order of these."""
    placed = (_place(diagnostic, places) for diagnostic in diagnostics)
    return sorted(placed, key=lambda d: (d.line, d.column))


def _place(diagnostic: Diagnostic, places: Mapping[str, Position]) -> Diagnostic:
    """With line and column, of the nearest value around where the place itself is missing."""
    pointer = diagnostic.pointer
    while pointer not in places and pointer:
        pointer = pointer.rpartition("/")[0]
    if pointer not in places:
        return diagnostic
    return replace(diagnostic, line=places[pointer].line, column=places[pointer].column)
