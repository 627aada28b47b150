from typing import Any

import pytest

from biz.dsl.errors import TaskFault, WorkflowError
from tests.fixtures.workflows import Json, World, fault_of, faults, output_of, standard, workflow

TYPE = "https://x.test/errors/bad"
ERROR = {"type": TYPE, "status": 418, "title": "Bad", "detail": "It is bad"}
FAIL: Json = {"fail": {"raise": {"error": ERROR}}}
CALL: Json = {"ask": {"call": "http", "with": {"method": "get", "endpoint": "https://x.test"}}}
SHOW: Json = {"show": {"set": "${ $error }"}}
CAUGHT = {**ERROR, "instance": "/do/0/t/try/0/fail"}


def trying(*tasks: Json, **catch: Any) -> Json:
    return workflow({"t": {"try": list(tasks), "catch": catch}})


async def test_without_an_error_its_output_is_that_of_its_tasks() -> None:
    definition = trying({"a": {"set": "${ .n + 1 }"}}, {"b": {"set": "${ . * 2 }"}}, do=[SHOW])
    assert await output_of(definition, {"n": 1}) == 4


async def test_an_error_goes_to_the_tasks_that_handle_it() -> None:
    assert await output_of(trying(FAIL, do=[SHOW])) == CAUGHT


async def test_those_that_handle_it_get_the_tasks_input() -> None:
    definition = trying({"a": {"set": "1"}}, FAIL, do=[{"b": {"set": "${ [.] }"}}])
    assert await output_of(definition, 7) == [7]


async def test_an_error_that_nobody_handles_leaves_the_input() -> None:
    assert await output_of(trying(FAIL), 7) == 7


async def test_an_error_of_deep_within_is_caught_with_its_place() -> None:
    nested = {"group": {"do": [{"each": {"for": {"in": "[1]"}, "do": [FAIL]}}]}}
    caught = await output_of(trying(nested, do=[SHOW]))
    assert caught["instance"] == "/do/0/t/try/0/group/do/0/each/do/0/fail"


async def test_the_error_may_have_another_name() -> None:
    definition = trying(FAIL, **{"as": "oops"}, do=[{"show": {"set": "${ $oops.status }"}}])
    assert await output_of(definition) == 418


async def test_the_innermost_try_that_catches_it_handles_it() -> None:
    inner = {"in": {"try": [FAIL], "catch": {"errors": {"with": {"status": 500}}}}}
    caught = await output_of(trying(inner, do=[SHOW]))
    assert caught["instance"] == "/do/0/t/try/0/in/try/0/fail"
    inner["in"]["catch"] = {"do": [{"x": {"set": "1"}}]}
    assert await output_of(trying(inner, do=[SHOW])) == 1


async def test_an_error_while_it_is_handled_faults() -> None:
    error = await fault_of(trying(FAIL, do=[FAIL]))
    assert error.instance == "/do/0/t/catch/do/0/fail"


async def test_an_error_of_an_outer_try_stays_visible_in_an_inner_one() -> None:
    inner = {"in": {"try": [FAIL], "catch": {"as": "other", "do": [
        {"show": {"set": "${ [$error.instance, $other.instance] }"}}]}}}  # fmt: skip
    assert await output_of(trying(FAIL, do=[inner])) == [
        "/do/0/t/try/0/fail",
        "/do/0/t/catch/do/0/in/try/0/fail",
    ]


@pytest.mark.parametrize(
    "errors",
    [
        {},
        {"with": {"type": TYPE}},
        {"with": {"status": 418}},
        {"with": {"status": 418.0}},
        {"with": {"title": "Bad"}},
        {"with": {"detail": "It is bad"}},
        {"with": {"instance": "/do/0/t/try/0/fail"}},
        {"with": {"type": TYPE, "status": 418, "title": "Bad"}},
    ],
)
async def test_an_error_that_the_filter_matches_is_caught(errors: Json) -> None:
    assert await output_of(trying(FAIL, errors=errors, do=[SHOW])) == CAUGHT


@pytest.mark.parametrize(
    "errors",
    [
        {"with": {"type": f"{TYPE}s"}},
        {"with": {"type": "bad"}},
        {"with": {"status": 419}},
        {"with": {"title": "bad"}},
        {"with": {"detail": ""}},
        {"with": {"instance": "/do/0/t"}},
        {"with": {"type": TYPE, "status": 500}},
    ],
)
async def test_an_error_that_the_filter_doesnt_match_faults(errors: Json) -> None:
    assert (await fault_of(trying(FAIL, errors=errors, do=[SHOW]))).to_json() == CAUGHT


