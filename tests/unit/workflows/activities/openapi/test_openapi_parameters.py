"""How values of OpenAPI parameters are written: the examples of OpenAPI 3.1 and 2.0."""

from typing import Any
from urllib.parse import parse_qsl, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from biz.dsl.errors import TaskFault
from workflows.activities.openapi.openapi_parameters import in_cookie, in_header, in_path, in_query
from workflows.activities.openapi.operation import Style

ARRAY = ["blue", "black", "brown"]
OBJECT = {"B": 150, "G": 200, "R": 100}


@pytest.mark.parametrize(
    ("style", "explode", "value", "text"),
    [
        ("simple", False, "blue", "blue"),
        ("simple", False, ARRAY, "blue,black,brown"),
        ("simple", False, OBJECT, "B,150,G,200,R,100"),
        ("simple", True, OBJECT, "B=150,G=200,R=100"),
        ("label", False, "blue", ".blue"),
        ("label", True, ARRAY, ".blue.black.brown"),
        ("label", True, OBJECT, ".B=150.G=200.R=100"),
        ("matrix", False, "blue", ";color=blue"),
        ("matrix", False, ARRAY, ";color=blue,black,brown"),
        ("matrix", True, ARRAY, ";color=blue;color=black;color=brown"),
        ("matrix", False, OBJECT, ";color=B,150,G,200,R,100"),
        ("matrix", True, OBJECT, ";B=150;G=200;R=100"),
        ("json", False, {"a": 1}, "%7B%22a%22%3A%201%7D"),
        ("spaceDelimited", False, ARRAY, "blue%20black%20brown"),
        ("simple", False, "a/b?c", "a%2Fb%3Fc"),
        ("simple", False, True, "true"),
        ("simple", False, 1.5, "1.5"),
    ],
)
def test_a_style_of_paths(style: str, explode: bool, value: Any, text: str) -> None:
    assert in_path("color", Style(style), explode, value) == text


@pytest.mark.parametrize(
    ("style", "explode", "value", "parts"),
    [
        ("form", True, "blue", ["color=blue"]),
        ("form", True, "", ["color="]),
        ("form", True, ARRAY, ["color=blue", "color=black", "color=brown"]),
        ("form", False, ARRAY, ["color=blue,black,brown"]),
        ("form", True, OBJECT, ["B=150", "G=200", "R=100"]),
        ("form", False, OBJECT, ["color=B,150,G,200,R,100"]),
        ("form", True, [], []),
        ("form", True, [None, "blue"], ["color=blue"]),
        ("form", False, ["a,b", "c"], ["color=a%2Cb,c"]),
        ("spaceDelimited", False, ARRAY, ["color=blue%20black%20brown"]),
        ("spaceDelimited", True, ARRAY, ["color=blue", "color=black", "color=brown"]),
        ("pipeDelimited", False, ARRAY, ["color=blue%7Cblack%7Cbrown"]),
        ("pipeDelimited", False, OBJECT, ["color=B%7C150%7CG%7C200%7CR%7C100"]),
        ("pipeDelimited", False, [], []),
        ("pipeDelimited", False, "blue", ["color=blue"]),
        ("tabDelimited", False, ARRAY, ["color=blue%09black%09brown"]),
        ("deepObject", True, OBJECT, ["color%5BB%5D=150", "color%5BG%5D=200", "color%5BR%5D=100"]),
        ("deepObject", True, {"B": None}, []),
        ("deepObject", True, "blue", ["color=blue"]),
        ("json", False, [1], ["color=%5B1%5D"]),
    ],
)
def test_a_style_of_queries(style: str, explode: bool, value: Any, parts: list[str]) -> None:
    assert list(in_query("color", Style(style), explode, value)) == parts


@pytest.mark.parametrize(
    ("style", "explode", "value", "text"),
    [
        ("simple", False, "a b", "a b"),
        ("simple", False, ARRAY, "blue,black,brown"),
        ("simple", False, OBJECT, "B,150,G,200,R,100"),
        ("simple", True, OBJECT, "B=150,G=200,R=100"),
        ("pipeDelimited", False, ARRAY, "blue|black|brown"),
        ("json", False, {"a": None}, '{"a": null}'),
    ],
)
def test_a_style_of_headers(style: str, explode: bool, value: Any, text: str) -> None:
    assert in_header("color", Style(style), explode, value) == text


def test_a_cookie_holds_nothing_that_ends_it() -> None:
    assert in_cookie("sid", Style.SIMPLE, "a;b c") == "sid=a%3Bb%20c"
    assert in_cookie("sid", Style.FORM, ARRAY) == "sid=blue,black,brown"


@pytest.mark.parametrize("value", [[["a"]], [{"a": 1}], {"a": [1]}, {"a": {}}])
@pytest.mark.parametrize("write", [in_path, in_query, in_header])
def test_what_no_style_can_write_is_refused(write: Any, value: Any) -> None:
    with pytest.raises(TaskFault, match='the parameter "x" can\'t have an'):
        write("x", Style.SIMPLE, False, value)


texts = st.text(st.characters(exclude_categories=["Cs"]))
names = texts.filter(bool)


@given(names, texts)
def test_any_text_comes_through_a_query(name: str, value: str) -> None:
    [part] = in_query(name, Style.FORM, True, value)
    assert parse_qsl(part, keep_blank_values=True) == [(name, value)]


@given(names, st.lists(texts))
def test_any_texts_come_through_a_query_one_by_one(name: str, values: list[str]) -> None:
    parts = in_query(name, Style.FORM, True, values)
    found = parse_qsl("&".join(parts), keep_blank_values=True)
    assert found == [(name, value) for value in values]


@given(names, st.lists(texts.filter(bool), min_size=1))
def test_the_delimiters_between_texts_are_never_in_them(name: str, values: list[str]) -> None:
    [part] = in_query(name, Style.FORM, False, values)
    _, _, joined = part.partition("=")
    assert [unquote(text) for text in joined.split(",")] == values
    path = in_path(name, Style.SIMPLE, False, values)
    assert [unquote(text) for text in path.split(",")] == values


@given(names, texts.filter(bool), st.sampled_from([Style.SIMPLE, Style.LABEL, Style.MATRIX]))
def test_no_text_leaves_its_segment_of_a_path(name: str, value: str, style: Style) -> None:
    text = in_path(name, style, False, value)
    assert not set("/?#") & set(text)
    assert unquote(text).endswith(value)
