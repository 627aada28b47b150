"""Stands in for the two hosts that the conformance kit calls: a pet store, and httpbin."""

import base64
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from biz.dsl.errors import TaskFault, WorkflowError

HOSTS = ("https://petstore.swagger.io", "https://httpbin.org")

_PETS = [
    {"id": id, "name": name, "status": status}
    for id, name, status in (
        (1, "Milou", "available"), (2, "Tintin", "sold"), (3, "Haddock", "available"))
]  # fmt: skip

_OPERATIONS = {"findPetsByStatus": "/v2/pet/findByStatus", "getPetById": "/v2/pet/{petId}"}


def answer(path: str, query: Mapping[str, Any], authorization: str) -> tuple[int, Any]:
    """Status and content of a GET."""
    match path.strip("/").split("/"):
        case ["v2", "pet", "findByStatus"]:
            return 200, [pet for pet in _PETS if pet["status"] in query.get("status", ())]
        case ["v2", "pet", id]:
            found = [pet for pet in _PETS if str(pet["id"]) == id]
            return (200, found[0]) if found else (404, {"message": "Pet not found"})
        case ["basic-auth", user, password]:
            if authorization != _basic(user, password):
                return 401, None
            return 200, {"authenticated": True, "user": user}
    return 404, {"message": "null for uri"}


def send(call: Any) -> Any:
    """What a call gives where nothing is sent; raises TaskFault."""
    path, query = _asked(call)
    login = call.authentication.properties if call.authentication else None
    status, content = answer(path, query, _basic(**login) if login else "")
    if status >= 400:
        error = WorkflowError.standard("communication", f"answered {status}", status=status)
        raise TaskFault(error)
    if call.output != "response":
        return content
    request = {"method": "get", "uri": path, "headers": {}}
    return {"request": request, "statusCode": status, "headers": {}, "content": content}


def _asked(call: Any) -> tuple[str, Mapping[str, Any]]:
    """Path and query."""
    if call.KIND == "openapi_call":
        path = _OPERATIONS[call.operation_id].format_map(call.parameters)
        return path, {name: [value] for name, value in call.parameters.items()}
    url = urlsplit(call.uri)
    return url.path, parse_qs(url.query)


def _basic(username: str, password: str) -> str:
    return f"Basic {base64.b64encode(f'{username}:{password}'.encode()).decode()}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        authorization = self.headers.get("authorization") or ""
        status, content = answer(url.path, parse_qs(url.query), authorization)
        if url.path == "/v2/swagger.json":
            status, content = 200, _document(self.headers["host"])
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing."""


@contextmanager
def standing_in() -> Iterator[str]:
    """The URL of a server of its own, in the place of both hosts."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _document(host: str) -> Any:
    """What the pet store says of itself, in OpenAPI 2.0."""

    def parameter(name: str, place: str, **schema: Any) -> Any:
        return {"name": name, "in": place, "required": True, **schema}

    def operation(id: str, *parameters: Any) -> Any:
        return {
            "get": {
                "operationId": id,
                "produces": ["application/json"],
                "parameters": parameters,
                "responses": {"200": {"description": "found"}},
            }
        }

    status = parameter(
        "status", "query", type="array", items={"type": "string"}, collectionFormat="multi"
    )
    return {
        "swagger": "2.0",
        "info": {"title": "Pets", "version": "1.0.0"},
        "host": host,
        "basePath": "/v2",
        "schemes": ["http"],
        "paths": {
            "/pet/findByStatus": operation("findPetsByStatus", status),
            "/pet/{petId}": operation("getPetById", parameter("petId", "path", type="integer")),
        },
    }
