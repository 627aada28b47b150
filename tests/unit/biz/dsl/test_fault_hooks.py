"""`onFault` in the document's metadata: what it holds, and what is refused."""

import json
from typing import Any

import pytest

from biz.dsl.fault_hooks import MAX_HOOKS, HttpHook, WorkflowHook
from biz.dsl.validator import check, load_workflow
from tests.fixtures.workflows import DOCUMENT, Json, faults, workflow

ADDRESS = "https://alerts.example.com/faults?team=shop"


def with_hooks(hooks: Any) -> Json:
    return workflow(document={**DOCUMENT, "metadata": {"onFault": hooks}})


def http(endpoint: Any) -> Json:
    return {"http": {"endpoint": endpoint}}


def test_hooks_are_read_in_their_order() -> None:
    text = json.dumps(
        with_hooks(
            [
                http(ADDRESS),
                {"workflow": {"name": "call someone"}},
                {"workflow": {"name": "tell", "namespace": "ops", "version": "prod"}},
            ]
        )
    )
    assert check(text).diagnostics == ()
    assert load_workflow(text).on_fault == [
        HttpHook(endpoint=ADDRESS),
        WorkflowHook(name="call someone"),
        WorkflowHook(name="tell", namespace="ops", version="prod"),
    ]


@pytest.mark.parametrize(
    "definition",
    [workflow(), workflow(document={**DOCUMENT, "metadata": {"owner": "me"}}), with_hooks([])],
)
def test_a_workflow_without_hooks_has_none(definition: Json) -> None:
    assert list(check(json.dumps(definition)).require().on_fault) == []


def test_other_metadata_than_an_object_are_told_of_once() -> None:
    assert faults(workflow(document={**DOCUMENT, "metadata": "onFault"})) == [
        ("wrong-type", "/document/metadata")
    ]


@pytest.mark.parametrize("count", [MAX_HOOKS, MAX_HOOKS + 1])
def test_there_are_so_many_hooks_at_most(count: int) -> None:
    found = [("invalid-hook", "/document/metadata/onFault")] if count > MAX_HOOKS else []
    assert faults(with_hooks([http(ADDRESS)] * count)) == found


@pytest.mark.parametrize(
    ("hooks", "pointer"),
    [
        ({}, ""),
        (None, ""),
        (ADDRESS, ""),
        ([ADDRESS], "/0"),
        ([None], "/0"),
        ([{}], "/0"),
        ([http(ADDRESS), {**http(ADDRESS), "workflow": {"name": "a"}}], "/1"),
        ([{"workflow": "a"}], "/0/workflow"),
        ([{"workflow": {}}], "/0/workflow"),
        ([{"workflow": {"name": ""}}], "/0/workflow/name"),
        ([{"workflow": {"name": "a" * 256}}], "/0/workflow/name"),
        ([{"workflow": {"name": "a", "version": 1}}], "/0/workflow/version"),
        ([{"workflow": {"name": "a", "namespace": []}}], "/0/workflow/namespace"),
        ([{"workflow": {"name": "a", "input": {}}}], "/0/workflow/input"),
        ([{"http": ADDRESS}], "/0/http"),
        ([{"http": {}}], "/0/http"),
        ([{"http": {"endpoint": ADDRESS, "method": "put"}}], "/0/http/method"),
        ([http({"uri": ADDRESS})], "/0/http/endpoint"),
        ([http("${ .alerts }")], "/0/http/endpoint"),
        ([http("https://example.com/{team}")], "/0/http/endpoint"),
        ([http("https://example.com/a b")], "/0/http/endpoint"),
        ([http("example.com/faults")], "/0/http/endpoint"),
        ([http("ftp://example.com/faults")], "/0/http/endpoint"),
        ([http("https:///faults")], "/0/http/endpoint"),
        ([http("https://example.com:port/")], "/0/http/endpoint"),
        ([http("https://[::1/")], "/0/http/endpoint"),
        ([http("http://\u0000")], "/0/http/endpoint"),
        ([http("http://%zz/")], "/0/http/endpoint"),
        ([http("http://\u2488com/")], "/0/http/endpoint"),
        ([http("")], "/0/http/endpoint"),
        ([http(f"https://example.com/{'a' * 2_000}")], "/0/http/endpoint"),
    ],
)
def test_a_hook_is_refused(hooks: Any, pointer: str) -> None:
    expected = [("invalid-hook", f"/document/metadata/onFault{pointer}")]
    assert faults(with_hooks(hooks)) == expected


def test_an_unknown_word_is_told_with_those_that_are_known() -> None:
    [missing, unknown] = check(json.dumps(with_hooks([{"webhook": {}}]))).diagnostics
    assert (unknown.pointer, missing.pointer) == (
        "/document/metadata/onFault/0/webhook",
        "/document/metadata/onFault/0",
    )
    assert unknown.message == "isn't known here; known are workflow, http"
    assert missing.message == 'must have either "workflow" or "http"'
