"""What a request for a dry run may ask, and what it becomes."""

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from biz.dry_run import MAX_EVENTS, DryRunRequest, DryRunUsecase
from biz.dsl.dry_run import DryRun, Ending, Rehearsal, rehearse
from biz.dsl.memory_runtime import Answer
from biz.errors import InvalidArgument, InvalidDefinition, TemplateNotFound
from biz.paging import PageTokens
from biz.templates.template import TemplateUsecase
from tests.fakes.signing_key import FakeSigningKey
from tests.fakes.template_repo import FakeTemplateRepo
from tests.fixtures.workflows import workflow

NOW = datetime(2025, 1, 2, tzinfo=UTC)
PAY = {"pay": {"call": "http", "with": {"method": "post", "endpoint": "https://a.test"}}}
SCHEMA = {"schema": {"document": {"required": ["amount"]}}}
EVENT = {"specversion": "1.0", "id": "1", "source": "/s", "type": "paid"}


class ThreadRunner:
    """Does dry runs without limits."""

    async def run(self, rehearsal: Rehearsal) -> DryRun:
        return await asyncio.to_thread(rehearse, rehearsal)


def templates() -> TemplateUsecase:
    return TemplateUsecase(
        repo=FakeTemplateRepo(),
        page_tokens=PageTokens(signing_key=FakeSigningKey()),
        clock=lambda: NOW,
    )


async def run(stored: TemplateUsecase | None = None, **request: Any) -> DryRun:
    usecase = DryRunUsecase(
        templates=stored or templates(), runner=ThreadRunner(), clock=lambda: NOW
    )
    return await usecase.run(DryRunRequest(**request))


async def refused(**request: Any) -> list[tuple[str, str, str]]:
    with pytest.raises(InvalidArgument) as raised:
        await run(**request)
    return [(fault.field, fault.pointer, fault.code) for fault in raised.value.violations]


def config(*tasks: Any, **properties: Any) -> str:
    return json.dumps(workflow(*tasks, **properties))


async def test_a_definition_runs_with_mocks_by_name_or_reference() -> None:
    for task in ("pay", "/do/0/pay"):
        found = await run(config=config(PAY), mocks={task: [Answer({"ok": True})]})
        assert (found.ending, found.output) == (Ending.COMPLETED, {"ok": True})


async def test_the_clock_begins_now_or_where_it_is_told() -> None:
    text = config({"a": {"set": {"at": "${ $workflow.startedAt.iso8601 }"}}})
    assert (await run(config=text)).output["at"].startswith("2025-01-02")
    found = await run(config=text, start=NOW + timedelta(days=1))
    assert found.output["at"].startswith("2025-01-03")


async def test_a_template_runs_by_its_id() -> None:
    stored = templates()
    template = await stored.create(config=config({"a": {"set": {"b": 1}}}))
    assert (await run(stored, template_id=template.id)).output == {"b": 1}
    with pytest.raises(TemplateNotFound):
        await run(stored, template_id=99)


async def test_a_broken_definition_is_refused_with_its_faults() -> None:
    with pytest.raises(InvalidDefinition):
        await run(config=config({"a": {"cal": "http"}}))


async def test_a_definition_or_a_template_must_be_there_and_not_both() -> None:
    assert await refused() == [("config", "", "one-of")]
    assert await refused(config=config(PAY), template_id=1) == [("config", "", "one-of")]


async def test_the_input_is_checked_by_the_schema() -> None:
    text = config(PAY, input=SCHEMA)
    assert await refused(config=text) == [("input", "", "schema")]


async def test_a_mock_needs_a_task_and_an_answer() -> None:
    found = await refused(config=config(PAY), mocks={"nobody": [Answer()], "pay": []})
    assert found == [("mocks", "/nobody", "unknown-task"), ("mocks", "/pay", "empty")]


async def test_an_event_must_be_one_and_not_come_before_the_start() -> None:
    early = NOW - timedelta(seconds=1)
    events = [({**EVENT, "source": None}, None), (EVENT, early), ("no", None)]
    assert await refused(config=config(PAY), events=events) == [
        ("events", "/0/event/source", "invalid-event"),
        ("events", "/1/time", "out-of-range"),
        ("events", "/2", "invalid-event"),
    ]


async def test_more_than_a_dry_run_takes_is_refused() -> None:
    request = DryRunRequest(config=config(PAY), input="x" * 1_000_001)
    events = [(EVENT, None)] * (MAX_EVENTS + 1)
    found = await refused(**_fields(replace(request, events=events)))
    assert found == [("events", "", "too-many"), ("input", "", "too-long")]


def _fields(request: DryRunRequest) -> dict[str, Any]:
    return {name: getattr(request, name) for name in request.__dataclass_fields__}
