from itertools import pairwise
from typing import Any

import pytest

from biz.dsl.schemas import InvalidSchema, SchemaFault, compile_schema

DRAFT_7 = "http://json-schema.org/draft-07/schema#"
DRAFT_2020 = "https://json-schema.org/draft/2020-12/schema"
TREE = {"type": "object", "properties": {"left": {"$ref": "#"}, "n": {"type": "integer"}}}


@pytest.mark.parametrize(
    ("schema", "data", "pointers"),
    [
        (True, 1, []),
        (False, 1, [""]),
        ({}, {"a": 1}, []),
        ({"type": "integer"}, 1.0, []),
        ({"type": "integer"}, 1.5, [""]),
        ({"required": ["a"]}, {}, [""]),
        ({"properties": {"a/b": {"items": {"maximum": 1}}}}, {"a/b": [0, 2]}, ["/a~1b/1"]),
        ({"additionalProperties": {"type": "null"}}, {"a": 1, "b": None, "c": 2}, ["/a", "/c"]),
        ({"prefixItems": [{"type": "string"}]}, [1], ["/0"]),
        ({"$schema": DRAFT_2020, "prefixItems": [{"type": "string"}]}, [1], ["/0"]),
        ({"$schema": DRAFT_7, "items": [{"type": "string"}]}, [1], ["/0"]),
        ({"$schema": DRAFT_7, "prefixItems": [{"type": "string"}]}, [1], []),
        ({"$schema": DRAFT_7.removesuffix("#"), "items": [{"type": "string"}]}, [1], ["/0"]),
        ({"$defs": {"a/b": {"type": "string"}}, "items": {"$ref": "#/$defs/a~1b"}}, [1], ["/0"]),
        ({"$defs": {"t": True}, "$ref": "#/$defs/t"}, 1, []),
        ({"$defs": {"a": {"$anchor": "x", "type": "string"}}, "$ref": "#x"}, 1, [""]),
        ({"$id": "https://x.test/a", "$defs": {"a": False}, "$ref": "#/$defs/a"}, 1, [""]),
        ({"$schema": DRAFT_7, "definitions": {"a": False}, "$ref": "#/definitions/a"}, 1, [""]),
        (TREE, {"left": {"left": {"n": "x"}}}, ["/left/left/n"]),
        ({"const": {"$ref": "https://x.test"}}, {"$ref": "https://x.test"}, []),
        ({"enum": [{"$ref": "https://x.test"}]}, 1, [""]),
        ({"properties": {"$ref": {"type": "string"}}}, {"$ref": 1}, ["/$ref"]),
        ({"anyOf": [{"type": "string"}, {"properties": {"a": False}}]}, {"a": 1}, [""]),
        ({"multipleOf": 0.01}, 1e308, [""]),
        ({"format": "date"}, "never", []),
        ({"pattern": "^a+$"}, "aab", [""]),
    ],
)  # fmt: skip
def test_data_breaks_a_schema_at(schema: Any, data: Any, pointers: list[str]) -> None:
    for is_trusted in (False, True):
        found = compile_schema(schema, is_trusted=is_trusted).faults(data)
        assert [fault.pointer for fault in found] == pointers


@pytest.mark.parametrize(
    ("schema", "pointer"),
    [
        (None, ""),
        ("string", ""),
        ([], ""),
        ({"type": "text"}, "/type"),
        ({"properties": {"a": {"minimum": "1"}}}, "/properties/a/minimum"),
        ({"properties": []}, "/properties"),
        ({"pattern": "("}, "/pattern"),
        ({"$ref": 1}, "/$ref"),
        ({"$ref": "#/$defs/a"}, "/$ref"),
        ({"$ref": "#x"}, "/$ref"),
        ({"$dynamicRef": "#x"}, "/$dynamicRef"),
        ({"$ref": "https://x.test/schema"}, "/$ref"),
        ({"$ref": "other.json"}, "/$ref"),
        ({"$ref": DRAFT_2020}, "/$ref"),
        ({"items": [{"$ref": "x"}], "$schema": DRAFT_7}, "/items/0/$ref"),
        ({"properties": {"default": {"$ref": "x"}}}, "/properties/default/$ref"),
        ({"$ref": "#/properties", "properties": {"type": {"a": 1}}}, "/$ref"),
        ({"$ref": "#/enum/0", "enum": [5]}, "/$ref"),
        ({"$defs": {"a": {"$id": "https://x.test/a"}}}, "/$defs/a/$id"),
        ({"$schema": "http://json-schema.org/draft-04/schema#"}, "/$schema"),
        ({"$schema": "https://x.test"}, "/$schema"),
        ({"$schema": 7}, "/$schema"),
    ],
)
def test_no_schema_is(schema: Any, pointer: str) -> None:
    with pytest.raises(InvalidSchema) as raised:
        compile_schema(schema)
    assert raised.value.pointer == pointer
    assert raised.value.message


def nested(keyword: str, levels: int) -> Any:
    schema: Any = {}
    for _ in range(levels):
        schema = {keyword: schema}
    return schema


