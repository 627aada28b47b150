"""Runs that use secrets on a real Temporal: what they send, and that no secret is kept."""

import json
import uuid
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client

from app.container import opened
from app.settings import Settings
from biz.dsl.errors import WorkflowError
from biz.executions.execution import Execution, ExecutionStatus, ExecutionUsecase, StartRequest
from biz.templates.template import TemplateUsecase
from tests.fixtures.authority import CLIENT_ID, CLIENT_SECRET, Authority
from tests.fixtures.http_service import HttpService
from tests.fixtures.workflows import Json, standard
from tests.patience import PATIENCE

KEY = "s3cr3t-key/with sorts"
PASSWORD = "pa55word-of-ann"
BASIC = "YW5uOnBhNTV3b3JkLW9mLWFubg=="
SECRETS: Json = {
    "key": KEY,
    "login": {"username": "ann", "password": PASSWORD},
    "client": {
        "grant": "client_credentials",
        "client": {"id": CLIENT_ID, "secret": CLIENT_SECRET},
    },
}
HIDDEN = (KEY, KEY[:8], KEY.replace(" ", "%20"), PASSWORD, BASIC, CLIENT_SECRET, "access-token-1")


@dataclass(frozen=True)
class Service:
    """The use cases over real parts, with a worker beside them."""

    templates: TemplateUsecase
    executions: ExecutionUsecase
    temporal: Client
    folder: Path

    async def run(self, *tasks: Json, input: Any = None, **use: Any) -> Execution:
        """The end of a run, in whose history and row no secret stands."""
        document = {"dsl": "1.0.0", "namespace": "shop", "version": "1.0.0"}
        definition = {
            "document": {**document, "name": f"run-{uuid.uuid4()}"},
            "use": {"secrets": [*SECRETS, "missing"], **use},
            "do": tasks,
        }
        template = await self.templates.create(config=json.dumps(definition))
        started = await self.executions.start(StartRequest(template_id=template.id, input=input))
        ended = await self.executions.get(started.id, wait=PATIENCE)
        await self._require_secrecy(ended)
        return ended

    async def _require_secrecy(self, execution: Execution) -> None:
        history = await self.temporal.get_workflow_handle(execution.id).fetch_history()
        kept = [event.SerializeToString() for event in history.events]
        kept += [file.read_bytes() for file in self.folder.glob("test.db*")]
        for secret in HIDDEN:
            forms = (secret, json.dumps(secret)[1:-1])
            assert not any(form.encode() in text for text in kept for form in forms), secret


@pytest.fixture
async def service(
    tmp_path: Path, temporal_address: str, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Service]:
    folder = tmp_path / "secrets" / "shop"
    folder.mkdir(parents=True)
    (folder / "login").write_text(json.dumps(SECRETS["login"]))
    policy = {"authority": authority.url, **SECRETS["client"]}
    (folder / "client").write_text(json.dumps(policy))
    monkeypatch.setenv("WORKFLOW_SECRET_shop__key", KEY)
    settings = Settings(
        database_url=f"sqlite:///{tmp_path}/test.db",
        temporal_address=temporal_address,
        task_queue=f"secrets-{uuid.uuid4()}",
        secrets_directory=tmp_path / "secrets",
    )
    async with opened(settings) as container:
        await (await container.database()).open()
        await (await container.migrator()).migrate()
        await container.worker()
        yield Service(
            templates=await container.templates(),
            executions=await container.executions(),
            temporal=await container.temporal_client(),
            folder=tmp_path,
        )


def get(uri: str, policy: Json | None = None, **arguments: Any) -> Json:
    endpoint = {"uri": uri, "authentication": policy} if policy else uri
    return {"call": "http", "with": {"method": "get", "endpoint": endpoint, **arguments}}


def fault(execution: Execution) -> WorkflowError:
    assert execution.status is ExecutionStatus.FAULTED
    assert execution.error is not None
    return execution.error


