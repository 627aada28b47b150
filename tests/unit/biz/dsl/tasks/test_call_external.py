"""Calls of functions that are elsewhere: by URI, or in a catalog."""

from collections.abc import Mapping
from typing import Any

import pytest

from biz.dsl.calls.call import Call
from biz.dsl.calls.fetch_call import FetchCall, Purpose
from biz.dsl.calls.resource import Resource
from biz.dsl.errors import TaskFault, WorkflowError
from tests.fixtures.workflows import Json, World, faults, standard, workflow

URI = "https://f.test/functions/log/1.0.0/function.yaml"
CATALOG = {"endpoint": "https://f.test"}
ECHO = {"set": {"got": "${ . }", "task": "${ $task | [.name, .reference] }"}}


class Documents:
    """A world in which there are these documents, and any other call is answered with its URI."""

    def __init__(self, documents: Mapping[str, Any]) -> None:
        self._documents = documents
        self.fetched: list[FetchCall] = []
        self.keys: list[str] = []

    async def run(self, definition: Json, input: Any = None) -> Any:
        return await World(answer=self._answer).run(definition, {} if input is None else input)

    async def fault(self, definition: Json, input: Any = None) -> WorkflowError:
        with pytest.raises(TaskFault) as raised:
            await self.run(definition, input)
        return raised.value.error

    def _answer(self, call: Call) -> Any:
        self.keys.append(call.idempotency_key)
        if not isinstance(call, FetchCall):
            return getattr(call, "uri", None)
        self.fetched.append(call)
        return self._documents[call.resource.uri]


def call(function: str, **properties: Any) -> Json:
    return {"call": {"call": function, **properties}}


def cataloged(*tasks: Json, catalogs: Any = None) -> Json:
    return workflow(*tasks, use={"catalogs": catalogs or {"c": CATALOG}})


async def test_a_function_at_a_uri_is_fetched_and_done_on_with() -> None:
    world = Documents({URI: ECHO})
    output = await world.run(workflow(call(URI, **{"with": {"a": "${ .x }"}})), {"x": 1})
    assert output == {"got": {"a": 1}, "task": [URI, "/do/0/call/call"]}
    (fetched,) = world.fetched
    assert (fetched.resource, fetched.purpose) == (Resource(uri=URI), Purpose.FUNCTION)


async def test_a_function_of_a_catalog_is_fetched_from_its_place() -> None:
    world = Documents({URI: ECHO})
    output = await world.run(cataloged(call("log:1.0.0@c")), {"x": 1})
    assert output == {"got": {"x": 1}, "task": ["log:1.0.0@c", "/do/0/call/call"]}


async def test_a_catalog_has_an_endpoint_with_authentication_and_expressions() -> None:
    policy = {"bearer": {"token": "${ .token }"}}
    catalog = {"endpoint": {"uri": "${ .root }", "authentication": policy}}
    world = Documents({URI: ECHO})
    definition = cataloged(call("log:1.0.0@c"), catalogs={"c": catalog})
    await world.run(definition, {"root": "https://f.test/", "token": "t"})
    authentication = world.fetched[0].resource.authentication
    assert authentication is not None
    assert (authentication.scheme, authentication.properties) == ("bearer", {"token": "t"})


async def test_a_catalog_of_github_is_read_raw() -> None:
    raw = "https://raw.githubusercontent.com/o/r/refs/heads/main/functions/log/1.0.0/function.yaml"
    catalog = {"endpoint": "https://github.com/o/r/tree/main"}
    world = Documents({raw: ECHO})
    await world.run(cataloged(call("log:1.0.0@c"), catalogs={"c": catalog}))
    assert [fetched.resource.uri for fetched in world.fetched] == [raw]


@pytest.mark.parametrize("name", ["temporal", "default"])
async def test_a_definition_may_have_a_catalog_of_a_built_in_name(name: str) -> None:
    place = "https://f.test/functions/activity/1.0.0/function.yaml"
    definition = cataloged(call(f"activity:1.0.0@{name}"), catalogs={name: CATALOG})
    assert (await Documents({place: ECHO}).run(definition))["got"] == {}


async def test_a_run_fetches_a_function_once() -> None:
    world = Documents({URI: {"set": {"n": "${ .n + 1 }"}}})
    loop = {"loop": {"for": {"in": "[1, 2, 3]"}, "do": [call(URI), call("log:1.0.0@c")]}}
    definition = cataloged({"loop": {**loop["loop"], "do": [{"a": call(URI)["call"]}]}}, call(URI))
    assert await world.run(definition, {"n": 0}) == {"n": 4}
    assert len(world.fetched) == 1


async def test_a_function_may_call_others_at_uris() -> None:
    other = "https://f.test/other.json"
    world = Documents({URI: {"do": [call(other)]}, other: ECHO})
    output = await world.run(workflow(call(URI)))
    assert output["task"] == [other, "/do/0/call/call/do/0/call/call"]


async def test_a_function_that_fetches_itself_without_an_end_faults() -> None:
    error = await Documents({URI: {"call": URI}}).fault(workflow(call(URI)))
    assert error.type == standard("runtime")
    assert error.detail == "more than 50 functions call each other"


