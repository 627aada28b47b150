"""What each of the standard's examples needs in order to run, and what its text says it does."""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from aiohttp import web

from tests.conformance.web import Asked, Web

MCP_SERVER = Path(__file__).with_name("slack.py")
PETSTORE = "petstore.swagger.io"
SWAPI = "swapi.dev"
TEMPERATURE = "com.fake-hospital.vitals.measurements.temperature"
BPM = "com.fake-hospital.vitals.measurements.bpm"
HELLO = "Hello from Docker!\n"
PET = {"id": 1, "name": "Milou", "status": "available"}
LUKE = {"name": "Luke Skywalker", "height": "172"}


@dataclass(frozen=True, kw_only=True)
class Example:
    """One example.

    `hosts` are those in its text that are stood in for, `replace` other texts in it that name what
    isn't there. `templates` are others that it runs, `events` are published once it runs. It
    completes with `output`, or with one that the function accepts, or faults with an error that has
    `fault`; `check` looks at what was sent.
    One that `goes_on` is cancelled once `check` holds.
    """

    input: Any = field(default_factory=dict)
    hosts: Sequence[str] = ()
    replace: Mapping[str, str] = field(default_factory=dict)
    templates: Sequence[Mapping[str, Any]] = ()
    events: Sequence[Mapping[str, Any]] = ()
    goes_on: bool = False
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


def _token_used(web: Web) -> None:
    [asked] = web.sent("GET", f"{PETSTORE}/v2/pet/1")
    assert asked.headers["authorization"] == "Bearer granted"


def _started(web: Web) -> None:
    assert [asked.method for asked in web.asked] == ["POST"]


def _notified(web: Web) -> None:
    [asked] = web.asked
    assert asked.body["patientName"] == "Jane Doe"
    assert asked.body["vitals"] == {"heartRate": 31, "timestamp": "2026-01-01T00:00:00Z"}


def _gossiped(web: Web) -> None:
    bodies = [asked.body for asked in web.asked]
    assert bodies == [{"event": {"said": "first"}}, {"event": {"said": "second"}}]


def _published(web: Web) -> None:
    [asked] = web.sent("POST", "fake.com/pets")
    assert asked.body == {"petId": 1}
    assert asked.headers["authorization"] == "Bearer t0ken"


def _is_emitted(output: Any) -> bool:
    return bool(
        output["type"] == "com.petstore.order.placed.v1"
        and output["source"] == "https://petstore.com"
        and output["specversion"] == "1.0"
        and output["data"]["items"] == [{"breed": "dalmatian", "quantity": 101}]
    )


def _are_envelopes(output: Any) -> bool:
    return [event["type"] for event in output] == [TEMPERATURE, BPM]


def _event(type: str, data: Any) -> Mapping[str, Any]:
    return {"type": type, "source": "https://fake.com", "data": data}


