"""The scenarios of the standard's conformance kit, and how their steps are read."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gherkin.parser import Parser

from biz.dsl.errors import is_same_type
from biz.dsl.reading.source import read
from tests.conformance.ran import Ran
from tests.fixtures.standard import STANDARD

KIT = STANDARD / "ctk" / "features"


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """A scenario; `expectations` are its steps behind "Then", each with its document if any."""

    name: str
    definition: str
    input: Any
    expectations: Sequence[tuple[str, Any]]

    def check(self, ran: Ran) -> None:
        """Asserts what the scenario expects."""
        for text, document in self.expectations:
            for pattern, expect in _STEPS:
                if found := re.fullmatch(pattern, text):
                    expect(ran, document, *found.groups())
                    break
            else:
                raise AssertionError(f"the step isn't understood: {text}")


def scenarios() -> Iterator[Scenario]:
    """All of them; none where the kit isn't at hand."""
    for path in sorted(KIT.glob("*.feature")):
        feature = Parser().parse(path.read_text())["feature"]
        for child in feature["children"]:
            yield _scenario(path.stem, child["scenario"])


def _scenario(feature: str, scenario: Mapping[str, Any]) -> Scenario:
    definition, input, expectations = "", {}, []
    for step in scenario["steps"]:
        text = step["text"].removeprefix("given ")
        document = step["docString"]["content"] if "docString" in step else "null"
        match text:
            case "a workflow with definition:":
                definition = document
            case "the workflow input is:":
                input = read(document).value
            case "the workflow is executed":
                pass
            case _:
                expectations.append((text, read(document).value))
    return Scenario(
        name=f"{feature}: {scenario['name']}",
        definition=definition,
        input=input,
        expectations=expectations,
    )


def _ends(ran: Ran, document: Any, how: str) -> None:
    ended = {"complete": "completed", "fault": "faulted", "be cancelled": "cancelled"}
    assert ran.status == ended[how], ran


def _completes_with(ran: Ran, document: Any) -> None:
    assert (ran.status, ran.output) == ("completed", document)


def _faults_with(ran: Ran, document: Any) -> None:
    assert ran.status == "faulted"
    assert ran.error is not None
    for name, value in document.items():
        found = ran.error.get(name)
        assert found == value or (name == "type" and is_same_type(str(found), value)), ran.error


def _has_properties(ran: Ran, document: Any, names: str) -> None:
    for path in re.findall("'([^']+)'", names):
        _at(ran.output, path)


def _has_value(ran: Ran, document: Any, path: str) -> None:
    assert _at(ran.output, path) == document


def _has_items(ran: Ran, document: Any, path: str, count: str) -> None:
    assert len(_at(ran.output, path)) == int(count)


def _runs_at(ran: Ran, document: Any, task: str, place: str) -> None:
    assert _names(ran)[{"first": 0, "last": -1}[place]] == task


def _runs_beside(ran: Ran, document: Any, task: str, place: str, other: str) -> None:
    names = _names(ran)
    first, second = (task, other) if place == "before" else (other, task)
    assert names.index(first) < names.index(second)


_STEPS = (
    (r"the workflow should (complete|fault|be cancelled)", _ends),
    (r"the workflow should complete with output:", _completes_with),
    (r"the workflow should fault with error:", _faults_with),
    (r"the workflow output should have properties (.*)", _has_properties),
    (r"the workflow output should have an? '(.*)' property with value:", _has_value),
    (r"the workflow output should have an? '(.*)' property containing (\d+) items", _has_items),
    (r"(\S+) should run (first|last)", _runs_at),
    (r"(\S+) should run (before|after) (\S+)", _runs_beside),
)


def _at(value: Any, path: str) -> Any:
    for name in path.split("."):
        assert name in value
        value = value[name]
    return value


def _names(ran: Ran) -> Sequence[str]:
    return [path.rpartition("/")[2] for path in ran.trace]