async def test_a_fault_in_a_function_is_told_behind_the_task_that_calls_it() -> None:
    fail = {"raise": {"error": {"type": "https://e.test/x", "status": 400}}}
    error = await Documents({URI: {"do": [{"fail": fail}]}}).fault(workflow(call(URI)))
    assert error.instance == "/do/0/call/call/do/0/fail"


async def test_paths_of_a_function_are_behind_that_of_its_call() -> None:
    get = {"call": "http", "with": {"method": "get", "endpoint": "https://pets.test"}}
    world = Documents({URI: {"do": [{"get": get}]}})
    await world.run(workflow(call(URI)))
    assert world.keys == ["run-1:/do/0/call:1", "run-1:/do/0/call/call/do/0/get:2"]


async def test_a_function_is_described_by_its_schemas() -> None:
    function = {**ECHO, "input": {"schema": {"document": {"required": ["a"]}}}}
    error = await Documents({URI: function}).fault(workflow(call(URI)))
    assert (error.type, error.instance) == (standard("validation"), "/do/0/call/call")


@pytest.mark.parametrize(
    ("document", "detail"),
    [
        (5, "/ must be an object, not a number"),
        ({}, "/ must have one of"),
        ({"set": {"a": "${ | }"}}, "/set/a "),
        ({"set": {"a": 1}, "then": "elsewhere"}, '/then "elsewhere" is no task'),
        ({"do": [{"a": {"set": {}, "then": "b"}}]}, "/do/0/a/set"),
        ({"call": "neighbour"}, '/call "neighbour" is neither a protocol nor a function'),
        ({"call": "log:1.0.0@c"}, '/call use.catalogs has no "c"'),
        ({"set": {"a": "${ $item }"}}, "/set/a $item doesn't exist at this place"),
    ],
)
async def test_what_is_no_function_is_a_configuration_error(document: Any, detail: str) -> None:
    definition = workflow({"loop": {"for": {"in": "[1]"}, "do": [call(URI)]}})
    error = await Documents({URI: document}).fault(definition)
    assert (error.type, error.instance) == (standard("configuration"), "/do/0/loop/do/0/call")
    assert error.detail.startswith(f"the document {URI} is no function: {detail}")


@pytest.mark.parametrize("uri", ["ftp://f.test/f.yaml", "://f"])
async def test_a_function_must_be_had_by_http(uri: str) -> None:
    error = await Documents({}).fault(workflow(call(uri)))
    assert (error.type, error.instance) == (standard("configuration"), "/do/0/call")


@pytest.mark.parametrize(
    ("root", "kind"), [(5, "expression"), ("ftp://f.test", "configuration"), ("", "configuration")]
)
async def test_a_catalog_must_be_had_by_http(root: Any, kind: str) -> None:
    definition = cataloged(call("log:1.0.0@c"), catalogs={"c": {"endpoint": "${ .root }"}})
    error = await Documents({}).fault(definition, {"root": root})
    assert (error.type, error.instance) == (standard(kind), "/do/0/call")


CALL = "/do/0/call/call"


@pytest.mark.parametrize(
    ("definition", "found"),
    [
        (workflow(call("ftp://f.test/f.yaml")), ("unfetchable-document", CALL)),
        (workflow(call("://f")), ("unfetchable-document", CALL)),
        (
            workflow(use={"catalogs": {"c": {"endpoint": "file:///functions"}}}),
            ("unfetchable-document", "/use/catalogs/c/endpoint"),
        ),
        (workflow(call(URI, **{"with": []})), ("wrong-type", "/do/0/call/with")),
        (cataloged(call("log:1.0.0@d")), ("unknown-reference", CALL)),
        (cataloged(call("log@c")), ("unknown-reference", CALL)),
        (workflow(use={"catalogs": []}), ("wrong-type", "/use/catalogs")),
        (workflow(use={"catalogs": {"c": {}}}), ("missing-property", "/use/catalogs/c")),
        (
            workflow(use={"catalogs": {"c": {"endpoint": 1}}}),
            ("wrong-type", "/use/catalogs/c/endpoint"),
        ),
        (
            workflow(use={"catalogs": {"c": {**CATALOG, "url": "x"}}}),
            ("unknown-property", "/use/catalogs/c/url"),
        ),
    ],
)
def test_what_is_told_when_it_is_saved(definition: Json, found: tuple[str, str]) -> None:
    assert faults(definition) == [found]


@pytest.mark.parametrize("body", ["${ $secrets }", "${ $secrets.key }", "${ $secrets[.name] }"])
async def test_a_function_from_elsewhere_reads_no_secrets(body: str) -> None:
    request = {"method": "post", "endpoint": "https://f.test", "body": body}
    definition = workflow(call(URI), use={"secrets": ["key"]})
    error = await Documents({URI: {"call": "http", "with": request}}).fault(definition)
    assert error.type == standard("configuration")
    assert "/with/body $secrets aren't for functions from elsewhere" in error.detail
