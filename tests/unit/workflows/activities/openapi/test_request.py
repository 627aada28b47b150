"""The requests that operations of OpenAPI documents make, of the parameters that are given."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from biz.dsl.calls.http_call import HttpOutput
from biz.dsl.calls.openapi_call import OpenApiCall
from biz.dsl.calls.resource import Resource
from biz.dsl.errors import TaskFault
from tests.fixtures.openapi_documents import PETSTORE, SHOP, Json, v2, v3
from tests.fixtures.workflows import standard
from workflows.activities.documents import FetchedDocument
from workflows.activities.http_calls.sender import HttpRequest
from workflows.activities.openapi.openapi_call import operation_of
from workflows.activities.openapi.request import request_of

URI = "http://pets.test:81/docs/api.json"


def request(document: Any, operation_id: str, uri: str = URI, **parameters: Any) -> HttpRequest:
    call = OpenApiCall(
        document=Resource(uri=uri),
        operation_id=operation_id,
        parameters=parameters,
        output=HttpOutput.CONTENT,
        redirect=False,
        authentication=None,
        idempotency_key="key",
    )
    fetched = FetchedDocument(uri=uri, content=b"")
    return request_of(operation_of(fetched, document, operation_id), call)


def fault(document: Any, operation_id: str, uri: str = URI, **parameters: Any) -> tuple[str, str]:
    with pytest.raises(TaskFault) as raised:
        request(document, operation_id, uri, **parameters)
    return raised.value.error.type, raised.value.error.detail


def one(version: str = "3.0.3", path: str = "/a", **operation: Any) -> Json:
    """A document with the operation `do`."""
    paths = {path: {"post": {"operationId": "do", **operation}}}
    return v2(paths=paths) if version == "2.0" else v3(version=version, paths=paths)


def body(schema: Json, media_type: str = "application/json", **properties: Any) -> Json:
    return one(requestBody={"content": {media_type: {"schema": schema}}, **properties})


class TestServers:
    @pytest.mark.parametrize(
        ("servers", "url"),
        [
            ([], "http://pets.test:81/a"),
            ([{"url": "/"}], "http://pets.test:81/a"),
            ([{"url": "/v2/"}], "http://pets.test:81/v2/a"),
            ([{"url": "v2"}], "http://pets.test:81/docs/v2/a"),
            ([{"url": "https://other.test/v3?x#y"}], "https://other.test/v3/a"),
            ([{"url": "//other.test"}], "http://other.test/a"),
            ([{"url": "https://a.test"}, {"url": "https://b.test"}], "https://a.test/a"),
            (
                [
                    {
                        "url": "https://{host}:{port}",
                        "variables": {"host": {"default": "c.test"}, "port": {"default": 8443}},
                    }
                ],
                "https://c.test:8443/a",
            ),
        ],
    )
    def test_the_first_server_is_called(self, servers: list[Json], url: str) -> None:
        document = {**one(), "servers": servers}
        assert request(document, "do").url == url
        inner = {"/a": {"servers": servers, "post": {"operationId": "do"}}}
        outer = [{"url": "https://unused.test"}] if servers else []
        assert request(v3(paths=inner, servers=outer), "do").url == url

    def test_the_nearest_servers_count(self) -> None:
        assert request(SHOP, "listOrders").url == "http://pets.test:81/echo/"
        assert request(SHOP, "order", item="x").url == "http://pets.test:81/echo/"

    @pytest.mark.parametrize(
        ("properties", "url"),
        [
            ({}, "http://pets.test:81/a"),
            ({"basePath": "/v2"}, "http://pets.test:81/v2/a"),
            ({"host": "other.test", "basePath": "/v2/"}, "http://other.test/v2/a"),
            ({"schemes": ["https"]}, "https://pets.test:81/a"),
            ({"schemes": ["https", "http"]}, "http://pets.test:81/a"),
            ({"schemes": ["wss", "https"]}, "https://pets.test:81/a"),
        ],
    )
    def test_host_base_path_and_scheme_make_a_server(self, properties: Json, url: str) -> None:
        assert request({**one("2.0"), **properties}, "do").url == url

    @pytest.mark.parametrize(
        ("document", "detail"),
        [
            ({**one(), "servers": [{"url": "ftp://a"}]}, "neither http nor https: ftp://a"),
            ({**one(), "servers": [{"url": "http://["}]}, "neither http nor https: http://["),
            ({**one(), "servers": [{"url": "/{x}"}]}, "a variable that isn't declared: x"),
            ({**one(), "servers": [{}]}, "a faulty document: servers.0.url: Field required"),
            ({**one("2.0"), "schemes": ["ws"]}, "has the schemes ws, not http or https"),
        ],
    )
    def test_a_server_that_cant_be_called_faults(self, document: Json, detail: str) -> None:
        kind, found = fault(document, "do")
        assert kind == standard("configuration")
        assert detail in found


class TestParameters:
    PLACES = one(
        path="/a/{id}/{list}",
        parameters=[
            {"name": "id", "in": "path", "required": True},
            {"name": "list", "in": "path", "required": True, "style": "label"},
            {"name": "q", "in": "query", "explode": False},
            {"name": "deep", "in": "query", "style": "deepObject", "explode": True},
            {"name": "filter", "in": "query", "content": {"application/json": {}}},
            {"name": "X-List", "in": "header"},
            {"name": "sid", "in": "cookie"},
            {"name": "lang", "in": "cookie"},
        ],
    )

    def test_each_stands_in_its_place_in_its_style(self) -> None:
        given = {
            "id": "a/b",
            "list": ["x", "y"],
            "q": ["x", "y z"],
            "deep": {"a": 1},
            "filter": {"b": [2]},
            "X-List": ["x", "y"],
            "sid": "s;1",
            "lang": "de",
        }
        made = request(self.PLACES, "do", **given)
        assert made.url == (
            "http://pets.test:81/a/a%2Fb/.x,y?q=x,y%20z&deep%5Ba%5D=1&filter=%7B%22b%22%3A%20%5B2%5D%7D"
        )
        assert list(made.headers) == [("X-List", "x,y"), ("Cookie", "sid=s%3B1; lang=de")]

    def test_what_is_null_isnt_given(self) -> None:
        made = request(self.PLACES, "do", id=1, list=2, q=None, sid=None)
        assert made.url == "http://pets.test:81/a/1/.2"
        assert list(made.headers) == []

    def test_those_of_the_operation_count_before_those_of_the_path(self) -> None:
        path = {
            "parameters": [
                {"name": "id", "in": "query", "required": True},
                {"name": "a", "in": "query", "explode": False},
            ],
            "get": {"operationId": "do", "parameters": [{"name": "id", "in": "query"}]},
        }
        made = request(v3(paths={"/a": path}), "do", a=[1, 2])
        assert made.url == "http://pets.test:81/a?a=1,2"

    def test_a_name_at_two_places_goes_to_both(self) -> None:
        parameters = [{"name": "id", "in": "header"}, {"name": "id", "in": "query"}]
        made = request(one(parameters=parameters), "do", id=7)
        assert (made.url, list(made.headers)) == ("http://pets.test:81/a?id=7", [("id", "7")])

    @pytest.mark.parametrize(
        ("format", "query"),
        [("csv", "a=x,y"), ("ssv", "a=x%20y"), ("tsv", "a=x%09y"), ("pipes", "a=x%7Cy"),
         ("multi", "a=x&a=y")],
    )  # fmt: skip
    def test_a_collection_format_is_a_style(self, format: str, query: str) -> None:
        parameter = {"name": "a", "in": "query", "type": "array", "collectionFormat": format}
        made = request(one("2.0", parameters=[parameter]), "do", a=["x", "y"])
        assert made.url == f"http://pets.test:81/a?{query}"

    def test_a_plain_value_of_an_array_is_its_only_item(self) -> None:
        made = request(PETSTORE, "findPetsByStatus", status="available")
        assert made.url == "http://pets.test:81/echo?status=available"

    @pytest.mark.parametrize(
        ("given", "detail"),
        [
            ({}, 'do needs the parameter "id"'),
            ({"id": None, "list": 1}, 'do needs the parameter "id"'),
            ({"id": 1, "list": 1, "Q": 1}, 'do has no parameter "Q"; it has X-List, deep, filter'),
            ({"id": 1, "list": 1, "filters": 1}, 'no parameter "filters"; did you mean "filter"?'),
            ({"id": "", "list": 1}, 'can\'t have "" as the parameter "id"'),
            ({"id": "..", "list": 1}, 'can\'t have ".." as the parameter "id"'),
            ({"id": 1, "list": "."}, 'can\'t have ".." as the parameter "list"'),
            ({"id": [[1]], "list": 1}, 'the parameter "id" can\'t have an array within its value'),
        ],
    )
    def test_those_that_cant_be_sent_are_validation_errors(self, given: Json, detail: str) -> None:
        kind, found = fault(self.PLACES, "do", **given)
        assert kind == standard("validation")
        assert detail in found

    @pytest.mark.parametrize(
        ("document", "detail"),
        [
            (one(path="/{x}"), "the path of do holds {x}, which no parameter declares"),
            (one(parameters=[{"name": "a"}]), "a faulty parameter: in: Field required"),
            (one(parameters=[{"name": "a", "in": "matrix"}]), "a faulty parameter: in: Input"),
            (one(parameters=[7]), "a faulty parameter: it: Input should be"),
            (one(parameters=7), "a faulty operation do: parameters: Input should be"),
            (one(parameters=[{"name": "a", "in": "path", "style": "form"}]), "with the style form"),
            (one(parameters=[{"name": "a", "in": "query", "style": "label"}]), "the style label"),
            (one("2.0", parameters=[{"name": "a", "in": "cookie"}]), "a faulty parameter: in"),
        ],
    )
    def test_those_that_are_badly_declared_fault(self, document: Json, detail: str) -> None:
        kind, found = fault(document, "do")
        assert kind == standard("configuration")
        assert detail in found


class TestBodies:
    def test_what_stands_nowhere_else_makes_the_body(self) -> None:
        made = request(SHOP, "order", item="tea", count=2, note=None)
        assert json.loads(made.content or b"") == {"item": "tea", "count": 2, "note": None}
        assert made.content_type == "application/json"
        assert made.idempotency_key == "key"

    def test_the_body_as_a_whole_has_a_name(self) -> None:
        assert request(SHOP, "order", body=[1]).content == b"[1]"
        assert request(PETSTORE, "addPet", pet={"name": "rex"}).content == b'{"name": "rex"}'
        assert request(PETSTORE, "addPet", name="rex").content == b'{"name": "rex"}'

    def test_a_declared_property_body_is_no_whole(self) -> None:
        document = body({"properties": {"body": {}, "title": {}}}, required=True)
        assert (
            request(document, "do", body="b", title="t").content == b'{"body": "b", "title": "t"}'
        )
        assert request(document, "do").content == b"{}"

    def test_a_body_that_isnt_needed_may_be_missing(self) -> None:
        document = body({"required": ["a"], "properties": {"a": {}}})
        made = request(document, "do")
        assert (made.content, made.content_type) == (None, "")
        assert request(document, "do", body=None).content is None

    @pytest.mark.parametrize(
        ("media_types", "chosen"),
        [
            (["application/xml", "application/json"], "application/json"),
            (["text/plain", "application/vnd.pets+json"], "application/vnd.pets+json"),
            (["*/*"], "application/json"),
            (["text/plain", "application/x-www-form-urlencoded"],
             "application/x-www-form-urlencoded"),
        ],
    )  # fmt: skip
    def test_json_is_sent_where_it_is_taken(self, media_types: list[str], chosen: str) -> None:
        document = one(requestBody={"content": {name: {} for name in media_types}})
        assert request(document, "do", a=1).content_type == chosen

    def test_a_string_is_json_or_the_text_itself(self) -> None:
        assert request(body({"type": "string"}), "do", body="x").content == b'"x"'
        made = request(body({}, "text/csv; charset=utf-8"), "do", body="a,b")
        assert (made.content, made.content_type) == (b"a,b", "text/csv; charset=utf-8")

    def test_a_form_has_its_fields_one_by_one(self) -> None:
        document = body({}, "application/x-www-form-urlencoded")
        made = request(document, "do", a=[1, 2], b={"c": [None]}, d=None, e="x y&z")
        assert made.content == b"a=1&a=2&b=%7B%22c%22%3A%20%5Bnull%5D%7D&e=x%20y%26z"
        made = request(PETSTORE, "updatePetWithForm", name="rex", tags=["a", "b"])
        assert made.content == b"name=rex&tags=a,b"

    def test_a_form_may_have_parts(self) -> None:
        made = request(PETSTORE, "uploadFile", note="hi", file="content")
        assert made.content_type.startswith("multipart/form-data; boundary=")
        text = (made.content or b"").decode()
        assert 'name="note"\r\n\r\nhi\r\n' in text
        assert 'name="file"; filename="file"' in text
        assert "\r\n\r\ncontent\r\n" in text

    def test_a_part_may_be_json_or_a_list_of_parts(self) -> None:
        schema = {"properties": {"f": {"format": "binary"}}}
        made = request(body(schema, "multipart/form-data"), "do", f=["x", None, "y"], o={"a": 1})
        text = (made.content or b"").decode()
        assert text.count('name="f"; filename="f"') == 2
        assert 'name="o"\r\nContent-Type: application/json\r\n\r\n{"a": 1}' in text
        assert request(body(schema, "multipart/form-data"), "do", f=None).content == b""

    @pytest.mark.parametrize(
        ("document", "operation_id", "given", "detail"),
        [
            (SHOP, "order", {}, 'needs the parameter "item", a property of its body'),
            (SHOP, "order", {"count": 1}, 'needs the parameter "item", a property of its body'),
            (SHOP, "order", {"body": None}, 'needs the parameter "body", its body'),
            (SHOP, "order", {"body": {}, "x": 1}, 'has no parameter "x"'),
            (PETSTORE, "addPet", {"pet": {}, "name": "x"}, 'has no parameter "name"'),
            (PETSTORE, "updatePetWithForm", {"tags": []}, 'needs the parameter "name"'),
            (PETSTORE, "updatePetWithForm", {"name": "x", "tag": 1}, 'did you mean "tags"?'),
            (PETSTORE, "getPetById", {"petId": 1, "x": 1}, 'no parameter "x"; it has X-Api-Key'),
            (body({"type": "array"}), "do", {"a": 1}, 'has no parameter "a"; it has body'),
            (body({"additionalProperties": False}), "do", {"a": 1}, 'has no parameter "a"'),
            (body({}, required=True), "do", {}, 'needs the parameter "body", its body'),
            (body({}, "text/csv"), "do", {"a": 1}, "it must be a string, not an object"),
            (body({}, "multipart/form-data"), "do", {"body": "x"}, "must be an object, not a str"),
            (one(), "do", {"body": 1}, 'has no parameter "body"; it has none'),
        ],
    )
    def test_a_body_that_cant_be_sent_is_a_validation_error(
        self, document: Json, operation_id: str, given: Json, detail: str
    ) -> None:
        kind, found = fault(document, operation_id, **given)
        assert kind == standard("validation")
        assert detail in found

    def test_one_that_takes_nothing_takes_nothing(self) -> None:
        assert request(one(requestBody={"content": {}}), "do").content is None


class TestSecurity:
    def test_an_api_key_is_given_by_its_name_or_that_of_its_scheme(self) -> None:
        for name in ("api_key", "X-Api-Key"):
            made = request(PETSTORE, "getPetById", petId=1, **{name: "k"})
            assert ("X-Api-Key", "k") in made.headers
        made = request(SHOP, "listOrders", key="k", sid="s")
        assert made.url.endswith("/echo/?key=k")
        assert list(made.headers) == [("Cookie", "sid=s")]

    def test_an_operation_may_need_none(self) -> None:
        document = {**SHOP, "paths": {"/a": {"get": {"operationId": "do", "security": []}}}}
        _, detail = fault(document, "do", key="k")
        assert 'has no parameter "key"' in detail

    def test_a_declared_parameter_counts_before_a_key_of_its_name(self) -> None:
        keys = {"k": {"type": "apiKey", "in": "header", "name": "X"}}
        operation = {"parameters": [{"name": "k", "in": "query"}], "security": [{"k": []}]}
        document = {**one(**operation), "components": {"securitySchemes": keys}}
        made = request(document, "do", k=1)
        assert (made.url, list(made.headers)) == ("http://pets.test:81/a?k=1", [])

    @pytest.mark.parametrize("scheme", [{}, {"type": "apiKey", "name": "a", "in": "body"}, 7])
    def test_a_faulty_scheme_faults(self, scheme: Any) -> None:
        document = {**one(security=[{"k": []}]), "components": {"securitySchemes": {"k": scheme}}}
        kind, detail = fault(document, "do")
        assert kind == standard("configuration")
        assert "a faulty security scheme k" in detail

    def test_an_unknown_scheme_is_passed_over(self) -> None:
        assert request({**one(security=[{"k": []}, 7][:1])}, "do").headers == []


class TestDocuments:
    def test_json_is_accepted_first(self) -> None:
        responses = {
            "200": {"content": {"application/xml": {}, "application/json": {}}},
            "404": {"content": {"text/html": {}}},
            "default": {"content": {"text/plain": {}}},
        }
        made = request(one(responses=responses), "do")
        assert made.headers == [("Accept", "application/json, application/xml, text/plain")]
        made = request(PETSTORE, "logout")
        assert made.headers == [("Accept", "application/json, application/xml")]

    def test_a_declared_accept_header_counts(self) -> None:
        document = one(
            parameters=[{"name": "accept", "in": "header"}],
            responses={"200": {"content": {"text/plain": {}}}},
        )
        assert request(document, "do", accept="a/b").headers == [("accept", "a/b")]

    def test_a_reference_is_followed(self) -> None:
        document = v3(
            version="3.1.0",
            paths={"/a/b~c": {"$ref": "#/components/pathItems/it"}},
            components={
                "pathItems": {
                    "it": {
                        "put": {
                            "operationId": "do",
                            "parameters": [{"$ref": "#/components/parameters/a~1b"}],
                            "requestBody": {"$ref": "#/components/requestBodies/r"},
                            "responses": {"200": {"$ref": "#/components/responses/ok"}},
                        }
                    }
                },
                "parameters": {"a/b": {"$ref": "#/components/parameters/c"},
                               "c": {"name": "c", "in": "query"}},
                "requestBodies": {"r": {"content": {"text/csv": {}}}},
                "responses": {"ok": {"content": {"text/csv": {}}}},
            },
        )  # fmt: skip
        made = request(document, "do", c=1, body="x,y")
        assert made.url == "http://pets.test:81/a/b~c?c=1"
        assert (made.method, made.content) == ("PUT", b"x,y")
        assert made.headers == [("Accept", "text/csv")]

    @pytest.mark.parametrize("version", ["3.0.0", "3.1.1"])
    def test_any_version_of_openapi_3_is_read(self, version: str) -> None:
        assert request(one(version), "do").method == "POST"

    def test_a_version_may_be_a_number(self) -> None:
        assert request({**one("2.0"), "swagger": 2.0}, "do").method == "POST"

    @pytest.mark.parametrize(
        ("document", "operation_id", "detail"),
        [
            ({}, "do", "is no OpenAPI document of version 2.0 or 3"),
            ([], "do", "a faulty document: it must be an object"),
            ("text", "do", "a faulty document: it must be an object"),
            ({"swagger": "1.2"}, "do", "is no OpenAPI document"),
            ({"openapi": "4.0.0"}, "do", "is no OpenAPI document"),
            (PETSTORE, "getPetByID", 'no operation "getPetByID"; did you mean getPetById'),
            (PETSTORE, "zzz", "it has getPetById, findPetsByStatus, updatePetWithForm, addPet"),
            (v3(paths={}), "do", 'has no operation "do"; it has none'),
            ({"openapi": "3.1.0"}, "do", 'has no operation "do"; it has none'),
            (v3(paths=[]), "do", "a faulty paths: it must be an object"),  # type: ignore[arg-type]
            (v3(paths={"/a": 7, "/b": {"get": 7}}), "do", "it has none"),
            (one(parameters=[{"$ref": "#/x"}]), "do", "refers to #/x, which isn't in it"),
            (one(parameters=[{"$ref": "other.yaml#/x"}]), "do", "other.yaml#/x, which isn't in it"),
            (one(parameters=[{"$ref": "http://127.0.0.1:1/x"}]), "do", "which isn't in it"),
            ({**one(parameters=[{"$ref": "#/a"}]), "a": {"$ref": "#/a"}}, "do", "in a circle"),
            (one(requestBody={}), "do", "a faulty requestBody: content: Field required"),
            (one(requestBody={"content": {"a/b": []}}), "do", "requestBody: it must be an object"),
            (body({"properties": []}), "do", "a faulty schema: it must be an object"),
        ],
    )  # fmt: skip
    def test_a_document_that_doesnt_serve_is_a_configuration_error(
        self, document: Any, operation_id: str, detail: str
    ) -> None:
        kind, found = fault(document, operation_id)
        assert kind == standard("configuration")
        assert found.startswith("the document http://pets.test:81/docs/api.json ")
        assert detail in found

    def test_a_schema_that_refers_to_itself_ends(self) -> None:
        schemas = {"a": {"allOf": [{"$ref": "#/components/schemas/a"}], "properties": {"x": {}}}}
        document = body({"$ref": "#/components/schemas/a"})
        made = request({**document, "components": {"schemas": schemas}}, "do", x=1)
        assert made.content == b'{"x": 1}'


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)
_KEYS = st.sampled_from(
    ["parameters", "requestBody", "responses", "servers", "security", "content", "schema", "in",
     "name", "allOf", "properties", "$ref", "style", "consumes", "200", "/a"]
)  # fmt: skip
odd_values = st.recursive(
    json_values | st.sampled_from(["#/paths", "#", "query", "body", "path", "formData"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(_KEYS, inner, max_size=3),
    max_leaves=10,
)


@settings(max_examples=300, deadline=None)
@given(
    st.dictionaries(_KEYS, odd_values, max_size=4),
    st.dictionaries(_KEYS, odd_values, max_size=2),
    st.sampled_from(["2.0", "3.0.3"]),
    st.dictionaries(_KEYS, json_values, max_size=3),
)
def test_a_document_of_any_form_makes_a_request_or_a_fault(
    operation: Json, around: Json, version: str, given_: Json
) -> None:
    document = {**one(version, **operation), **around}
    document["paths"] = {"/a": {**around, "post": {**operation, "operationId": "do"}}}
    with suppress(TaskFault):
        request(document, "do", **{name: value for name, value in given_.items() if name != "uri"})


class TestBounds:
    @pytest.mark.parametrize("version", ["2.0", "3.0.3"])
    def test_a_schema_that_holds_itself_many_times_is_refused(self, version: str) -> None:
        schemas = {"s": {"allOf": [{"$ref": "#/s"}] * 8}}
        if version == "2.0":
            whole = {"name": "body", "in": "body", "schema": {"$ref": "#/s"}}
            document = one(version, parameters=[whole])
        else:
            document = body({"$ref": "#/s"})
        kind, detail = fault({**document, **schemas}, "do")
        assert kind == standard("configuration")
        assert detail.startswith(f"the document {URI} can't be read within 100000 steps")

    def test_what_many_places_refer_to_counts_for_each(self) -> None:
        properties = {f"p{number}": {} for number in range(2_000)}
        parts = [{"properties": {"$ref": "#/p"}} for _ in range(100)]
        kind, detail = fault({**body({"allOf": parts}), "p": properties}, "do")
        assert kind == standard("configuration")
        assert "can't be read within" in detail

    def test_parameters_that_share_a_large_content_are_refused(self) -> None:
        content = {f"x/{number}": {} for number in range(2_000)}
        shared = {"name": "a", "in": "query", "content": content}
        document = one(parameters=[{"$ref": "#/x"}] * 100)
        assert "can't be read within" in fault({**document, "x": shared}, "do")[1]

    def test_a_schema_with_many_properties_is_read(self) -> None:
        names = [f"p{number}" for number in range(10_000)]
        schema = {"properties": {name: {} for name in names}, "required": names[:1]}
        assert "needs the parameter" in fault(body(schema), "do", p1=1)[1]

    @pytest.mark.parametrize(
        ("document", "what"),
        [
            (v3(paths={"/a" * 5_000: {"post": {"operationId": "do"}}}), "a path"),
            (one(servers=[{"url": "/a" * 5_000}]), "a server's URL"),
            (
                one(servers=[{"url": "/{a}", "variables": {"a": {"default": "a" * 9_000}}}]),
                "a server's variable",
            ),
            (body({"$ref": "#/" + "a" * 9_000}), "a reference"),
        ],
    )
    def test_texts_that_would_be_multiplied_are_bounded(self, document: Json, what: str) -> None:
        kind, detail = fault(document, "do")
        assert kind == standard("configuration")
        assert f"has {what} of more than" in detail