async def test_a_secret_is_sent_and_not_kept(service: Service, http_service: HttpService) -> None:
    post = {
        "call": "http",
        "with": {
            "method": "post",
            "endpoint": f"{http_service.url}/empty",  # what a service answers would be kept
            "body": '${ {key: $secrets.key, id: .id, found: ($secrets.key | test("^s3"))} }',
            "headers": {"x-key": "${ $secrets.key }", "x-id": "${ .id | tostring }"},
            "query": {"key": "${ $secrets.key }"},
        },
        "output": {"as": "{done: .}"},
    }
    ended = await service.run({"send": post}, input={"id": 7})
    assert (ended.status, ended.output) == (ExecutionStatus.COMPLETED, {"done": None})
    [(_, body)] = http_service.bodies
    assert json.loads(body) == {"key": KEY, "id": 7, "found": True}


async def test_what_a_call_shows_of_its_request(
    service: Service, http_service: HttpService
) -> None:
    task = get(
        f"{http_service.url}/empty",
        {"basic": {"use": "login"}},
        headers={"x-key": "${ $secrets.key }", "x-auth": "${ $authorization.parameter }"},
        query={"k": "${ $secrets.key }"},
        output="response",
    )
    ended = await service.run({"call": {**task, "output": {"as": ".request"}}})
    shown = ended.output
    assert shown["uri"] == f"{http_service.url}/empty?k=***"
    assert (shown["headers"]["x-key"], shown["headers"]["x-auth"]) == ("***", "***")
    assert "authorization" not in shown["headers"]


async def test_an_input_with_secrets(service: Service, http_service: HttpService) -> None:
    task = {
        "call": "http",
        "input": {"from": {"id": "${ .id }", "key": "${ $secrets.key }"}},
        "with": {"method": "post", "endpoint": f"{http_service.url}/empty", "body": "${ . }"},
    }
    ended = await service.run({"call": task}, input={"id": 7})
    assert ended.status is ExecutionStatus.COMPLETED
    [(_, body)] = http_service.bodies
    assert json.loads(body) == {"id": 7, "key": KEY}


@pytest.mark.parametrize(
    ("arguments", "kind", "detail"),
    [
        ({"uri": '${ "URL/\\($secrets.key | @uri)" }'}, "communication", "GET ***"),
        ({"body": "${ $secrets.key - 1 }"}, "expression", "the expression $secrets.key - 1 failed"),
        ({"body": "${ $secrets.key | error }"}, "expression", "since it reads secrets"),
        ({"body": '${ $secrets.key | test("(") }'}, "expression", "since it reads secrets"),
        ({"body": "${ $secrets.missing }"}, "authorization", 'has no secret "missing"'),
        ({"headers": {"x": '${ $secrets.key + "\\n" }'}}, "communication", ""),
        ({"method": "${ $secrets.key }"}, "expression", "must give an HTTP method"),
        ({"uri": "${ $secrets.key }"}, "configuration", "***"),
    ],
)
async def test_no_error_shows_a_secret(
    service: Service, http_service: HttpService, arguments: Json, kind: str, detail: str
) -> None:
    uri = arguments.pop("uri", f"{http_service.url}/missing").replace("URL", http_service.url)
    error = fault(await service.run({"call": get(uri, **arguments)}))
    if kind != "communication" or detail:
        assert error.type == standard(kind)
    assert detail in error.detail
    assert error.instance == "/do/0/call"


async def test_a_token_from_a_secret(service: Service, authority: Authority) -> None:
    task = get(f"{authority.url}/quiet", {"oauth2": {"use": "client"}})
    ended = await service.run({"call": task})
    assert ended.status is ExecutionStatus.COMPLETED
    assert authority.calls == ["Bearer access-token-1"]


async def test_a_secret_that_isnt_taken(service: Service, authority: Authority) -> None:
    policy = {
        "oauth2": {
            "authority": authority.url,
            "grant": "client_credentials",
            "client": {"id": "${ $secrets.login.username }", "secret": "${ $secrets.key }"},
        }
    }
    policies: Sequence[Json] = [policy, {"use": "named"}]
    for found in policies:
        task = get(f"{authority.url}/api", found)
        error = fault(await service.run({"call": task}, authentications={"named": policy}))
        assert (error.type, error.status) == (standard("authentication"), 401)
        assert "invalid_client" in error.detail


async def test_the_secrets_of_another_namespace(
    service: Service, http_service: HttpService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORKFLOW_SECRET_other__missing", "value")
    task = get(f"{http_service.url}/empty", {"bearer": {"use": "missing"}})
    error = fault(await service.run({"call": task}))
    assert (error.type, error.status) == (standard("authorization"), 403)
    assert http_service.counts["/empty"] == 0
