import json
from typing import Any

import pytest

from biz.dsl.validator import InvalidWorkflow, check, check_input, load_workflow
from tests.fixtures.workflows import DOCUMENT, Json, faults, workflow

TASK = {"t": {"set": {"x": 1}}}


def test_a_definition_without_faults() -> None:
    checked = check(json.dumps(workflow(TASK)))
    assert not checked.diagnostics
    assert not checked.errors
    assert (checked.document.namespace, checked.document.name) == ("test", "sample")
    assert checked.require() is checked.workflow


def test_every_fault_is_told_at_once() -> None:
    definition = {
        "document": {**DOCUMENT, "name": "a b", "version": "1", "owner": "me"},
        "input": {"from": ".a |", "schema": {"document": {"type": "text"}}},
        "do": [
            {"a": {"if": True, "set": {}, "then": "z"}},
            {"a": {"wait": "soon", "metadata": [], "timeout": "t"}},
            {
                "b": {
                    "do": [{"c": {"call": "http", "with": {"method": "get"}}}, {"d": {"fork": {}}}]
                }
            },
            {"e": 5},
            6,
        ],
        "output": {"as": "$output", "schemas": {}},
        "schedule": {},
    }
    assert sorted(faults(definition)) == sorted(
        [
            ("unknown-property", "/document/owner"),
            ("invalid-value", "/document/name"),
            ("invalid-value", "/document/version"),
            ("invalid-expression", "/input/from"),
            ("invalid-schema", "/input/schema/document"),
            ("wrong-type", "/do/0/a/if"),
            ("empty", "/do/0/a/set"),
            ("unknown-target", "/do/0/a/then"),
            ("duplicate-name", "/do/1"),
            ("invalid-duration", "/do/1/a/wait"),
            ("wrong-type", "/do/1/a/metadata"),
            ("unknown-reference", "/do/1/a/timeout"),
            ("missing-property", "/do/2/b/do/0/c/with"),
            ("missing-property", "/do/2/b/do/1/d/fork"),
            ("wrong-type", "/do/3/e"),
            ("wrong-type", "/do/4"),
            ("unavailable-variable", "/output/as"),
            ("unknown-property", "/output/schemas"),
            ("invalid-schedule", "/schedule"),
        ]
    )


def test_a_text_without_a_value_has_no_place() -> None:
    assert {(d.line, d.column) for d in check("# nothing").diagnostics} == {(0, 0)}


@pytest.mark.parametrize("value", [None, [], "text", 5, True])
def test_a_definition_is_an_object(value: Any) -> None:
    assert faults(value)[0] == ("wrong-type", "")


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"dsl": "1.0.0"}, []),
        ({"dsl": "1.0.0-alpha5"}, []),
        ({"dsl": "1.0.99+build"}, []),
        ({"dsl": "1.1.0"}, [("unsupported-version", "/document/dsl")]),
        ({"dsl": "0.10.0"}, [("unsupported-version", "/document/dsl")]),
        ({"dsl": "1.0"}, [("invalid-value", "/document/dsl")]),
        ({"dsl": "1.0.0 "}, [("invalid-value", "/document/dsl")]),
        ({"dsl": ""}, [("invalid-value", "/document/dsl")]),
        ({"dsl": 1}, [("wrong-type", "/document/dsl")]),
        ({"version": "1.2.3-rc.1+5"}, []),
        ({"version": "01.2.3"}, [("invalid-value", "/document/version")]),
        ({"version": "1.2.\u0663"}, [("invalid-value", "/document/version")]),
        ({"version": 1.0}, [("wrong-type", "/document/version")]),
        ({"name": "a" * 63}, []),
        ({"name": "a" * 64}, [("invalid-value", "/document/name")]),
        ({"name": "-a"}, [("invalid-value", "/document/name")]),
        ({"name": "a_b"}, [("invalid-value", "/document/name")]),
        ({"name": "a\n"}, [("invalid-value", "/document/name")]),
        ({"name": ""}, [("invalid-value", "/document/name")]),
        ({"namespace": "A-1"}, []),
        ({"namespace": None}, [("wrong-type", "/document/namespace")]),
        ({"title": "T", "summary": "S", "tags": {"a": 1}, "metadata": {"b": []}}, []),
        ({"title": 1}, [("wrong-type", "/document/title")]),
        ({"summary": []}, [("wrong-type", "/document/summary")]),
        ({"tags": []}, [("wrong-type", "/document/tags")]),
        ({"metadata": "x"}, [("wrong-type", "/document/metadata")]),
    ],
)
def test_a_document(changes: Json, found: list[tuple[str, str]]) -> None:
    assert faults({"document": {**DOCUMENT, **changes}, "do": []}) == found


