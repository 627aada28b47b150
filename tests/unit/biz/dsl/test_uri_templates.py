from typing import Any

import pytest

from biz.dsl.expressions import EvaluationError
from biz.dsl.uri_templates import InvalidTemplate, compile_template

DATA = {
    "id": 7,
    "name": "a b/c?d&e=f#g%h{i}",
    "word": "ümlaut 😀",
    "yes": True,
    "no": False,
    "none": None,
    "half": 0.5,
    "pet.id": "dotted",
    "pet": {"id": "nested"},
    "list": [1],
}


@pytest.mark.parametrize(
    ("template", "uri"),
    [
        ("https://pets.test/v2/pet/1", "https://pets.test/v2/pet/1"),
        ("https://pets.test/{id}", "https://pets.test/7"),
        ("https://pets.test/{id}/{id}?x={half}#{yes}", "https://pets.test/7/7?x=0.5#true"),
        ("/{no}/{none}/{missing}", "/false//"),
        ("/{name}", "/a%20b%2Fc%3Fd%26e%3Df%23g%25h%7Bi%7D"),
        ("/{word}", "/%C3%BCmlaut%20%F0%9F%98%80"),
        ("/{pet.id}", "/dotted"),
        ("{id}", "7"),
        ("relative/path", "relative/path"),
        ("//host/path", "//host/path"),
        ("https://{name}.test", "https://a%20b%2Fc%3Fd%26e%3Df%23g%25h%7Bi%7D.test"),
        ("?q={id}", "?q=7"),
    ],
)
def test_a_template_expands(template: str, uri: str) -> None:
    assert compile_template(template).expand(DATA) == uri


@pytest.mark.parametrize("data", [None, 1, "id", [1], {}])
def test_data_without_the_property_leaves_its_place_empty(data: Any) -> None:
    assert compile_template("/{id}/x").expand(data) == "//x"


@pytest.mark.parametrize("name", ["pet", "list"])
def test_only_a_scalar_can_stand_in_a_uri(name: str) -> None:
    with pytest.raises(EvaluationError, match=name):
        compile_template(f"/{{{name}}}").expand(DATA)


@pytest.mark.parametrize(
    "template",
    [
        *("", " ", "a b", "https://a b/", "/x y", "\t", "/a\n", "/{", "/}", "/{id", "/id}", "/{}"),
        *("/{{id}}", "/{+id}", "/{#id}", "/{.id}", "/{/id}", "/{;id}", "/{?id}", "/{&id}"),
        *("/{id*}", "/{id:3}", "/{a,b}", "/{a b}", "/{é}", "/{=id}", "/{!id}", "/{|id}"),
    ],
)  # fmt: skip
def test_no_template_is(template: str) -> None:
    with pytest.raises(InvalidTemplate):
        compile_template(template)
