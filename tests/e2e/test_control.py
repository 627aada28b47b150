"""Control over HTTP, against a stack as `up` starts it: each verb in each state."""

import json
import time
import uuid
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.fixtures.refusals import refusal
from tests.fixtures.stack import Stack
from tests.patience import PATIENCE_SECONDS

REST = {"rest": {"wait": "PT1H"}}
SHORT = {"rest": {"wait": {"milliseconds": 200}}}
FAIL = {"fail": {"raise": {"error": {"type": "https://x.test/e", "status": 418}}}}
LIVE = ("RUNNING", "WAITING")
ENDS = ("CANCELLED", "TERMINATED", "FAULTED", "COMPLETED")
OUTCOMES = {
    "suspend": {**dict.fromkeys(LIVE, "SUSPENDED"), "SUSPENDED": "SUSPENDED"},
    "resume": {**{state: state for state in LIVE}, "SUSPENDED": "WAITING"},
    "cancel": dict.fromkeys((*LIVE, "SUSPENDED", "CANCELLED"), "CANCELLED"),
    "terminate": dict.fromkeys((*LIVE, "SUSPENDED", "TERMINATED"), "TERMINATED"),
}
"""By verb and state, where it leads; what isn't here is refused."""


@pytest.fixture
def http(stack: Stack) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=stack.http_url, timeout=60) as client:
        yield client


class Api:
    """What the test asks of the service."""

    def __init__(self, http: httpx.Client) -> None:
        self._http = http

    def start(self, *tasks: dict[str, Any]) -> str:
        name = f"control-{uuid.uuid4()}"
        document = {"dsl": "1.0.3", "namespace": "test", "name": name, "version": "1.0.0"}
        config = json.dumps({"document": document, "do": tasks})
        template = self._http.post("/api/v1/templates", json={"config": config}).json()["template"]
        answer = self._http.post("/api/v1/executions", json={"template_id": template["id"]})
        return str(answer.json()["execution"]["id"])

    def do(self, id: str, verb: str, reason: str = "") -> httpx.Response:
        return self._http.post(f"/api/v1/executions/{id}:{verb}", json={"reason": reason})

    def get(self, id: str) -> dict[str, Any]:
        execution: dict[str, Any] = self._http.get(f"/api/v1/executions/{id}").json()["execution"]
        return execution

    def until(self, id: str, *statuses: str) -> dict[str, Any]:
        end = time.monotonic() + PATIENCE_SECONDS
        while (found := self.get(id))["status"] not in statuses:
            assert time.monotonic() < end, found
            time.sleep(0.05)
        return found

    def in_state(self, state: str) -> str:
        """The id of an execution in a state."""
        match state:
            case "COMPLETED":
                id = self.start({"a": {"set": "1"}})
            case "FAULTED":
                id = self.start(FAIL)
            case "RUNNING":
                id = self.start({"ask": {"run": {"shell": {"command": "sleep 20"}}}})
            case _:
                id = self.start(REST)
                self.until(id, "WAITING")
        if verb := {"SUSPENDED": "suspend", "CANCELLED": "cancel", "TERMINATED": "terminate"}.get(
            state
        ):
            assert self.do(id, verb).status_code == 200
        self.until(id, state)
        return id


@pytest.fixture
def api(http: httpx.Client) -> Api:
    return Api(http)


@pytest.mark.parametrize("state", [*LIVE, "SUSPENDED", *ENDS])
@pytest.mark.parametrize("verb", OUTCOMES)
def test_each_verb_in_each_state(api: Api, verb: str, state: str) -> None:
    id = api.in_state(state)
    answer = api.do(id, verb, "as the table says")
    expected = OUTCOMES[verb].get(state)
    if expected is None:
        refused = refusal(answer)
        assert (refused.status, refused.reason) == (400, "EXECUTION_ENDED")
        assert state in answer.text
        assert api.get(id)["status"] == state
        return
    assert answer.status_code == 200
    assert answer.json()["execution"]["id"] == id
    if verb != "cancel":  # it takes its time
        assert answer.json()["execution"]["status"] in (expected, "RUNNING")
    api.until(id, expected)
    assert api.do(id, verb).status_code == 200
    if expected not in ENDS:
        api.do(id, "terminate")


def test_a_run_goes_on_where_it_was_suspended(api: Api) -> None:
    id = api.start(SHORT, {"a": {"set": {"v": 1}}}, {"b": {"set": {"v": 2}}})
    assert api.do(id, "suspend").json()["execution"]["status"] == "SUSPENDED"
    time.sleep(1)
    assert api.get(id)["status"] == "SUSPENDED"
    api.do(id, "resume")
    assert api.until(id, "COMPLETED")["output"] == {"v": 2}


def test_a_reason_is_kept(api: Api) -> None:
    for verb, end in (("cancel", "CANCELLED"), ("terminate", "TERMINATED")):
        id = api.in_state("WAITING")
        api.do(id, verb, "not needed any more")
        assert "not needed any more" in api.until(id, end)["error"]["detail"]


def test_what_is_refused(api: Api) -> None:
    refused = refusal(api.do("unknown", "suspend"))
    assert (refused.status, refused.reason) == (404, "EXECUTION_NOT_FOUND")
    refused = refusal(api.do(api.in_state("COMPLETED"), "cancel", "x" * 1001))
    assert (refused.status, refused.reason) == (400, "INVALID_ARGUMENT")
