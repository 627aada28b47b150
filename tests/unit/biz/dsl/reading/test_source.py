import json
from typing import Any

import pytest

from biz.dsl.reading.positions import MAX_DEPTH, Position, SourceError
from biz.dsl.reading.source import read

DEEP = 100_000


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": [1, -2.5, true, false, null, "x"]}', {"a": [1, -2.5, True, False, None, "x"]}),
        (' \n\t{"a": 1}', {"a": 1}),
        ('{"a": "\\u00e9\\ud83d\\ude00\\n"}', {"a": "é😀\n"}),
        ('{"a": 1e3, "b": 1E-2}', {"a": 1000.0, "b": 0.01}),
        ('{"a": 123456789012345678901234567890}', {"a": 123456789012345678901234567890}),
        ('{"": {"": 1}}', {"": {"": 1}}),
        ('{"a": "\x7f\ufffe"}', {"a": "\x7f\ufffe"}),
    ],
)
def test_json_is_read(text: str, value: Any) -> None:
    assert read(text).value == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("# nothing\n", None),
        ("---\na: 1\n...\n", {"a": 1}),
        ("a: {b: [c, 'd', \"e\"]}", {"a": {"b": ["c", "d", "e"]}}),
        ("{a: 1, b: x}", {"a": 1, "b": "x"}),
        ('{"a": 1,}', {"a": 1}),
        ("on: yes\noff: no\ny: n", {"on": "yes", "off": "no", "y": "n"}),
        ("true: 1", "the key True must be a string; put it in quotes"),
        ("'true': 1", {"true": 1}),
        ("[true, False, null, ~, NULL]", [True, False, None, None, None]),
        ("a:\nb: ''", {"a": None, "b": ""}),
        ("[1, -2, +3, 0o17, 0x1F, 012]", [1, -2, 3, 15, 31, 12]),
        ("a: 1.5\nb: .5\nc: 1e3\nd: 1.", {"a": 1.5, "b": 0.5, "c": 1000.0, "d": 1.0}),
        ("[1_000, 12:30:45, 0b1, 1e]", ["1_000", "12:30:45", "0b1", "1e"]),
        ("- 2025-01-02\n- 2025-01-02T03:04:05Z", ["2025-01-02", "2025-01-02T03:04:05Z"]),
        ("a: !!str 5\nb: ! 6\nc: !!int '7'", {"a": "5", "b": "6", "c": 7}),
        ("a: !!map {b: !!seq [c]}", {"a": {"b": ["c"]}}),
        ("a: |\n  one\n  two\nb: >\n  one\n  two\n", {"a": "one\ntwo\n", "b": "one two\n"}),
        ("a: &anchor 1", {"a": 1}),
        ("<<: 1", {"<<": 1}),
        ("- a: 1\n- b", [{"a": 1}, "b"]),
        ("just text", "just text"),
        ('a: "\\U0001F600 \\x41"', {"a": "😀 A"}),
    ],
)  # fmt: skip
def test_yaml_is_read_by_its_core_schema(text: str, value: Any) -> None:
    if isinstance(value, str) and value != text:
        with pytest.raises(SourceError, match=value):
            read(text)
    else:
        assert read(text).value == value