@pytest.mark.parametrize("missing", ["dsl", "namespace", "name", "version"])
def test_what_a_document_needs(missing: str) -> None:
    document = {key: value for key, value in DOCUMENT.items() if key != missing}
    assert faults({"document": document, "do": []}) == [("missing-property", "/document")]


@pytest.mark.parametrize(
    ("properties", "found"),
    [
        ({"evaluate": {}}, []),
        ({"evaluate": {"language": "jq", "mode": "strict"}}, []),
        ({"evaluate": {"language": "js"}}, [("unsupported-property", "/evaluate/language")]),
        ({"evaluate": {"language": ""}}, [("unsupported-property", "/evaluate/language")]),
        ({"evaluate": {"language": 1}}, [("wrong-type", "/evaluate/language")]),
        ({"evaluate": {"mode": "loose"}}, []),
        ({"evaluate": {"mode": "wild"}}, [("invalid-value", "/evaluate/mode")]),
        ({"evaluate": {"modes": "strict"}}, [("unknown-property", "/evaluate/modes")]),
        ({"use": {}}, []),
        ({"use": {"authentications": {}}}, []),
        ({"use": {"authentications": []}}, [("wrong-type", "/use/authentications")]),
        ({"use": {"auth": {}}}, [("unknown-property", "/use/auth")]),
        *(
            found
            for name in ("catalogs", "errors", "retries", "timeouts")
            for found in (
                ({"use": {name: {}}}, []),
                ({"use": {name: []}}, [("wrong-type", f"/use/{name}")]),
                ({"use": {name: {"x": 1}}}, [("wrong-type", f"/use/{name}/x")]),
            )
        ),
        ({"timeout": "t"}, [("unknown-reference", "/timeout")]),
        ({"timeout": 5}, [("wrong-type", "/timeout")]),
        ({"timeout": {"after": "PT1S"}}, []),
        ({"timeout": {"after": {"seconds": "1"}}}, [("invalid-duration", "/timeout/after")]),
        (
            {"timeout": {"seconds": 1}},
            [("missing-property", "/timeout"), ("unknown-property", "/timeout/seconds")],
        ),
        ({"inputs": {}}, [("ignored-property", "/inputs")]),
        ({"input": {"as": "."}}, [("unknown-property", "/input/as")]),
        ({"output": {"from": "."}}, [("unknown-property", "/output/from")]),
        ({"input": {"from": 1}}, [("wrong-type", "/input/from")]),
        ({"input": {"from": ["."]}}, [("wrong-type", "/input/from")]),
        ({"input": "."}, [("wrong-type", "/input")]),
        ({"input": {"schema": {}}}, [("missing-property", "/input/schema")]),
        ({"input": {"schema": {"format": "json:2020-12", "document": {}}}}, []),
        (
            {"input": {"schema": {"format": "avro", "document": {}}}},
            [("unsupported-property", "/input/schema/format")],
        ),
        (
            {"input": {"schema": {"format": 1, "document": {}}}},
            [("wrong-type", "/input/schema/format")],
        ),
        (
            {"input": {"schema": {"document": "text"}}},
            [("invalid-schema", "/input/schema/document")],
        ),
    ],
)
def test_properties_of_a_workflow(properties: Json, found: list[tuple[str, str]]) -> None:
    assert faults(workflow(**properties)) == found


