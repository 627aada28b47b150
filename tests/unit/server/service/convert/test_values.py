import json
from math import inf, nan
from sys import float_info
from typing import Any

import pytest
from google.protobuf.struct_pb2 import Struct, Value
from hypothesis import given
from hypothesis import strategies as st

from api.execution.v1 import execution_pb2
from biz.dsl.sizes import MAX_JSON_BYTES, json_size
from biz.errors import Violation
from biz.limits import check_size
from server.service.convert.values import MAX_DEPTH, value_from_proto, value_to_proto

EXACT = 2**53 - 1
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-EXACT, EXACT)
    | st.floats(-1e15, 1e15, allow_nan=False)
    | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=20,
)
ANY_TEXT = st.text(st.characters(categories=["L", "Cs", "Cc", "So"]))
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | ANY_TEXT | st.just(10**400),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(ANY_TEXT, inner, max_size=4),
    max_leaves=20,
)


def read(message: Value) -> tuple[Any, list[Violation]]:
    faults: list[Violation] = []
    return value_from_proto(message, field="input", faults=faults), faults


def nested(levels: int, *, leaf: Any = 1) -> Any:
    value = leaf
    for level in range(levels):
        value = {"a": value} if level % 2 else [value]
    return value


def objects(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = {"a": value}
    return value


@given(VALUES)
def test_a_value_survives_the_wire(value: Any) -> None:
    wire = value_to_proto(value).SerializeToString()
    assert read(Value.FromString(wire)) == (value, [])


@given(ANY_JSON)
def test_writing_a_value_never_fails(value: Any) -> None:
    found, faults = read(Value.FromString(value_to_proto(value).SerializeToString()))
    json.dumps(found, allow_nan=False).encode()
    assert {fault.code for fault in faults} <= {"inexact-number", "nul"}


def test_whole_numbers_are_integers() -> None:
    value, _ = read(Value(number_value=7))
    assert (value, type(value)) == (7, int)


@pytest.mark.parametrize("number", [2.0**53, -(2.0**53), 1e300])
def test_numbers_that_a_double_cant_carry_exactly_are_refused(number: float) -> None:
    message = Value(struct_value=Struct(fields={"a/b": Value(number_value=number)}))
    _, [fault] = read(message)
    assert (fault.field, fault.pointer, fault.code) == ("input", "/a~1b", "inexact-number")
    assert "string" in fault.message


@pytest.mark.parametrize("number", [EXACT, -EXACT])
def test_the_largest_exact_numbers_pass(number: int) -> None:
    assert read(value_to_proto(number)) == (number, [])


@pytest.mark.parametrize("number", [nan, inf, -inf])
def test_what_is_no_number_is_refused(number: float) -> None:
    _, [fault] = read(Value(number_value=number))
    assert (fault.pointer, fault.code) == ("", "not-finite")


@pytest.mark.parametrize(
    ("value", "pointer"), [("\0", ""), ({"a/b": ["x\0"]}, "/a~1b/0"), ({"a": {"\0": 1}}, "/a")]
)
def test_the_character_nul_is_refused_at_its_place(value: Any, pointer: str) -> None:
    _, faults = read(value_to_proto(value))
    assert [(fault.pointer, fault.code) for fault in faults] == [(pointer, "nul")]


def test_a_value_of_no_kind_is_refused_at_its_place() -> None:
    message = value_to_proto([1, {"a": 2}])
    message.list_value.values[1].struct_value.fields["a"].ClearField("number_value")
    _, [fault] = read(message)
    assert (fault.pointer, fault.code) == ("/1/a", "no-kind")


def test_all_faults_are_named_at_once() -> None:
    message = value_to_proto([1, 2, "three"])
    message.list_value.values[0].number_value = nan
    message.list_value.values[1].number_value = 1e20
    _, faults = read(message)
    assert [fault.pointer for fault in faults] == ["/0", "/1"]


@pytest.mark.parametrize("item", [1, [], {}, {"": 1}, nested(MAX_DEPTH - 1, leaf="x")])
def test_whatever_fits_as_json_is_read(item: Any) -> None:
    value = [item] * ((MAX_JSON_BYTES - 2) // (json_size(item) + 2))
    assert json_size(value) <= MAX_JSON_BYTES
    assert read(value_to_proto(value)) == (value, [])


@pytest.mark.parametrize(
    "value",
    [
        [[]] * MAX_JSON_BYTES,
        [[{}] * 1000] * 300,
        [{"": 1}] * 150_000,
        [1] * MAX_JSON_BYTES,
        "x" * 4 * MAX_JSON_BYTES,
    ],
)
def test_a_value_that_is_much_too_large_isnt_read(value: Any) -> None:
    assert read(value_to_proto(value)) == (None, list(check_size("input", value)))


def test_only_the_first_hundred_faults_are_looked_for() -> None:
    _, faults = read(value_to_proto([1e20] * 1000))
    assert [fault.pointer for fault in faults] == [f"/{index}" for index in range(100)]


def test_values_of_32_levels_pass_and_deeper_ones_are_refused() -> None:
    assert read(value_to_proto(nested(MAX_DEPTH))) == (nested(MAX_DEPTH), [])
    message = value_to_proto(nested(MAX_DEPTH, leaf="here"))
    place = message
    while place.WhichOneof("kind") != "string_value":
        inner = place.list_value.values or place.struct_value.fields.values()
        [place] = inner
    place.list_value.SetInParent()
    _, [fault] = read(message)
    assert fault.code == "too-deep"


def test_what_lies_too_deep_is_written_as_its_json_text() -> None:
    value, faults = read(value_to_proto(nested(MAX_DEPTH, leaf={"é": [1, 2]})))
    assert (value, faults) == (nested(MAX_DEPTH, leaf='{"é":[1,2]}'), [])


def test_what_is_too_deep_for_json_too_is_written_as_a_note() -> None:
    value, faults = read(value_to_proto(nested(50_000)))
    assert faults == []
    assert "nested too deep" in json.dumps(value)


def test_the_deepest_value_can_be_read_wherever_it_is_sent() -> None:
    execution = execution_pb2.Execution(output=value_to_proto(objects(MAX_DEPTH)))
    answer = execution_pb2.ListExecutionsResponse(executions=[execution])
    assert execution_pb2.ListExecutionsResponse.FromString(answer.SerializeToString()) == answer


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (nan, None),
        (inf, float_info.max),
        (-(10**400), -float_info.max),
        (2**53 + 1, 2.0**53),
        ("\ud800x", "\ufffdx"),
        ({"\udc00": "é"}, {"\ufffd": "é"}),
        ([], []),
        ({}, {}),
    ],
)
def test_what_protobuf_cant_carry_is_written_as_near_as_can_be(value: Any, written: Any) -> None:
    message = value_to_proto(value)
    if isinstance(written, float):
        assert message.number_value == written
    else:
        assert read(message)[0] == written