_BEARER = Example(
    hosts=(PETSTORE,), input={"token": "t0ken", "petId": 1}, output=PET, check=_bearer
)
_GET_PET = Example(hosts=(PETSTORE,), input={"petId": 1}, output=PET)
_SEARCH = Example(
    hosts=(SWAPI,), input={"searchQuery": "luke"}, output={"results": [LUKE]}, check=_searched
)
_GRANTED = Example(hosts=(PETSTORE, "keycloak"), input={"petId": 1}, output=PET, check=_token_used)
_PETS = Example(hosts=(PETSTORE,), output=[PET])
_TO_ALL = Example(
    events=(
        _event(TEMPERATURE, {"temperature": 36}),
        _event(TEMPERATURE, {"temperature": 39}),
        _event(BPM, {"bpm": 80}),
        _event(BPM, {"bpm": 120}),
    ),
    output=[{"temperature": 39}, {"bpm": 120}],
)
_REGISTER = {
    "document": {
        "dsl": "1.0.0",
        "namespace": "test",
        "name": "register-customer",
        "version": "0.1.0",
    },
    "do": [{"register": {"set": {"registered": "${ .customer }"}}}],
}
_HELLO = Example(output=HELLO)
_ECHO = Example(output="STDIN was: Hello World\nARGS are Foo Bar\n")
_EVENT = {"specversion": "1.0", "id": "1", "source": "https://fake.com", "type": "triggered"}
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
    "authentication-oauth2": _GRANTED,
    "authentication-oauth2-secret": _GRANTED,
    "authentication-oidc": _GRANTED,
    "authentication-oidc-secret": _GRANTED,
    "call-asyncapi-publish": Example(
        hosts=("fake.com",), input={"pet": {"id": 1}, "token": "t0ken"}, check=_published
    ),
    "call-custom-function-cataloged": Example(
        hosts=("raw.githubusercontent.com",), output="information: Hello, world!\n"
    ),
    "call-custom-function-inline": Example(
        hosts=(PETSTORE,), output={"id": 69, "name": "pet69", "status": "available"}
    ),
    "call-grpc": Example(
        replace={"port: 5011": "port: {greeter}"},
        input={"user": {"preferredDisplayName": "Jane"}},
        output={"message": "Hello Jane"},
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
    "call-mcp": Example(
        replace={
            "command: npx": f"command: {sys.executable}",
            "[ slack-mcp-serverr@latest, --transport, stdio ]": f"[ '{MCP_SERVER}' ]",
        },
        output=lambda output: output["content"][0]["text"] == "Hello, world! :wave:",
    ),
    "call-openapi": _PETS,
    "call-openapi-redirect": _PETS,
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
    "emit": Example(output=_is_emitted),
    "for": Example(input={"pets": [{"id": 1}]}, output={"pets": [{"id": 1}]}),
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
    "listen-to-all": _TO_ALL,
    "listen-to-all read-envelope": replace(_TO_ALL, output=_are_envelopes),
    "listen-to-any": Example(events=[_event("any", {"a": 1})], output=[{"a": 1}]),
    "listen-to-any-filter": Example(
        events=[_event(BPM, {"bpm": 80}), _event(BPM, {"bpm": 50})], output=[{"bpm": 50}]
    ),
    "listen-to-any-forever-foreach": Example(
        hosts=("fake-chat-api.com",),
        input={"roomId": 7},
        events=[_event("gossip", {"said": "first"}), _event("gossip", {"said": "second"})],
        goes_on=True,
        check=_gossiped,
    ),
    "listen-to-any-until-condition": Example(
        events=[_event("any", {"n": n}) for n in range(5)], output=[{"n": n} for n in range(4)]
    ),
    "listen-to-any-until-consumed": Example(
        events=[
            _event(TEMPERATURE, {"temperature": 39}),
            _event(BPM, {"bpm": 50}),
            _event("com.fake-hospital.patient.checked-out", {}),
        ],
        output=[{"temperature": 39}, {"bpm": 50}],
    ),
    "listen-to-one": Example(
        hosts=("virtual-wf-powered-race.com",),
        events=[_event("com.virtual-wf-powered-race.events.race.started.v1", {})],
        output={"started": True},
        check=_started,
    ),
    "mock-service-extension": Example(hosts=("fake.com",), output={"sample": True}),
    "raise-inline": Example(fault=_NOT_IMPLEMENTED),
    "raise-reusable": Example(fault=_NOT_IMPLEMENTED),
    "run-container": _HELLO,
    "run-container-cleanup-always": _HELLO,
    "run-container-cleanup-eventually": _HELLO,
    "run-container-stdin-and-arguments": _ECHO,
    "run-container-with-name": _HELLO,
    "run-container-with-pull-policy": _HELLO,
    "run-return-all": Example(output={"code": 0, "stdout": HELLO, "stderr": ""}),
    "run-return-code": Example(output=0),
    "run-return-none": Example(output=None),
    "run-return-stderr": Example(output=""),
    "run-script-with-stdin-and-arguments": Example(
        output="stdin >  Hello Workflow\narg >  hello\nenv >  bar\n"
    ),
    "run-shell-stdin-and-arguments": _ECHO,
    "run-subflow": Example(templates=(_REGISTER,), output={"registered": ".user"}),
    "schedule-cron": Example(hosts=("example.com",), output={"started": True}, check=_started),
    "schedule-event-driven": Example(
        hosts=("hospital.example.com",),
        input=[
            {
                "data": {
                    "patient": {
                        "id": 1,
                        "name": "Jane Doe",
                        "room": {"number": 12},
                        "vitals": {"bpm": 31},
                    },
                    "timestamp": "2026-01-01T00:00:00Z",
                }
            }
        ],
        output={"notified": True},
        check=_notified,
    ),
    "set": Example(input=[_EVENT], output={"startEvent": _EVENT}),
    "set-expression": Example(input=[_EVENT], output=_EVENT),
    "star-wars-homeworld": Example(
        hosts=(SWAPI,), input={"id": 1}, output={"name": "Tatooine", "climate": "arid"}
    ),
    "switch-then-string": Example(
        input={"orderType": "electronic"}, output={"validate": True, "status": "fulfilled"}
    ),
    "try-catch": Example(hosts=(PETSTORE,), input={"petId": 404}, output={"petId": 404}),
    "try-catch-retry-inline": Example(hosts=(PETSTORE,), input={"petId": 503}, output=PET),
    "try-catch-retry-reusable": Example(hosts=(PETSTORE,), input={"petId": 503}, output=PET),
    "try-catch-then": Example(hosts=(PETSTORE,), input={"petId": 404}, output={"error": "$error"}),
    "try-catch-then-directive": Example(
        hosts=("external-service.example.com",), output={"status": "failed"}
    ),
}


