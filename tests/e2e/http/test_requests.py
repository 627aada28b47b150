"""How a request over HTTP reaches a call, and what of it is refused on the way."""

import httpx
import pytest

from tests.fixtures.refusals import refusal

BAD_REQUEST = (400, 3, "INVALID_ARGUMENT")
NO_ROUTE = (404, 5, "ROUTE_NOT_FOUND")
TOO_LARGE = (413, 8, "RESOURCE_EXHAUSTED")
BODY_LIMIT = 4 * 1024 * 1024


def refused(response: httpx.Response) -> tuple[int, int, str]:
    answer = refusal(response)
    return answer.status, answer.code, answer.reason


def template_named(size: int) -> bytes:
    """A body of `size` bytes."""
    return b'{"name":"%s"}' % (b"x" * (size - len(b'{"name":""}')))


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", "/index.html"),
        ("POST", "/"),
        ("GET", "/api"),
        ("GET", "/api/"),
        ("GET", "/api/v1/nothing"),
        ("GET", "/api/v2/templates"),
        ("GET", "/api/v1/templates/"),
        ("POST", "/api/v1/templates/1"),
        ("DELETE", "/api/v1/templates"),
        ("OPTIONS", "/api/v1/templates"),
        ("GET", "/api/v1/templates:"),
        ("POST", "/api/v1/executions/abc:cancel:"),
        ("POST", "/api.template.v1.TemplateService/GetTemplate"),
    ],
)
def test_what_is_not_in_the_contract_is_not_found(
    http: httpx.Client, method: str, path: str
) -> None:
    assert (
        refused(http.request(method, path, content=b"{}" if method == "POST" else b"")) == NO_ROUTE
    )


def test_head_is_not_found_and_has_no_body(http: httpx.Client) -> None:
    answer = http.head("/api/v1/templates")
    assert (answer.status_code, answer.content) == (404, b"")


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/executions/abc:typo",
        "/api/v1/executions/abc:watch/",
        "/api/v1/executions:stat",
        "/api/v1/executions/:",
        "/api/v1/executions/:?wait=1s",
        "/api/v1/executions/:stats",
        "/api/v1/executions/abc:",
        "/api/v1/executions/abc:suspend",
    ],
)
def test_an_unknown_verb_is_not_read_as_an_id(http: httpx.Client, path: str) -> None:
    assert refused(http.get(path)) == NO_ROUTE


def test_a_known_verb_reaches_its_call(http: httpx.Client) -> None:
    assert http.get("/api/v1/executions:stats").json()["total"] == 3


@pytest.mark.parametrize(
    ("path", "id"),
    [
        ("a%20b", "a b"),
        ("a%2Fb", "a/b"),
        ("a%3Atypo", "a:typo"),
        ("%3A", ":"),
        ("%E2%82%AC", "€"),
        ("a+b", "a+b"),
        ("..%2f..%2f", "../../"),
    ],
)
def test_an_id_in_a_path_is_unescaped_once_the_path_is_split(
    http: httpx.Client, path: str, id: str
) -> None:
    answer = http.get(f"/api/v1/executions/{path}")
    assert answer.json()["execution"]["id"] == id


def test_a_plus_in_a_query_is_a_space(http: httpx.Client) -> None:
    answer = http.get("/api/v1/templates?name=a+b%2Bc%20d")
    assert answer.json()["templates"][0]["name"] == "a b+c d"


def test_a_repeated_parameter_is_a_list_of_enums_by_name(http: httpx.Client) -> None:
    answer = http.get("/api/v1/executions?status=RUNNING&status=FAULTED")
    assert [each["status"] for each in answer.json()["executions"]] == ["RUNNING", "FAULTED"]


@pytest.mark.parametrize(("text", "printed"), [("20s", "20s"), ("1.5s", "1.500s")])
def test_a_duration_stands_in_a_query(http: httpx.Client, text: str, printed: str) -> None:
    answer = http.get(f"/api/v1/executions/abc?wait={text}")
    assert answer.json()["execution"]["duration"] == printed


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("2026-01-31T12:00:00Z", "2026-01-31T12:00:00Z"),
        ("2026-01-31T12:00:00.5Z", "2026-01-31T12:00:00.500Z"),
        ("2026-01-31T12:00:00%2B02:00", "2026-01-31T10:00:00Z"),
    ],
)
def test_a_time_stands_in_a_query(http: httpx.Client, text: str, printed: str) -> None:
    for name in ("created_after", "createdAfter"):
        answer = http.get(f"/api/v1/executions?status=RUNNING&{name}={text}")
        assert answer.json()["executions"][0]["created_at"] == printed


@pytest.mark.parametrize("query", ["wait=20", "wait=soon", "wait=20m"])
def test_what_is_no_duration_is_refused(http: httpx.Client, query: str) -> None:
    assert refused(http.get(f"/api/v1/executions/abc?{query}")) == BAD_REQUEST