@pytest.mark.parametrize("keyword", ["items", "not", "contains", "additionalProperties"])
def test_a_schema_may_be_nested_so_deep(keyword: str) -> None:
    schema = compile_schema(nested(keyword, 63))
    assert isinstance(schema.faults([[[1]]]), list)
    with pytest.raises(InvalidSchema, match="64 levels"):
        compile_schema(nested(keyword, 64))


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#"},
        {"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}, "$ref": "#/$defs/a"},
    ],
)
def test_a_schema_that_refers_to_itself_without_end_is_a_fault(schema: Any) -> None:
    [fault] = compile_schema(schema).faults(1)
    assert "without an end" in fault.message


def test_data_that_is_too_deep_is_a_fault() -> None:
    data: Any = []
    for _ in range(5000):
        data = [data]
    schema = compile_schema({"items": {"$ref": "#"}})
    [fault] = schema.faults(data)
    assert "too deep" in fault.message
    assert schema.cost(data) == 0


def test_so_many_faults_are_told_and_no_more() -> None:
    assert len(compile_schema({"items": {"type": "string"}}).faults(list(range(1000)))) == 20


def test_a_large_value_is_told_in_part() -> None:
    [fault] = compile_schema({"maxLength": 1}).faults("x" * 100_000)
    assert len(fault.message) < 320
    assert fault.message.endswith("is too long")


def test_a_fault_says_what_is_expected() -> None:
    [fault] = compile_schema({"type": "string"}).faults(1)
    assert fault == SchemaFault(pointer="", message="1 is not of type 'string'")


@pytest.mark.parametrize(
    ("items", "are_unique"),
    [
        ([1, 2, "1", True, None, 0, False], True),
        ([1, 1.0], False),
        ([True, 1], True),
        ([{"a": 1, "b": [2]}, {"b": [2], "a": 1}], False),
        ([{"a": 1}, {"a": True}], True),
        ([[1, 2], [2, 1]], True),
        ([[], {}], True),
        ([{"n": n} for n in range(50_000)], True),
        (["x", "x"], False),
    ],
)
@pytest.mark.parametrize("draft", ["", "http://json-schema.org/draft-07/schema"])
def test_unique_items(draft: str, items: list[Any], are_unique: bool) -> None:
    schema = {"uniqueItems": True, **({"$schema": draft} if draft else {})}
    assert bool(compile_schema(schema).faults(items)) is not are_unique
    assert not compile_schema({**schema, "uniqueItems": False}).faults(items)


LETTERS = "a" * 40 + "!"


@pytest.mark.parametrize(
    ("schema", "data", "is_valid"),
    [
        ({"pattern": "^(a+)+$"}, LETTERS, False),
        ({"pattern": "b"}, "abc", True),
        ({"pattern": "^b"}, 7, True),
        ({"pattern": "a"}, "\ud800", False),
        ({"patternProperties": {"^(a+)+$": False}}, {LETTERS: 1}, True),
        ({"patternProperties": {"^x": {"type": "string"}}}, {"x1": 1}, False),
        ({"patternProperties": {"^x": {}}, "additionalProperties": False}, {"x": 1}, True),
        ({"patternProperties": {"^x": {}}, "additionalProperties": False}, {"y": 1}, False),
        ({"properties": {"a": {}}, "additionalProperties": {"type": "null"}}, {"b": 1}, False),
        ({"properties": {"a": {}}, "additionalProperties": {"type": "null"}}, {"a": 1}, True),
        ({"additionalProperties": False}, [1], True),
    ],
)
def test_patterns_end_soon(schema: Any, data: Any, is_valid: bool) -> None:
    assert (not compile_schema(schema).faults(data)) is is_valid


def doubling(levels: int) -> Any:
    names = [f"a{level}" for level in range(levels)]
    schemas = {
        name: {"allOf": [{"$ref": f"#/$defs/{following}"}] * 2}
        for name, following in pairwise(names)
    }
    return {"$ref": "#/$defs/a0", "$defs": {**schemas, names[-1]: {"type": "string"}}}


@pytest.mark.parametrize(
    ("schema", "pointer"),
    [
        ({"properties": {"a": {"pattern": "a(?=b)"}}}, "/properties/a/pattern"),
        ({"pattern": "("}, "/pattern"),
        ({"pattern": "\ud800"}, "/pattern"),
        ({"patternProperties": {"(a)\\1": {}}}, "/patternProperties"),
        (
            {"patternProperties": {"a": {}}, "unevaluatedProperties": False},
            "/unevaluatedProperties",
        ),
        (doubling(18), ""),
    ],
)
def test_what_may_take_for_ever_is_refused(schema: Any, pointer: str) -> None:
    with pytest.raises(InvalidSchema) as refused:
        compile_schema(schema)
    assert refused.value.pointer == pointer


@pytest.mark.parametrize(
    "schema",
    [
        doubling(6),
        {"properties": {"pattern": {"type": "string"}}},
        {"properties": {"left": {"$ref": "#"}, "right": {"$ref": "#"}}},
        {"const": {"$ref": "https://x.test", "pattern": "("}},
    ],
)
def test_what_only_looks_like_it_is_fine(schema: Any) -> None:
    assert compile_schema(schema)