@pytest.mark.parametrize(
    "base",
    [
        "https://open-workflow-specification.org/spec/1.0.0/errors/",
        "https://open-workflow-specification.org/dsl/errors/types/",
        "https://serverlessworkflow.io/spec/1.0.0/errors/",
        "https://serverlessworkflow.io/dsl/errors/types/",
    ],
)
async def test_a_standard_error_is_caught_by_its_name_in_each_generation(base: str) -> None:
    late = {"late": {"wait": "PT2S", "timeout": {"after": "PT1S"}}}
    definition = trying(late, errors={"with": {"type": f"{base}timeout"}}, do=[SHOW])
    assert (await output_of(definition))["type"] == standard("timeout")
    await fault_of(trying(late, errors={"with": {"type": f"{base}runtime"}}))
    raised = {"fail": {"raise": {"error": {"type": f"{base}timeout", "status": 408}}}}
    assert await output_of(trying(raised, errors={"with": {"type": standard("timeout")}}), 7) == 7


@pytest.mark.parametrize("type", ["timeout", "https://x.test/spec/1.0.0/errors/timeout"])
async def test_another_error_of_the_same_last_name_isnt_a_standard_one(type: str) -> None:
    raised = {"fail": {"raise": {"error": {"type": type, "status": 408}}}}
    filter = {"with": {"type": standard("timeout")}}
    assert (await fault_of(trying(raised, errors=filter))).type == type


@pytest.mark.parametrize(
    ("catch", "is_caught"),
    [
        ({"when": "$error.status == 418"}, True),
        ({"when": "${ $error.status == 418 }"}, True),
        ({"when": ".catch"}, True),
        ({"when": "$error.status == 500"}, False),
        ({"when": "null"}, False),
        ({"exceptWhen": "$error.status == 500"}, True),
        ({"exceptWhen": "$error.status == 418"}, False),
        ({"when": "true", "exceptWhen": "true"}, False),
        ({"when": "false", "exceptWhen": "false"}, False),
        ({"errors": {"with": {"status": 500}}, "when": "true"}, False),
        ({"as": "e", "when": "$e.title == $input.title"}, True),
    ],
)
async def test_a_condition_says_whether_it_is_caught(catch: Json, is_caught: bool) -> None:
    input = {"catch": True, "title": "Bad"}
    if is_caught:
        assert await output_of(trying(FAIL, **catch), input) == input
    else:
        assert (await fault_of(trying(FAIL, **catch), input)).to_json() == CAUGHT


@pytest.mark.parametrize("name", ["when", "exceptWhen"])
async def test_a_condition_that_fails_faults_the_task(name: str) -> None:
    error = await fault_of(trying(FAIL, **{name: "error"}))
    assert (error.type, error.instance) == (standard("expression"), "/do/0/t")


@pytest.mark.parametrize(
    ("catch", "then", "output"),
    [
        ({}, {}, ["next", "last"]),
        ({}, {"then": "last"}, ["last"]),
        ({"then": "last"}, {}, ["last"]),
        ({"then": "last"}, {"then": "end"}, ["last"]),
        ({"then": "end"}, {}, []),
        ({"then": "exit"}, {}, []),
        ({"then": "continue"}, {"then": "last"}, ["next", "last"]),
        ({"then": "last", "do": [{"x": {"set": "."}}]}, {}, ["last"]),
        ({"then": "last", "do": []}, {}, ["last"]),
        ({"then": "last", "do": [{"x": {"set": "[]", "then": "end"}}]}, {}, []),
        ({"then": "last", "do": [{"x": {"set": "[]", "then": "exit"}}]}, {}, ["last"]),
    ],
)
async def test_where_it_goes_after_an_error(catch: Json, then: Json, output: Any) -> None:
    definition = trying(FAIL, **catch)
    definition["do"][0]["t"].update(then)
    for name in ("next", "last"):
        definition["do"].append({name: {"set": f'${{ . + ["{name}"] }}'}})
    assert await output_of(definition, []) == output