REFUSED: list[tuple[str, str, int, int]] = [
    ('{"a": 1', "not JSON", 1, 8),
    ('{"a": \n\n  tru!e x: [}', "not JSON", 3, 3),
    ('{"a": {"b": 1,\n "b": 2}}', 'the key "b" stands twice', 2, 2),
    ('{"a": 1, "\\u0061": 2}', "stands twice", 1, 10),
    ('{"a": NaN}', "NaN is no number", 1, 7),
    ('{"a": [0, -Infinity]}', "-Infinity is no number", 1, 11),
    ('{"a": 1e400}', "1e400 is no number, or too large", 1, 7),
    (f'{{"a": {"9" * 400}}}', "is no number, or too large", 1, 7),
    (f'{{"a": {"9" * 5000}}}', "is no number, or too large", 1, 7),
    ('{"a": "\\ud800"}', "half of a surrogate pair", 1, 7),
    ('{"\\udc00\\ud800": 1}', "half of a surrogate pair", 1, 2),
    ("a: 1\na: 2", "the key 'a' stands twice", 2, 1),
    ("a: *b", "aliases aren't read", 1, 4),
    ("a: &b {c: 1}\nd: *b", "aliases aren't read", 2, 4),
    ("1: a", "the key 1 must be a string", 1, 1),
    ("2.5: a", "must be a string", 1, 1),
    ("null: a", "must be a string", 1, 1),
    ("? [a]\n: 1", "a key must be a string", 1, 3),
    ("[a]: 2", "a key must be a string", 1, 1),
    ("a: .nan", "is no number", 1, 4),
    ("a: -.inf", "is no number", 1, 4),
    ("a: 1e999", "is no number, or too large", 1, 4),
    (f"a: {'9' * 5000}", "is no number, or too large", 1, 4),
    ("a: !!int x", "is no value of JSON", 1, 4),
    ("a: !!float x", "is no value of JSON", 1, 4),
    ("a: !!bool x", "is no value of JSON", 1, 4),
    ("a: !!timestamp 2025-01-02", "is no value of JSON", 1, 4),
    ("a: !!binary aGk=", "is no value of JSON", 1, 4),
    ("a: !mine x", "is no value of JSON", 1, 4),
    ("a: !!python/object:os.system {}", "has no meaning in JSON", 1, 4),
    ("a: !!set {b}", "has no meaning in JSON", 1, 4),
    ("a: !!omap [b: 1]", "has no meaning in JSON", 1, 4),
    ("a: 1\n---\nb: 2", "more than one document", 2, 1),
    ("a: [1", "not YAML", 2, 1),
    ("a: b: c", "not YAML", 1, 5),
    ("a:\n\t- b", "not YAML", 2, 1),
    ("a: \x00", "YAML doesn't allow", 0, 0),
    ("a: \ud800", "half of a surrogate pair", 0, 0),
]


@pytest.mark.parametrize(
    ("text", "message", "line", "column"), REFUSED, ids=lambda value: repr(value)[:30]
)
def test_a_text_is_refused_at_its_fault(text: str, message: str, line: int, column: int) -> None:
    with pytest.raises(SourceError, match=message) as raised:
        read(text)
    assert raised.value.position == Position(line, column)


@pytest.mark.parametrize(
    "text",
    [
        "[" * DEEP,
        "[" * DEEP + "]" * DEEP,
        '{"a":' * DEEP,
        '{"a":' * DEEP + "1" + "}" * DEEP,
        '{"a":[' * DEEP + "]}" * DEEP,
        "{a: " * DEEP + "1" + "}" * DEEP,
        "- " * DEEP + "a",
        "? " * DEEP + "a",
        "a: " + "[" * DEEP,
        "!!seq [" * DEEP,
    ],
    ids=lambda text: text[:10],
)
def test_the_deepest_nesting_is_refused_and_breaks_nothing(text: str) -> None:
    with pytest.raises(SourceError):
        read(text)


@pytest.mark.parametrize("make", [json.dumps, lambda value: f"# YAML\n{json.dumps(value)}"])
def test_so_deep_may_a_text_be(make: Any) -> None:
    value: Any = {}
    for _ in range(MAX_DEPTH - 1):
        value = {"a": value}
    assert read(make(value)).value == value
    with pytest.raises(SourceError, match="too deep"):
        read(make({"a": value}))


@pytest.mark.parametrize(
    "text",
    [
        '{"a": [1, {"b/c~": 2}],\n "x": "\\ud83d\\ude00", "d": {"e": null},\n\t"f": []}',
        'a: [1, {"b/c~": 2}]\nx: y\nd:\n  e:\nf:\n- g',
    ],
    ids=["JSON", "YAML"],
)
def test_each_value_has_its_place(text: str) -> None:
    places = read(text).positions()
    lines = text.split("\n")
    starts = {pointer: lines[p.line - 1][p.column - 1 :] for pointer, p in places.items()}
    assert starts["/a"].startswith("[1,")
    assert starts["/a/0"].startswith("1,")
    assert starts["/a/1"].startswith("{")
    assert starts["/a/1/b~1c~0"].startswith("2")
    assert set(places) >= {"", "/x", "/d", "/d/e", "/f"}


def test_json_has_places_that_yaml_couldnt_find() -> None:
    key = "k" * 2000
    text = '{\n\t"a": "\\ud83d\\ude00\\/",\n\t"' + key + '": 1, "é": 2}'
    places = read(text).positions()
    assert places["/a"] == Position(2, 7)
    assert places[f"/{key}"] == Position(3, 2 + 2000 + 4)
    assert places["/é"] == Position(3, 2 + 2000 + 4 + 8)


def test_many_keys_of_which_the_last_stands_twice_take_no_time() -> None:
    keys = [f'"{i}": 1' for i in range(100_000)]
    with pytest.raises(SourceError, match="twice"):
        read("{" + ", ".join([*keys, keys[-1]]) + "}")
