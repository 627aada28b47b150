"""Each scenario of the conformance kit: through the public API on Temporal, and in memory."""

import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import httpx
import pytest
import yaml

from biz.dsl.lifecycle import LifecycleType
from biz.dsl.memory_runtime import MemoryRuntime
from biz.dsl.reading.source import read
from tests.conformance.features import KIT, Scenario, scenarios
from tests.conformance.ran import Ran, ran_in_memory
from tests.conformance.stand_in import HOSTS, send, standing_in
from tests.fixtures.stack import Stack
from tests.fixtures.workflows import evaluate

SCENARIOS = list(scenarios())
needs_kit = pytest.mark.skipif(not SCENARIOS, reason=f"the conformance kit isn't at {KIT}")
each_scenario = pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)

Run = Callable[[Scenario], Ran]


@pytest.fixture(scope="module")
def run(stack: Stack) -> Iterator[Run]:
    """Runs a scenario on the stack, its hosts stood in for."""
    with standing_in() as url, httpx.Client(base_url=stack.http_url, timeout=70) as http:

        def run(scenario: Scenario) -> Ran:
            text = scenario.definition
            for host in HOSTS:
                text = text.replace(host, url)
            definition = read(text).value
            definition["document"]["namespace"] = f"kit-{uuid.uuid4()}"
            template = http.post("/api/v1/templates", json={"config": yaml.safe_dump(definition)})
            assert template.is_success, template.text
            id = template.json()["template"]["id"]
            body = {"template_id": id, "input": scenario.input, "wait": "60s"}
            execution = http.post("/api/v1/executions", json=body).raise_for_status().json()
            execution = execution["execution"]
            events = http.get(f"/api/v1/executions/{execution['id']}/events?page_size=1000")
            return Ran(
                status=execution["status"].lower(),
                output=execution.get("output"),
                error=execution.get("error"),
                trace=[
                    event["task"]
                    for event in events.raise_for_status().json()["events"]
                    if event["type"] == LifecycleType.TASK_STARTED
                ],
            )

        yield run


@needs_kit
@each_scenario
def test_on_temporal(scenario: Scenario, run: Run) -> None:
    scenario.check(run(scenario))


@needs_kit
@each_scenario
def test_in_memory(scenario: Scenario) -> None:
    runtime = MemoryRuntime(answer=send, evaluate=evaluate, start=datetime(2026, 1, 1, tzinfo=UTC))
    scenario.check(ran_in_memory(scenario.definition, scenario.input, runtime))


@needs_kit
def test_the_kit_is_whole() -> None:
    assert len(SCENARIOS) == 21
