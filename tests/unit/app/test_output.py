import pytest
from google.protobuf.json_format import ParseDict
from google.protobuf.struct_pb2 import Value

from api.execution.v1 import execution_pb2
from app.output import print_json, print_table, to_json


def test_whole_numbers_of_values_print_whole() -> None:
    output = ParseDict({"whole": 3, "half": 1.5, "list": [2, {"deep": 4}], "flag": True}, Value())
    shown = to_json(execution_pb2.Execution(output=output))["output"]
    assert str(shown["whole"]) == "3"
    assert shown == {"whole": 3, "half": 1.5, "list": [2, {"deep": 4}], "flag": True}
    assert str(shown["list"][1]["deep"]) == "4"


def test_names_and_defaults_are_those_of_http_users() -> None:
    shown = to_json(execution_pb2.Execution(template_id=7))
    assert shown["template_id"] == "7"
    assert shown["status"] == "STATUS_UNSPECIFIED"
    assert shown["current_tasks"] == []


def test_json_has_its_keys_in_order(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"b": {"d": 1, "c": 2}, "a": "ä"})
    assert capsys.readouterr().out.split() == '{ "a": "ä", "b": { "c": 2, "d": 1 } }'.split()


def test_tables_are_aligned_and_cut_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("ID", "NAME"), [("x" * 100, "a"), ("1", "b")])
    assert capsys.readouterr().out.splitlines() == [
        "ID" + " " * 100 + "NAME",
        "x" * 100 + "  a",
        "1" + " " * 101 + "b",
    ]
