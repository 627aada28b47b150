"""The table of the language: complete by the official schema, and true to files and tests."""

from collections.abc import Iterator
from typing import Any

import pytest

from app.documentation.language_constructs import SECTIONS, Construct
from app.documentation.language_table import ROOT, lines, source
from biz.dsl.parser import KINDS
from tests.fixtures.standard import needs_standard, official_schema

CONSTRUCTS = [construct for constructs in SECTIONS.values() for construct in constructs]
BY_TITLE = {construct.title: construct for construct in CONSTRUCTS if construct.title}


def test_the_document_is_up_to_date() -> None:
    assert (ROOT / "docs/language.md").read_text() == "\n".join(lines()) + "\n", "make generate"


@pytest.mark.parametrize("construct", CONSTRUCTS, ids=[construct.name for construct in CONSTRUCTS])
def test_a_construct_names_its_file_and_test(construct: Construct) -> None:
    if source(construct).is_file():
        path, _, test = construct.test.partition("::")
        text = (ROOT / path).read_text()
        assert f"def {test}(" in text if test else "def test_" in text


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_task_is_a_construct(kind: str) -> None:
    file = next(f for f in (f"{kind}.py", f"{kind}_.py") if (ROOT / "biz/dsl/tasks" / f).is_file())
    names = {construct.file for construct in CONSTRUCTS}
    assert f"tasks/{file}" in names or any(name.startswith(f"tasks/{kind}_") for name in names)


@needs_standard
def test_each_property_of_the_official_schema_stands_in_the_table() -> None:
    listed = {name for construct in CONSTRUCTS for name in construct.properties.split()}
    missing = {
        f"{title}: {name}"
        for title, names in _titled(official_schema().schema)
        for name in names
        if name not in (BY_TITLE[title].properties.split() if title in BY_TITLE else listed)
    }
    assert missing == set()


@needs_standard
def test_the_table_has_no_other_properties() -> None:
    known: dict[str, set[str]] = {}
    for title, names in _titled(official_schema().schema):
        known.setdefault(title, set()).update(names)
    for title, construct in BY_TITLE.items():
        assert set(construct.properties.split()) <= known[title], title


def _titled(schema: Any) -> Iterator[tuple[str, list[str]]]:
    """The objects of a schema, each with its title and the names of its properties."""
    if isinstance(schema, dict):
        if names := list(_properties(schema)):
            yield str(schema.get("title", "")), names
        for value in schema.values():
            yield from _titled(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from _titled(value)


def _properties(schema: Any) -> Iterator[str]:
    if isinstance(schema.get("properties"), dict):
        yield from schema["properties"]
    for keyword in ("oneOf", "anyOf", "allOf"):
        for inner in schema.get(keyword, ()):
            if isinstance(inner, dict):
                yield from _properties(inner)