@pytest.mark.parametrize(
    "query",
    ["nothing=1", "name=a&nothing=1", "page_size=many", "view=NONE", "labels[a]=b", "name=%FF"],
)
def test_a_query_that_does_not_fit_is_refused(http: httpx.Client, query: str) -> None:
    assert refused(http.get(f"/api/v1/templates?{query}")) == BAD_REQUEST


def test_a_map_has_no_form_in_a_query(http: httpx.Client) -> None:
    answer = http.post("/api/v1/templates?labels.team=core", content=b"{}")
    assert refused(answer) == BAD_REQUEST


@pytest.mark.parametrize("id", ["abc", "1.5", "99999999999999999999", "%FF"])
def test_a_path_that_does_not_fit_is_refused(http: httpx.Client, id: str) -> None:
    assert refused(http.get(f"/api/v1/templates/{id}")) == BAD_REQUEST


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"}",
        b"[1]",
        b"1",
        b"not json",
        b'{"name":"a"',
        b'{"name":"a"} {"name":"b"}',
        b'{"name":5}',
        b'{"labels":{"a":{}}}',
        b'{"name":"\xff"}',
        b'{"name":"\\ud800"}',
        b'{"name":"\\u0000"}',
        b"name=a",
    ],
)
def test_a_body_that_does_not_fit_is_refused(http: httpx.Client, body: bytes) -> None:
    assert refused(http.post("/api/v1/templates", content=body)) == BAD_REQUEST


def test_a_field_of_the_body_may_be_written_either_way(http: httpx.Client) -> None:
    for name in ("business_key", "businessKey"):
        assert http.post("/api/v1/executions", json={name: "k", "input": 1}).status_code == 200


def test_an_unknown_field_of_the_body_is_dropped(http: httpx.Client) -> None:
    answer = http.post("/api/v1/templates", json={"name": "a", "nothing": {"at": "all"}})
    assert answer.json()["template"]["name"] == "a"


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_a_body_may_not_override_the_path(http: httpx.Client, method: str) -> None:
    path = "/api/v1/templates/9"
    assert refused(http.request(method, path, json={"id": "8", "name": "a"})) == BAD_REQUEST
    for body in ({"id": "9", "name": "a"}, {"name": "a"}):
        assert http.request(method, path, json=body).json()["template"]["id"] == "9"


def test_the_body_can_be_one_field_of_the_request(http: httpx.Client) -> None:
    path = "/api/v1/executions/abc:signal"
    assert http.post(path, json={"id": "e", "data": [1, None, {"a": True}]}).status_code == 200
    (fault,) = refusal(http.post(path, content='{"a":"\\u0000"}')).details[1]["field_violations"]
    assert fault["field"] == "event#/a"


def test_a_body_of_four_mebibytes_passes(http: httpx.Client) -> None:
    answer = http.post("/api/v1/templates", content=template_named(BODY_LIMIT))
    assert len(answer.json()["template"]["name"]) > BODY_LIMIT - 100


def test_a_larger_body_is_refused(http: httpx.Client) -> None:
    answer = http.post("/api/v1/templates", content=template_named(BODY_LIMIT + 1))
    assert refused(answer) == TOO_LARGE


def test_a_larger_body_in_chunks_is_refused(http: httpx.Client) -> None:
    body = template_named(BODY_LIMIT + 1)
    chunks = (body[start : start + 65536] for start in range(0, len(body), 65536))
    assert refused(http.post("/api/v1/templates", content=chunks)) == TOO_LARGE


def test_a_body_within_the_limit_reaches_its_call_however_much_it_grows_as_protobuf(
    http: httpx.Client,
) -> None:
    body = b'{"input":[%s1]}' % (b"1," * 2_000_000)
    answer = refusal(http.post("/api/v1/executions", content=body))
    (violation,) = answer.details[1]["field_violations"]
    assert (answer.status, violation["field"], violation["reason"]) == (400, "input", "TOO_LONG")


@pytest.mark.parametrize("size", [9_000, 20_000, 60_000])
def test_a_long_query_and_long_headers_reach_their_call(http: httpx.Client, size: int) -> None:
    answer = http.get(f"/api/v1/templates?name={'x' * size}")
    assert len(answer.json()["templates"][0]["name"]) == size
    answer = http.get("/api/v1/templates/1", headers={"x-long": "x" * size})
    assert len(answer.json()["template"]["labels"]["x-long"]) == size


def test_headers_that_are_too_large_are_refused(http: httpx.Client) -> None:
    answer = http.get("/api/v1/templates", headers={"x-long": "x" * 70_000})
    assert refused(answer) == (431, 3, "INVALID_ARGUMENT")
