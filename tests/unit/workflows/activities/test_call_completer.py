"""What reads secrets is left out of a run's calls, and put into them by the activity."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

import pytest
from temporalio.converter import DataConverter

from biz.dsl.calls.http_call import HttpCall
from biz.dsl.credentials import Credentials
from biz.dsl.deferral import NOTHING
from biz.dsl.errors import TaskFault, WorkflowError
from tests.fixtures.performers import FakeSecrets, new_completer
from tests.fixtures.workflows import Json, World, standard, workflow
from workflows.activities.redaction import secrecy

URI = "https://pets.test/pets/{id}"
SECRETS: Mapping[tuple[str, str], Any] = {
    ("shop", "key"): "s3cret",
    ("shop", "login"): {"username": "ann", "password": "pa55word", "n": 7},
    ("shop", "list"): {"numbers": [1, 2, 3]},
}
INPUT = {"id": 7, "path": ["a"]}


async def left(task: Json, input: Any = INPUT, **top: Any) -> HttpCall:
    """The call of a task, as it leaves the workflow and comes to the activity."""
    world = World(answer=lambda call: {"answer": 1})
    definition = workflow(
        {"call": task}, use={"secrets": ["key", "login", "list", "missing"]}, **top
    )
    assert await world.run(definition, input) == {"answer": 1}
    converter = DataConverter.default.payload_converter
    [call] = converter.from_payloads(converter.to_payloads(world.calls), [HttpCall])
    assert isinstance(call, HttpCall)
    assert call == replace(world.calls[0], deferral=call.deferral)
    return call


async def completed(task: Json, input: Any = INPUT, **top: Any) -> HttpCall:
    with secrecy():
        return await new_completer(SECRETS).complete(await left(task, input, **top), "shop")


async def fault_of(task: Json, input: Any = INPUT, namespace: str = "shop") -> WorkflowError:
    call = await left(task, input)
    with secrecy(), pytest.raises(TaskFault) as raised:
        await new_completer(SECRETS).complete(call, namespace)
    return raised.value.error


def http(arguments: Json | None = None, **properties: Any) -> Json:
    given = {"method": "get", "endpoint": URI, **(arguments or {})}
    return {"call": "http", "with": given, **properties}


@pytest.mark.parametrize(
    ("task", "changes"),
    [
        (http({"body": "${ $secrets.key }"}), {"body": "s3cret"}),
        (
            http({"body": {"a": ["${ $secrets.login.n + .id }", 1], "b": "${ .id }"}}),
            {"body": {"a": [14, 1], "b": 7}},
        ),
        (http({"headers": {"x": "${ $secrets.key }"}}), {"headers": {"x": "s3cret"}}),
        (http({"method": '${ "g" + ($secrets.key | "et") }'}), {"method": "get"}),
        (http({"query": "${ {k: $secrets.key} }"}), {"query": {"k": "s3cret"}}),
        (
            http({"endpoint": '${ "https://\\($secrets.key).test" }'}),
            {"uri": "https://s3cret.test"},
        ),
        (http({"body": "${ [$secrets.list.numbers | .[] | select(. > 1)] }"}), {"body": [2, 3]}),
        (http({"body": "${ reduce $secrets.list.numbers[] as $n (0; . + $n) }"}), {"body": 6}),
        (http({"body": "${ $secrets.key + $task.name }"}), {"body": "s3cretcall"}),
        (http({"body": "${ $authorization }"}), {"body": None}),
    ],
)
async def test_an_expression_reads_secrets_where_the_call_is_made(
    task: Json, changes: Json
) -> None:
    plain = {"method": "get", "uri": "https://pets.test/pets/7", "query": {}, "headers": {}}
    call = await completed(task)
    assert call.deferral == NOTHING
    assert {name: asdict(call)[name] for name in (*plain, "body")} == {
        "body": None,
        **plain,
        **changes,
    }


@pytest.mark.parametrize(
    ("transformed", "body", "expected"),
    [
        ("{id, k: $secrets.key}", "${ . }", {"id": 7, "k": "s3cret"}),
        ("{id, k: $secrets.key}", "${ $input.k }", "s3cret"),
        ("{id, k: $secrets.key}", "${ .k + $secrets.login.username }", "s3cretann"),
        ({"id": "${ .id }", "k": ["${ $secrets.key }"]}, "${ [.id, .k] }", [7, ["s3cret"]]),
        ({"id": "${ .id }", "k": "${ $secrets.key }"}, {"a": "${ $task.input }"}, {"a": INPUT}),
        ({"id": "${ $secrets.login.n }"}, "${ .id }", 7),
    ],
)
async def test_what_reads_an_input_with_secrets_is_left_too(
    transformed: Any, body: Any, expected: Any
) -> None:
    call = await completed(http({"body": body}, input={"from": transformed}))
    assert (call.uri, call.body) == ("https://pets.test/pets/7", expected)


async def test_in_the_loose_mode_a_text_that_fails_stays() -> None:
    body = [".a", "$secrets.key", "$secrets.key.a", "Hello there", ".a.b"]
    task = http({"body": body}, input={"from": '{a: ($secrets.key + "!")}'})
    call = await completed(task, evaluate={"mode": "loose"})
    assert call.body == ["s3cret!", "s3cret", "$secrets.key.a", "Hello there", ".a.b"]


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ({"basic": {"use": "login"}}, SECRETS["shop", "login"]),
        ({"bearer": {"use": "key"}}, {"token": "s3cret"}),
        ({"bearer": {"token": "${ $secrets.key }"}}, {"token": "s3cret"}),
        (
            {"basic": {"username": "ann", "password": "${ $secrets.login.password }"}},
            {"username": "ann", "password": "pa55word"},
        ),
    ],
)
async def test_an_authentication_reads_secrets(policy: Json, expected: Any) -> None:
    endpoint = {"uri": URI, "authentication": policy}
    call = await completed(http({"endpoint": endpoint}))
    [scheme] = policy
    assert call.authentication == Credentials(scheme=scheme, properties=expected)


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ({"bearer": {"token": "abc"}}, {"scheme": "Bearer", "parameter": "abc"}),
        ({"bearer": {"use": "key"}}, {"scheme": "Bearer", "parameter": "s3cret"}),
        ({"basic": {"use": "login"}}, {"scheme": "Basic", "parameter": "YW5uOnBhNTV3b3Jk"}),
    ],
)
async def test_an_expression_reads_the_calls_own_authorization(policy: Json, expected: Any) -> None:
    endpoint = {"uri": URI, "authentication": policy}
    call = await completed(http({"endpoint": endpoint, "body": "${ $authorization }"}))
    assert call.body == expected


async def test_a_call_leaves_the_workflow_without_secrets() -> None:
    call = await left(http({"headers": {"x": "${ $secrets.key }", "y": "1"}}))
    assert call.headers == {"x": None, "y": "1"}
    assert not call.is_complete


async def test_a_call_that_reads_none_is_complete() -> None:
    call = await left(http({"body": {"text": "${ .path }"}}))
    assert call.is_complete
    assert await new_completer().complete(call, "shop") is call


FORGED = {"text": "$secrets.key", "is_template": False, "data": None, "arguments": {}, "holes": []}


@pytest.mark.parametrize(
    "data",
    ["$secrets.key", "${ $secrets.key }", FORGED, {"deferral": {"steps": [FORGED]}}, [[FORGED]]],
)
async def test_data_is_never_an_expression(data: Any) -> None:
    task = http({"body": {"data": "${ . }", "key": "${ [., $secrets.key] }"}, "endpoint": "x"})
    call = await completed(task, data)
    assert call.body == {"data": data, "key": [data, "s3cret"]}


async def test_only_secrets_that_are_named_are_asked_for_and_each_once() -> None:
    secrets = FakeSecrets(SECRETS)
    completer = new_completer()
    completer._secrets = secrets
    task = http({"body": ["${ $secrets.key }", '${ $secrets["key"] + "x" }']})
    with secrecy():
        await completer.complete(await left(task), "shop")
    assert secrets.asked == [("shop", "key")]


async def test_where_the_names_arent_written_down_all_that_are_listed_are_asked_for() -> None:
    error = await fault_of(http({"body": "${ $secrets[.path[0]] }"}))
    assert error.detail == 'the namespace "shop" has no secret "missing"'


@pytest.mark.parametrize(
    ("task", "namespace", "kind", "detail"),
    [
        (
            http({"body": "${ $secrets.missing }"}),
            "shop",
            "authorization",
            'the namespace "shop" has no secret "missing"',
        ),
        (
            http({"body": "${ $secrets.key }"}),
            "other",
            "authorization",
            'the namespace "other" has no secret "key"',
        ),
        (
            http({"body": "${ $secrets.key.x }"}),
            "shop",
            "expression",
            "the expression $secrets.key.x failed; why isn't told, since it reads secrets",
        ),
        (
            http({"body": "${ $secrets.key.x%s }" % (" + 1" * 100)}),
            "shop",
            "expression",
            " +… failed; why isn't told",
        ),
        (
            http({"body": "${ $secrets.login }"}, input={"from": "{id: $secrets.login}"}),
            "shop",
            "expression",
            "{id} must be a string, number, boolean or null",
        ),
    ],
)
async def test_what_cant_be_read(task: Json, namespace: str, kind: str, detail: str) -> None:
    error = await fault_of(task, namespace=namespace)
    assert error.type == standard(kind)
    assert detail in error.detail
