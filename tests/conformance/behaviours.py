"""Behaviours of the language as data: each file in `behaviours` holds the cases of one topic.

A case says in words what it shows (`it`), what it is given, and what it gives or faults with; all
else in it is of its definition. It is as short as this:

    - it: adds one
      do: [{add: {set: "${ . + 1 }"}}]
      given: 1
      gives: 2

What several cases need stands under `shared`, with YAML's anchors.

`faults` names some properties of the error; a bare word as its `type` is a standard one. `trace`
are the names of the tasks that start, in their order. `calls` are the answers of services by their
address, one or a list of which the last one stays: a `content`, a `status` that refuses, and a
time `after` which it comes, in seconds.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from biz.dsl.errors import TaskFault, WorkflowError
from tests.conformance.ran import Ran
from tests.fixtures.workflows import DOCUMENT, standard

FOLDER = Path(__file__).parent / "behaviours"
TOPICS = sorted(path.stem for path in FOLDER.glob("*.yaml"))


@dataclass(frozen=True, kw_only=True)
class Case:
    """One behaviour; `definition` is a text, `expected` what the case says of its end."""

    name: str
    definition: str
    given: Any
    calls: Mapping[str, Any]
    expected: Mapping[str, Any]

    def check(self, ran: Ran) -> None:
        """Asserts what the case expects."""
        expected = self.expected
        if "gives" in expected:
            assert (ran.status, ran.output) == ("completed", expected["gives"]), ran
        else:
            assert ran.error is not None, ran
            fault = expected["faults"]
            if ":" not in fault.get("type", ":"):
                fault = {**fault, "type": standard(fault["type"])}
            assert {name: ran.error.get(name) for name in fault} == fault, ran
        if "trace" in expected:
            names = [path.rpartition("/")[2] for path in ran.trace]
            assert " ".join(names) == (expected["trace"] or "")


class Mocks:
    """Answers the calls of one run."""

    def __init__(self, case: Case) -> None:
        self._answers = {
            address: list(answer) if isinstance(answer, list) else [answer]
            for address, answer in case.calls.items()
        }

    def next(self, address: str) -> "Answer":
        """The answer of a service to one call."""
        answers = self._answers[address]
        return Answer(**(answers.pop(0) if len(answers) > 1 else answers[0]))


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a service answers, after some seconds."""

    content: Any = None
    status: int = 200
    after: int = 0

    def give(self) -> Any:
        """The content; raises TaskFault where the status refuses."""
        if self.status < 400:
            return self.content
        raise TaskFault(WorkflowError.standard("communication", "refused", status=self.status))


def cases(topic: str) -> Iterator[Case]:
    """The cases of a topic."""
    for case in yaml.safe_load((FOLDER / f"{topic}.yaml").read_text())["cases"]:
        name = case.pop("it")
        expected = {key: case.pop(key) for key in ("gives", "faults", "trace") if key in case}
        given, calls = case.pop("given", {}), case.pop("calls", {})
        yield Case(
            name=f"{topic} {name}",
            definition=json.dumps({"document": DOCUMENT, **case}),
            given=given,
            calls=calls,
            expected=expected,
        )