async def test_the_way_after_an_error_isnt_taken_without_one() -> None:
    definition = trying({"x": {"set": "1"}}, then="end")
    definition["do"].append({"next": {"set": "${ . + 1 }"}})
    assert await output_of(definition) == 2


async def test_a_task_in_it_can_end_the_workflow() -> None:
    definition = trying({"x": {"set": "1", "then": "end"}}, FAIL)
    definition["do"].append(FAIL)
    assert await output_of(definition) == 1


async def test_what_it_exported_before_the_error_stays() -> None:
    export = {"set": "1", "export": {"as": "{seen: .}"}}
    definition = trying({"x": export}, FAIL, do=[{"show": {"set": "${ $context }"}}])
    assert await output_of(definition) == {"seen": 1}


async def test_its_output_is_transformed_after_an_error_too() -> None:
    definition = trying(FAIL, do=[SHOW])
    definition["do"][0]["t"]["output"] = {"as": ".status"}
    assert await output_of(definition) == 418


@pytest.mark.parametrize("part", ["input", "output", "export"])
async def test_its_own_data_flow_isnt_caught(part: str) -> None:
    definition = trying({"x": {"set": "1"}}, do=[SHOW])
    definition["do"][0]["t"][part] = {"schema": {"document": {"type": "null"}}}
    error = await fault_of(definition)
    assert (error.type, error.instance) == (standard("validation"), "/do/0/t")


async def test_what_a_service_answers_is_caught() -> None:
    def answer(call: Any) -> Any:
        raise TaskFault(WorkflowError.standard("communication", "no", status=503))

    filter = {"with": {"status": 503, "type": standard("communication")}}
    definition = trying(CALL, errors=filter, do=[SHOW])
    caught = await World(answer=answer).run(definition, {})
    assert caught["instance"] == "/do/0/t/try/0/ask"


async def test_an_error_without_a_type_is_no_trouble() -> None:
    nameless = {"fail": {"raise": {"error": {"type": '${ "" }', "status": 400}}}}
    assert await output_of(trying(nameless, errors={"with": {"status": 400}}), 7) == 7
    assert (await fault_of(trying(nameless, errors={"with": {"type": TYPE}}))).type == ""


@pytest.mark.parametrize(
    ("task", "code", "pointer"),
    [
        ({"try": []}, "missing-property", ""),
        ({"try": None, "catch": {}}, "wrong-type", "/try"),
        ({"try": {"a": {"set": "1"}}, "catch": {}}, "wrong-type", "/try"),
        ({"try": [], "catch": None}, "wrong-type", "/catch"),
        ({"try": [], "catch": {"error": {}}}, "unknown-property", "/catch/error"),
        ({"try": [], "catch": {"errors": 5}}, "wrong-type", "/catch/errors"),
        ({"try": [], "catch": {"errors": {"status": 5}}}, "ignored-property",
         "/catch/errors/status"),
        ({"try": [], "catch": {"errors": {"with": {}}}}, "empty", "/catch/errors/with"),
        ({"try": [], "catch": {"errors": {"with": {"status": "5"}}}}, "wrong-type",
         "/catch/errors/with/status"),
        ({"try": [], "catch": {"errors": {"with": {"type": 5}}}}, "wrong-type",
         "/catch/errors/with/type"),
        ({"try": [], "catch": {"as": "a-b"}}, "invalid-variable", "/catch/as"),
        ({"try": [], "catch": {"as": 5}}, "wrong-type", "/catch/as"),
        ({"try": [], "catch": {"when": "$err"}}, "unavailable-variable", "/catch/when"),
        ({"try": [], "catch": {"as": "e", "when": "$error"}}, "unavailable-variable",
         "/catch/when"),
        ({"try": [], "catch": {"exceptWhen": "|"}}, "invalid-expression", "/catch/exceptWhen"),
        ({"try": [], "catch": {"do": {}}}, "wrong-type", "/catch/do"),
        ({"try": [{"x": {"set": "$error"}}], "catch": {}}, "unavailable-variable",
         "/try/0/x/set"),
        ({"try": [], "catch": {"then": "nowhere"}}, "unknown-target", "/catch/then"),
        ({"try": [], "catch": {"retry": "nobody"}}, "unknown-reference", "/catch/retry"),
    ],
)  # fmt: skip
def test_what_is_no_try(task: Json, code: str, pointer: str) -> None:
    assert faults(workflow({"t": task})) == [(code, f"/do/0/t{pointer}")]