LEFT_OUT: Mapping[str, str] = {
    "accumulate-room-readings": "reads a property of the array that its listen task gives",
    "call-asyncapi-subscribe-consume-amount": "asks for a subscription over WebSocket",
    "call-asyncapi-subscribe-consume-forever-foreach": "has no end, and no service that sees it",
    "call-asyncapi-subscribe-consume-until": "ends by a context that nothing in it changes",
    "call-asyncapi-subscribe-consume-while": "ends by a context that nothing in it changes",
}
"""Examples that don't run, each with the reason."""

IN_MEMORY = ("wait-duration-inline", "wait-duration-iso8601")
"""Those that wait for half a minute, which passes at once there."""

_LOG = {
    "input": {"schema": {"document": {"type": "object", "required": ["message"]}}},
    "run": {
        "shell": {
            "command": 'echo "$1: $2"',
            "arguments": ["${ .level }", "${ .message }"],
        }
    },
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
    web_.answer("GET", f"{PETSTORE}/v2/pet/findByStatus", json([PET]))
    web_.answer(
        "GET",
        f"{PETSTORE}/v2/swagger.json",
        json(
            {
                "swagger": "2.0",
                "basePath": f"/{PETSTORE}/v2",
                "paths": {
                    "/pet/findByStatus": {
                        "get": {
                            "operationId": "findPetsByStatus",
                            "parameters": [{"name": "status", "in": "query", "type": "string"}],
                        }
                    }
                },
            }
        ),
    )
    keycloak = "keycloak/realms/fake-authority"
    token = {"access_token": "granted", "token_type": "Bearer", "expires_in": 60}
    web_.answer("POST", f"{keycloak}/auth/token", json(token))
    web_.answer(
        "GET",
        f"{keycloak}/.well-known/openid-configuration",
        json(
            {
                "issuer": f"{web_.url}/{keycloak}",
                "token_endpoint": f"{web_.url}/{keycloak}/auth/token",
            }
        ),
    )
    web_.answer(
        "GET",
        "raw.githubusercontent.com/serverlessworkflow/catalog/main/functions/log/1.0.0/function.yaml",
        json(_LOG),
    )
    web_.answer(
        "GET",
        "fake.com/docs/asyncapi.json",
        json(
            {
                "asyncapi": "3.0.0",
                "info": {"title": "pets", "version": "1"},
                "servers": {
                    "staging": {
                        "host": web_.url.removeprefix("http://"),
                        "pathname": "/fake.com",
                        "protocol": "http",
                    }
                },
                "channels": {"pets": {"address": "/pets"}},
                "operations": {
                    "findPetsByStatus": {
                        "action": "receive",
                        "channel": {"$ref": "#/channels/pets"},
                    }
                },
            }
        ),
    )
    web_.answer("POST", "fake.com/pets", json({}))
    web_.answer("POST", "fake-chat-api.com/room/7", json({}))
    web_.answer("POST", "virtual-wf-powered-race.com/api/v4/cars//start", json({"started": True}))
    web_.answer("POST", "example.com/api/v1/backup/start", json({"started": True}))
    web_.answer("POST", "hospital.example.com/api/v1/notify", json({"notified": True}))
    web_.answer("GET", "fake.com/sample", json({"sample": True}))
    web_.answer("GET", "external-service.example.com/api", json({}, status=503))


def _busy_at_first(web_: Web) -> Callable[[Asked], web.Response]:
    def answer(asked: Asked) -> web.Response:
        first = len(web_.sent(asked.method, asked.path)) == 1
        return web.json_response({} if first else PET, status=503 if first else 200)

    return answer
