"""What each of the standard's examples needs in order to run, and what its text says it does."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.conformance.web import Asked, Web

PETSTORE = "petstore.swagger.io"
SWAPI = "swapi.dev"
PET = {"id": 1, "name": "Milou", "status": "available"}
LUKE = {"name": "Luke Skywalker", "height": "172"}


@dataclass(frozen=True, kw_only=True)
class Example:
    """One example.

    `hosts` are those in its text that are stood in for, `replace` other texts in it that name what
    isn't there. `events` are published once it runs. It completes with `output`, or faults with
    an error that has `fault`; `check` looks at what was sent.
    """

    input: Any = field(default_factory=dict)
    hosts: Sequence[str] = ()
    replace: Mapping[str, str] = field(default_factory=dict)
    events: Sequence[Mapping[str, Any]] = ()
    output: Any = None
    fault: Mapping[str, Any] | None = None
    check: Callable[[Web], None] = lambda web: None


def _bearer(web: Web) -> None:
    [asked] = web.sent("GET", f"{PETSTORE}/v2/pet/1")
    assert asked.headers["authorization"] == "Bearer t0ken"


def _searched(web: Web) -> None:
    [asked] = web.sent("GET", f"{SWAPI}/api/people/")
    assert asked.query == {"search": "luke"}


def _accepts_json(web: Web) -> None:
    _searched(web)
    assert web.asked[-1].headers["accept"] == "application/json"


def _alarmed(web: Web) -> None:
    assert web.asked[0].body == {"patientId": "Jane Doe", "room": 12}


_BEARER = Example(
    hosts=(PETSTORE,), input={"token": "t0ken", "petId": 1}, output=PET, check=_bearer
)
_GET_PET = Example(hosts=(PETSTORE,), input={"petId": 1}, output=PET)
_SEARCH = Example(
    hosts=(SWAPI,), input={"searchQuery": "luke"}, output={"results": [LUKE]}, check=_searched
)
_NOT_IMPLEMENTED = {
    "type": "https://serverlessworkflow.io/errors/not-implemented",
    "status": 500,
    "title": "Not Implemented",
    "instance": "/do/0/notImplemented",
}

EXAMPLES: Mapping[str, Example] = {
    "authentication-bearer": _BEARER,
    "authentication-bearer-uri-format": _BEARER,
    "authentication-reusable": _BEARER,
    "call-custom-function-inline": Example(
        hosts=(PETSTORE,), output={"id": 69, "name": "pet69", "status": "available"}
    ),
    "call-http-endpoint-interpolation": _GET_PET,
    "call-http-endpoint-interpolation-shorthand": _GET_PET,
    "call-http-query-headers-expressions": Example(
        hosts=(SWAPI,),
        input={"searchQuery": "luke"},
        output={"results": [LUKE]},
        check=_accepts_json,
    ),
    "call-http-query-parameters": _SEARCH,
    "call-http-redirect": Example(
        hosts=(SWAPI,),
        replace={"/api/people/": "/api/moved/"},
        input={"searchQuery": "luke"},
        output={"results": [LUKE]},
    ),
    "conditional-task": Example(
        input={"customer": {"age": 17}, "bet": 5},
        fault={
            "type": "https://superbet-casinos.com/customer/access-forbidden",
            "status": 400,
            "title": "Access Forbidden",
            "instance": "/do/0/raiseErrorIfUnderage",
        },
    ),
    "do-multiple": Example(hosts=(PETSTORE,), input={"petId": 1}, output={**PET, "status": "sold"}),
    "do-single": _GET_PET,
    "for-inline-array": Example(
        output={
            "processed": [
                {"name": "red", "hex": "#FF0000"},
                {"name": "green", "hex": "#00FF00"},
                {"name": "blue", "hex": "#0000FF"},
            ]
        }
    ),
    "fork": Example(
        hosts=("fake-hospital.com",),
        input={"patient": {"fullName": "Jane Doe"}, "room": {"number": 12}},
        output={"alerted": True},
        check=_alarmed,
    ),
    "mock-service-extension": Example(hosts=("fake.com",), output={"sample": True}),
    "raise-inline": Example(fault=_NOT_IMPLEMENTED),
    "raise-reusable": Example(fault=_NOT_IMPLEMENTED),
    "star-wars-homeworld": Example(
        hosts=(SWAPI,), input={"id": 1}, output={"name": "Tatooine", "climate": "arid"}
    ),
    "switch-then-string": Example(
        input={"orderType": "electronic"}, output={"validate": True, "status": "fulfilled"}
    ),
    "try-catch": Example(hosts=(PETSTORE,), input={"petId": 404}, output={"petId": 404}),
    "try-catch-retry-inline": Example(hosts=(PETSTORE,), input={"petId": 503}, output=PET),
    "try-catch-retry-reusable": Example(hosts=(PETSTORE,), input={"petId": 503}, output=PET),
    "try-catch-then-directive": Example(
        hosts=("external-service.example.com",), output={"status": "failed"}
    ),
}


def prepare(web_: Web) -> None:
    """Gives the web the hosts of the examples."""

    def json(value: Any, status: int = 200) -> Callable[[Asked], web.Response]:
        return lambda asked: web.json_response(value, status=status)

    web_.answer("GET", f"{PETSTORE}/v2/pet/1", json(PET))
    web_.answer("GET", f"{PETSTORE}/v2/pet/69", json({**PET, "id": 69, "name": "pet69"}))
    web_.answer("GET", f"{PETSTORE}/v2/pet/503", _busy_at_first(web_))
    web_.answer("PUT", f"{PETSTORE}/v2/pet/", lambda asked: web.json_response(asked.body))
    web_.answer("GET", f"{SWAPI}/api/people/", json({"results": [LUKE]}))
    web_.answer(
        "GET",
        f"{SWAPI}/api/moved/",
        lambda asked: web.Response(
            status=301,
            headers={"Location": f"{web_.at(SWAPI)}/api/people/?search={asked.query['search']}"},
        ),
    )
    web_.answer(
        "GET",
        f"{SWAPI}/api/people/1",
        json({**LUKE, "homeworld": f"{web_.at(SWAPI)}/api/planets/1/"}),
    )
    web_.answer("GET", f"{SWAPI}/api/planets/1/", json({"name": "Tatooine", "climate": "arid"}))
    for who in ("nurses", "doctor"):
        web_.answer("PUT", f"fake-hospital.com/api/v3/alert/{who}", json({"alerted": True}))
    web_.answer("GET", "fake.com/sample", json({"sample": True}))
    web_.answer("GET", "external-service.example.com/api", json({}, status=503))


def _busy_at_first(web_: Web) -> Callable[[Asked], web.Response]:
    def answer(asked: Asked) -> web.Response:
        first = len(web_.sent(asked.method, asked.path)) == 1
        return web.json_response({} if first else PET, status=503 if first else 200)

    return answer
