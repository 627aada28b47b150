import json

import pytest

from biz.dsl.sizes import MAX_JSON_BYTES
from biz.errors import InvalidArgument
from biz.workflow import WorkflowUsecase

DOCUMENT = {"dsl": "1.0.0", "namespace": "test", "name": "greet", "version": "1.0.0"}


def definition(*tasks: object) -> str:
    return json.dumps({"document": DOCUMENT, "do": list(tasks)})


async def test_a_sound_definition_has_no_diagnostics() -> None:
    assert not await WorkflowUsecase().validate(definition({"greet": {"set": {"hello": "you"}}}))


async def test_every_fault_is_told_with_its_place() -> None:
    text = definition({"a": {"set": {"x": "${ .a + }"}}}, {"b": {"set": {}, "then": "nowhere"}})
    found = await WorkflowUsecase().validate(text)
    assert {d.pointer.split("/")[2] for d in found} == {"0", "1"}
    assert all(d.code and d.message and d.line for d in found)


async def test_a_text_that_isnt_json_or_yaml_is_a_diagnostic() -> None:
    [diagnostic] = await WorkflowUsecase().validate('{"document": ')
    assert diagnostic.code == "syntax"


@pytest.mark.parametrize(
    ("text", "code"), [("", "empty"), (" \n", "empty"), ("x" * (MAX_JSON_BYTES + 1), "too-long")]
)
async def test_no_text_and_too_much_of_it_are_refused(text: str, code: str) -> None:
    with pytest.raises(InvalidArgument) as raised:
        await WorkflowUsecase().validate(text)
    [fault] = raised.value.violations
    assert (fault.field, fault.code) == ("config", code)