@pytest.mark.parametrize(
    ("task", "found"),
    [
        ({"set": {"x": 1}, "metadata": {"a": 1}}, []),
        ({"set": {"x": 1}, "if": ""}, [("invalid-expression", "/if")]),
        ({"set": {"x": 1}, "then": 5}, [("wrong-type", "/then")]),
        ({"set": {"x": 1}, "export": {"as": 1}}, [("wrong-type", "/export/as")]),
        ({"set": {"x": 1}, "export": {"schema": 1}}, [("wrong-type", "/export/schema")]),
        ({"set": {"x": 1}, "input": {"form": "."}}, [("unknown-property", "/input/form")]),
        ({"set": {"x": 1}, "timeout": {"after": "PT1S"}}, []),
        ({"set": {"x": 1}, "timeout": {"after": "soon"}}, [("invalid-duration", "/timeout/after")]),
        ({"set": {"x": 1}, "timeout": {}}, [("missing-property", "/timeout")]),
        ({"set": {"x": 1}, "timeout": "t"}, [("unknown-reference", "/timeout")]),
        ({"set": {"x": 1}, "wait": "PT1S"}, [("unknown-property", "/wait")]),
        ({"set": {"x": 1}, "emit": {}}, [("unknown-property", "/emit")]),
        ({}, [("unknown-task", "")]),
        ({"sett": {}}, [("unknown-task", "")]),
        ([], [("wrong-type", "")]),
        (None, [("wrong-type", "")]),
    ],
)
def test_properties_of_a_task(task: Any, found: list[tuple[str, str]]) -> None:
    expected = [(code, f"/do/0/t{pointer}") for code, pointer in found]
    assert faults(workflow({"t": task})) == expected


@pytest.mark.parametrize(
    ("do", "found"),
    [
        (None, [("wrong-type", "/do")]),
        ({}, [("wrong-type", "/do")]),
        ([{}], [("invalid-value", "/do/0")]),
        ([{**TASK, "u": {"do": []}}], [("invalid-value", "/do/0")]),
        ([[TASK]], [("wrong-type", "/do/0")]),
        ([TASK, TASK], [("duplicate-name", "/do/1")]),
        ([TASK, {"u": {"do": [TASK]}}], []),
        ([{"a/b~c": {"set": {}}}], [("empty", "/do/0/a~1b~0c/set")]),
        ([{"": {"set": {}}}], [("empty", "/do/0//set")]),
        ([{"😀": {"set": {}}}], [("empty", "/do/0/😀/set")]),
    ],
)
def test_a_list_of_tasks(do: Any, found: list[tuple[str, str]]) -> None:
    assert faults({"document": DOCUMENT, "do": do}) == found


def test_a_misspelt_property_is_told_with_the_right_one() -> None:
    [found] = check(json.dumps(workflow({"t": {"set": {"x": 1}, "outptu": {}}}))).diagnostics
    assert found.message == '"outptu" isn\'t known here; did you mean "output"?'


def test_a_diagnostic_of_what_is_missing_stands_where_it_is_missing() -> None:
    text = json.dumps({"document": DOCUMENT}, indent=1)
    [found] = check(text).diagnostics
    assert (found.code, found.pointer, found.line, found.column) == ("missing-property", "", 1, 1)


def test_an_invalid_workflow_isnt_given() -> None:
    checked = check(json.dumps(workflow({"t": {"set": {}}})))
    assert checked.workflow is None
    with pytest.raises(InvalidWorkflow, match="/do/0/t/set: must set at least one") as raised:
        checked.require()
    assert raised.value.diagnostics == checked.errors


def test_a_stored_definition_is_parsed_once() -> None:
    text = json.dumps(workflow(TASK))
    assert load_workflow(text) is load_workflow(text)


@pytest.mark.parametrize("text", ["{", json.dumps(workflow({"t": {"emit": {}}}))])
def test_a_stored_definition_that_isnt_valid_anymore(text: str) -> None:
    with pytest.raises(InvalidWorkflow):
        load_workflow(text)


def test_an_input_is_checked_by_the_workflows_schema() -> None:
    schema = {"schema": {"document": {"properties": {"a": {"type": "string"}}}}}
    text = json.dumps(workflow(input=schema))
    assert [fault.pointer for fault in check_input(text, {"a": 1})] == ["/a"]
    assert not check_input(text, {"a": "x"})
    assert not check_input(json.dumps(workflow()), 5)
