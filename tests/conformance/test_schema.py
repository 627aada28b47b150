"""What the validator finds, beside the official schema's verdict."""

import json

import pytest
from jsonschema.exceptions import best_match

from biz.dsl.reading.diagnostics import STRUCTURAL
from biz.dsl.reading.source import SourceError, read
from biz.dsl.validator import check
from tests.conformance.mutations import Mutator
from tests.fixtures.standard import examples, needs_standard, official_schema, texts

pytestmark = needs_standard

DEFINITIONS = 600
"""So many are grown from each seed."""

UNREAD = frozenset({"unsupported-property"})
"""What lies behind them isn't read, so only what is wrong elsewhere can be told."""


@pytest.mark.parametrize("seed", range(4))
def test_the_validator_and_the_schema_agree_on_the_structure(seed: int) -> None:
    """Codes that aren't structural are the deliberate differences: what no schema can tell."""
    mutator = Mutator(examples(), seed=seed)
    differences = []
    verdicts = set()
    for _ in range(DEFINITIONS):
        definition = mutator.next()
        codes = {found.code for found in check(json.dumps(definition)).errors}
        is_valid = official_schema().is_valid(definition)
        verdicts.add(is_valid)
        if is_valid != (not codes & STRUCTURAL):
            differences.append(f"{_say(is_valid, definition)}, the validator {codes or 'nothing'}")
    assert verdicts == {True, False}
    assert not differences, "\n".join(differences)


def _say(is_valid: bool, definition: object) -> str:
    if is_valid:
        return f"the schema finds nothing in {json.dumps(definition)}"
    error = best_match(official_schema().iter_errors(definition))
    assert error is not None
    return f"the schema finds {error.json_path}: {error.message[:200]}"


def test_all_official_examples_are_valid() -> None:
    found = {
        name: [error.message for error in check(text).errors]
        for name, text in texts("examples").items()
    }
    assert {name: messages for name, messages in found.items() if messages} == {}
    assert len(found) > 60


def test_all_official_examples_are_valid_by_the_schema() -> None:
    assert all(official_schema().is_valid(example) for example in examples().values())


def test_what_is_officially_invalid_is_refused() -> None:
    refused = texts("invalid")
    assert refused
    for name, text in refused.items():
        assert check(text).errors, name


def test_a_key_that_stands_twice_isnt_read() -> None:
    """The one invalid file that is no YAML either, by its second `do`."""
    with pytest.raises(SourceError, match="twice"):
        read(texts("invalid")["listen-any-until-any-until.yaml"])
