"""OpenAPI calls against a real service that serves its own document."""

import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import yaml

from biz.dsl.calls.http_call import HttpOutput
from biz.dsl.calls.openapi_call import OpenApiCall
from biz.dsl.calls.resource import Resource
from biz.dsl.credentials import Credentials
from tests.fixtures.activities import Recorded, error_of, perform
from tests.fixtures.http_service import HttpService
from tests.fixtures.openapi_documents import SHOP, v3
from tests.fixtures.performers import new_performer, new_sender
from tests.fixtures.workflows import standard
from tests.patience import PATIENCE_SECONDS
from workflows.activities.documents import Documents
from workflows.activities.http_calls.sender import new_http_client
from workflows.activities.openapi.openapi_call import OpenApiActivities

Make = Callable[..., OpenApiCall]


@pytest.fixture
def timeout_seconds() -> float:
    """How long the client waits; less where that is the test."""
    return PATIENCE_SECONDS


@pytest.fixture
async def activities(timeout_seconds: float) -> AsyncIterator[OpenApiActivities]:
    async with new_http_client(timeout_seconds=timeout_seconds) as client:
        sender = new_sender(client, max_response_bytes=10_000)
        yield OpenApiActivities(
            performer=new_performer(Recorded()),
            sender=sender,
            documents=Documents(sender=sender),
        )


@pytest.fixture
def make(http_service: HttpService) -> Make:
    """Makes a call of an operation, by the document at a path of the service."""
    http_service.documents["/docs/shop.yaml"] = yaml.safe_dump(SHOP).encode()

    def call(operation_id: str, path: str = "/petstore.json", **properties: Any) -> OpenApiCall:
        defaults: dict[str, Any] = {
            "document": Resource(uri=http_service.url + path),
            "operation_id": operation_id,
            "parameters": {},
            "output": HttpOutput.CONTENT,
            "redirect": False,
            "authentication": None,
            "idempotency_key": "run:/do/0/call:1",
        }
        return OpenApiCall(**{**defaults, **properties})

    return call


async def test_an_operation_of_openapi_2(activities: OpenApiActivities, make: Make) -> None:
    pet = await perform(activities.call, make("getPetById", parameters={"petId": 7}))
    assert pet == {"id": 7, "name": "pet7", "status": "available"}


async def test_a_plain_status_finds_pets(activities: OpenApiActivities, make: Make) -> None:
    call = make("findPetsByStatus", parameters={"status": "available", "api_key": "k"})
    seen = await perform(activities.call, call)
    assert (seen["query"], seen["headers"]["x-api-key"]) == ({"status": ["available"]}, "k")


async def test_an_operation_of_openapi_3_in_yaml(activities: OpenApiActivities, make: Make) -> None:
    call = make("order", "/docs/shop.yaml", parameters={"item": "tea"})
    seen = await perform(activities.call, call)
    assert (seen["method"], seen["path"], json.loads(seen["body"])) == (
        "POST",
        "/echo/",
        {"item": "tea"},
    )
    assert seen["headers"]["idempotency-key"] == "run:/do/0/call:1"
    assert seen["headers"]["content-type"] == "application/json"


async def test_an_operation_of_openapi_3_1_elsewhere(
    activities: OpenApiActivities, make: Make, http_service: HttpService
) -> None:
    servers = [{"url": http_service.url}]
    paths = {"/echo": {"get": {"operationId": "look"}}}
    document = v3(version="3.1.0", servers=servers, paths=paths)
    http_service.documents["/3.1.yaml"] = b"# by hand\n" + yaml.safe_dump(document).encode()
    assert (await perform(activities.call, make("look", "/3.1.yaml")))["path"] == "/echo"


async def test_a_response_shows_its_request(activities: OpenApiActivities, make: Make) -> None:
    call = make("getPetById", parameters={"petId": 1}, output=HttpOutput.RESPONSE)
    response = await perform(activities.call, call)
    assert response["request"]["method"] == "get"
    assert response["request"]["uri"].endswith("/pets/1")
    assert response["request"]["headers"]["accept"] == "application/json, application/xml"
    assert (response["statusCode"], response["content"]["id"]) == (200, 1)


async def test_an_api_key_is_a_secret(
    activities: OpenApiActivities, make: Make, http_service: HttpService
) -> None:
    http_service.elsewhere = f"{http_service.url.replace('127.0.0.1', 'localhost')}/echo"
    shown = {"redirect": True, "output": HttpOutput.RESPONSE}
    key = {"api_key": "s3cret"}
    for operation_id, received in (("moved", "s3cret"), ("movedAway", None)):
        response = await perform(activities.call, make(operation_id, parameters=key, **shown))
        assert response["content"]["headers"].get("x-api-key") == received
        assert response["request"]["headers"].get("x-api-key") == (received and "***")
    query = make("listOrders", "/docs/shop.yaml", parameters={"key": "s3cret"}, **shown)
    response = await perform(activities.call, query)
    assert response["request"]["uri"].endswith("/echo/?key=***")


async def test_a_policy_authenticates_by_its_header(
    activities: OpenApiActivities, make: Make
) -> None:
    login = Credentials(scheme="bearer", properties={"token": "t"})
    seen = await perform(
        activities.call, make("listOrders", "/docs/shop.yaml", authentication=login)
    )
    assert seen["headers"]["authorization"] == "Bearer t"


async def test_a_document_may_be_elsewhere_in_the_end(
    activities: OpenApiActivities, make: Make
) -> None:
    seen = await perform(activities.call, make("moved", redirect=True))
    assert seen["path"] == "/echo"
    error = await error_of(activities.call, make("moved"))
    assert (error["type"], error["status"]) == (standard("communication"), 302)


async def test_a_thousand_calls_fetch_their_document_once(
    activities: OpenApiActivities, make: Make, http_service: HttpService
) -> None:
    for id in range(50):
        await perform(activities.call, make("getPetById", parameters={"petId": id}))
    assert http_service.counts["/petstore.json"] == 1


@pytest.mark.parametrize(
    ("operation_id", "path", "parameters", "kind", "status"),
    [
        ("getPetById", "/petstore.json", {}, "validation", 400),
        ("getPetById", "/petstore.json", {"petId": 1, "x": 1}, "validation", 400),
        ("getPet", "/petstore.json", {}, "configuration", 400),
        ("logout", "/petstore.json", {}, "communication", 401),
        ("getPetById", "/nowhere.json", {}, "communication", 404),
        ("getPetById", "/text", {}, "configuration", 400),
        ("getPetById", "/broken-json", {}, "configuration", 400),
    ],
)
async def test_what_fails_is_an_error_of_its_kind(
    activities: OpenApiActivities,
    make: Make,
    operation_id: str,
    path: str,
    parameters: dict[str, Any],
    kind: str,
    status: int,
) -> None:
    error = await error_of(activities.call, make(operation_id, path, parameters=parameters))
    assert (error["type"], error["status"]) == (standard(kind), status)


@pytest.mark.parametrize("timeout_seconds", [0.5])
async def test_a_document_that_is_slow_is_a_timeout(
    activities: OpenApiActivities, make: Make
) -> None:
    error = await error_of(activities.call, make("getPetById", "/slow/2"))
    assert (error["type"], error["status"]) == (standard("timeout"), 408)
