"""Functions and schemas that stand on a real HTTP service, in runs on a real Temporal."""

import json
from typing import Any

import pytest

from biz.executions.execution import Execution, ExecutionStatus, StartRequest
from tests.fixtures.http_service import HttpService
from tests.fixtures.run_service import Service, definition
from tests.fixtures.workflows import Json, standard
from tests.patience import PATIENCE
from workflows.activities.fetch_call import MAX_BYTES

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""The kind of database makes no difference to what is fetched."""

FUNCTION = b"""
input: {schema: {document: {required: [id]}}}
do:
  - get:
      call: http
      with: {method: get, endpoint: "%s/pets/{id}"}
      output: {as: .name}
"""
PLACE = "/catalog/functions/get-pet/1.0.0/function.yaml"


def publish(http_service: HttpService, path: str, document: Any) -> str:
    """Puts a document on the service; gives its URL."""
    text = document if isinstance(document, bytes) else json.dumps(document).encode()
    http_service.documents[path] = text
    return http_service.url + path


def catalog(http_service: HttpService) -> Json:
    return {"catalogs": {"pets": {"endpoint": f"{http_service.url}/catalog"}}}


CALL = {"call": "get-pet:1.0.0@pets", "with": {"id": "${ . }"}}


async def test_a_cataloged_function_is_done_and_fetched_once(
    service: Service, http_service: HttpService
) -> None:
    publish(http_service, PLACE, FUNCTION % http_service.url.encode())
    loop = {
        "for": {"in": "[1, 2, 3]"},
        "do": [{"pet": {**CALL, "with": {"id": "${ $item }"}}}],
    }
    ended = await service.run([{"loop": loop}], use=catalog(http_service))
    assert (ended.status, ended.output) == (ExecutionStatus.COMPLETED, "pet3"), ended.error
    assert http_service.counts[PLACE] == 1
    assert [http_service.counts[f"/pets/{id}"] for id in (1, 2, 3)] == [1, 1, 1]


async def test_a_function_is_called_by_its_uri(service: Service, http_service: HttpService) -> None:
    uri = publish(http_service, "/f.json", {"set": {"twice": "${ .n * 2 }"}})
    ended = await service.run([{"call": {"call": uri, "with": {"n": 4}}}])
    assert ended.output == {"twice": 8}, ended.error


async def test_a_function_fetched_a_second_time_is_not_checked_anew(
    service: Service, http_service: HttpService
) -> None:
    uri = publish(http_service, "/f.json", {"set": {"n": 1}})
    for _ in range(2):
        assert (await service.run([{"call": {"call": uri}}])).output == {"n": 1}
    assert http_service.counts["/f.json"] == 1


async def test_a_fault_in_a_function_tells_where(
    service: Service, http_service: HttpService
) -> None:
    publish(http_service, PLACE, FUNCTION % f"{http_service.url}/none".encode())
    ended = await service.run([{"pet": CALL}], 5, use=catalog(http_service))
    assert ended.error is not None
    assert (ended.error.type, ended.error.status) == (standard("communication"), 404)
    assert ended.error.instance == "/do/0/pet/call/do/0/get"


@pytest.mark.parametrize(
    ("document", "kind", "detail"),
    [
        (None, "communication", "answered 404 Not Found"),
        (b"do: [", "configuration", "can't be read at line 2, column 1: "),
        (b"set: {a: '${ | }'}", "configuration", "is no function: /set/a "),
        (b"do: []" + b" " * MAX_BYTES, "configuration", f"has more than {MAX_BYTES} bytes"),
        (b"\xff", "configuration", "is no text in UTF-8"),
    ],
)
async def test_a_function_that_cannot_be_had_faults_its_call(
    service: Service, http_service: HttpService, document: Any, kind: str, detail: str
) -> None:
    if document is not None:
        publish(http_service, PLACE, document)
    ended = await service.run([{"pet": CALL}], 1, use=catalog(http_service))
    assert ended.error is not None
    assert (ended.error.type, ended.error.instance) == (standard(kind), "/do/0/pet")
    assert f"{http_service.url}{PLACE} {detail}" in ended.error.detail


async def test_a_schema_from_elsewhere_holds_an_input_once_the_run_has_it(
    service: Service, http_service: HttpService
) -> None:
    uri = publish(http_service, "/pet.json", {"type": "object", "required": ["id"]})
    schema = {"schema": {"resource": {"endpoint": uri}}}
    template = await service.templates.create(
        config=definition([{"keep": {"do": []}}], input=schema)
    )

    async def run(input: Any) -> Execution:
        request = StartRequest(template_id=template.id, input=input)
        started = await service.executions.start(request)
        return await service.executions.get(started.id, wait=PATIENCE)

    assert (await run({"id": 1})).output == {"id": 1}
    ended = await run({})
    assert ended.error is not None
    assert (ended.error.type, ended.error.instance) == (standard("validation"), "/input")


async def test_a_document_that_is_no_schema_faults(
    service: Service, http_service: HttpService
) -> None:
    uri = publish(http_service, "/pet.json", {"$ref": f"{http_service.url}/other.json"})
    task = {"do": [], "output": {"schema": {"resource": {"endpoint": uri}}}}
    ended = await service.run([{"keep": task}], {})
    assert ended.error is not None
    assert (ended.error.type, ended.error.instance) == (standard("configuration"), "/do/0/keep")
    assert "is no schema: /$ref" in ended.error.detail


async def test_a_stored_workflow_is_a_function_of_the_default_catalog(service: Service) -> None:
    stored = await service.templates.create(
        config=definition([{"greet": {"set": {"hello": "${ .name }"}}}])
    )
    call = {"call": f"{stored.name}:1.0.0@default", "with": {"name": "Ann"}}
    ended = await service.run([{"greet": call}])
    assert (ended.status, ended.output) == (ExecutionStatus.COMPLETED, {"hello": "Ann"})


async def test_a_workflow_that_is_not_stored_faults_its_call(service: Service) -> None:
    ended = await service.run([{"greet": {"call": "nobody:1.0.0@default"}}])
    assert ended.error is not None
    assert (ended.error.type, ended.error.instance) == (standard("configuration"), "/do/0/greet")
