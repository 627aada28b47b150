"""Schemas that stand in a document of their own (DSL reference, "Schema")."""

from typing import Any

import pytest

from biz.dsl.calls.call import Call
from biz.dsl.calls.fetch_call import FetchCall, Purpose
from biz.dsl.errors import TaskFault
from biz.dsl.validator import check_input
from tests.fixtures.definitions import definition as text_of
from tests.fixtures.workflows import Json, World, faults, standard, workflow

URI = "https://s.test/pet.json"
PET = {"type": "object", "required": ["id"]}
SCHEMA = {"schema": {"format": "json", "resource": {"name": "pet", "endpoint": URI}}}
KEEP = {"keep": {"do": []}}


class Schemas:
    """A world that has one document at every place."""

    def __init__(self, document: Any) -> None:
        self._document = document
        self.fetched: list[FetchCall] = []

    async def run(self, definition: Json, input: Any) -> Any:
        return await World(answer=self._answer).run(definition, input)

    def _answer(self, call: Call) -> Any:
        assert isinstance(call, FetchCall)
        assert call.purpose is Purpose.SCHEMA
        self.fetched.append(call)
        return self._document


PLACES = [
    (workflow(KEEP, input=SCHEMA), "/input"),
    (workflow(KEEP, output=SCHEMA), "/output"),
    (workflow({"keep": {"do": [], "input": SCHEMA}}), "/do/0/keep"),
    (workflow({"keep": {"do": [], "output": SCHEMA}}), "/do/0/keep"),
    (workflow({"keep": {"do": [], "export": SCHEMA}}), "/do/0/keep"),
]


@pytest.mark.parametrize(("definition", "instance"), PLACES)
async def test_data_is_held_against_a_schema_from_elsewhere(
    definition: Json, instance: str
) -> None:
    world = Schemas(PET)
    assert await world.run(definition, {"id": 1}) == {"id": 1}
    with pytest.raises(TaskFault) as raised:
        await world.run(definition, {"no": 1})
    error = raised.value.error
    assert (error.type, error.instance) == (standard("validation"), instance)
    assert "'id' is a required property" in error.detail


@pytest.mark.parametrize(("definition", "instance"), PLACES)
@pytest.mark.parametrize(
    ("document", "detail"),
    [
        ({"type": "text"}, "is no schema: /type "),
        ([], "is no schema: / must be an object, or true or false"),
        ({"$ref": "https://s.test/other.json"}, "is no schema: /$ref "),
    ],
)
async def test_what_is_no_schema_is_a_configuration_error(
    definition: Json, instance: str, document: Any, detail: str
) -> None:
    with pytest.raises(TaskFault) as raised:
        await Schemas(document).run(definition, {})
    error = raised.value.error
    assert (error.type, error.instance) == (standard("configuration"), instance)
    assert error.detail.startswith(f"the document {URI} {detail}")


async def test_where_a_schema_is_may_depend_on_the_data() -> None:
    resource = {"endpoint": {"uri": '${ "https://s.test/" + .kind }'}}
    schema = {"schema": {"resource": resource}}
    world = Schemas(PET)
    definition = workflow({"keep": {"do": [], "input": schema}}, input=schema)
    await world.run(definition, {"id": 1, "kind": "cat"})
    assert [call.resource.uri for call in world.fetched] == ["https://s.test/cat"]


async def test_an_address_that_fails_is_the_workflows_fault() -> None:
    schema = {"schema": {"resource": {"endpoint": "${ error }"}}}
    with pytest.raises(TaskFault) as raised:
        await Schemas(PET).run(workflow(KEEP, input=schema), {})
    error = raised.value.error
    assert (error.type, error.instance) == (standard("expression"), "/input")


def test_a_start_cannot_check_an_input_against_one() -> None:
    assert not check_input(text_of(KEEP, input=SCHEMA), {"no": 1})


@pytest.mark.parametrize(
    ("schema", "code", "pointer"),
    [
        ({"resource": {}}, "missing-property", "/resource"),
        ({"resource": 1}, "wrong-type", "/resource"),
        ({"resource": {"endpoint": 1}}, "wrong-type", "/resource/endpoint"),
        ({"resource": {"endpoint": URI, "name": 1}}, "wrong-type", "/resource/name"),
        ({"resource": {"endpoint": URI}, "document": {}}, "invalid-value", ""),
        ({"resource": {"endpoint": "${ $input }"}}, "unavailable-variable", "/resource/endpoint"),
        ({}, "missing-property", ""),
    ],
)
def test_what_names_no_schema(schema: Json, code: str, pointer: str) -> None:
    definition = workflow(KEEP, input={"schema": schema})
    assert faults(definition) == [(code, f"/input/schema{pointer}")]
