"""Behaviours of the language as data: each file in `behaviours` holds the cases of one topic.

A case says in words what it shows (`it`), what it is given, and what it gives or faults with; all
else in it is of its definition. It is as short as this:

    - it: adds one
      do: [{add: {set: "${ . + 1 }"}}]
      given: 1
      gives: 2

What several cases need stands under `shared`, with YAML's anchors.

`faults` names some properties of the error; a bare word as its `type` is a standard one. `trace`
are the names of the tasks that start, in their order. `calls` are the answers to calls by their
address, or by their kind where they have none; one or a list of which the last one stays: a
`content`, a `status` that refuses, and a time `after` which it comes, in seconds. `events` are
published once the run has begun.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from biz.dsl.calls.call import Call
from biz.dsl.errors import TaskFault, WorkflowError
from tests.conformance.ran import Ran
from tests.fixtures.workflows import DOCUMENT, standard

FOLDER = Path(__file__).parent / "behaviours"
TOPICS = sorted(path.stem for path in FOLDER.glob("*.yaml"))


@dataclass(frozen=True, kw_only=True)
class Case:
    """One behaviour; `expected` is what the case says of its end."""

    name: str
    definition: Mapping[str, Any]
    given: Any
    calls: Mapping[str, Any]
    events: Sequence[Mapping[str, Any]]
    expected: Mapping[str, Any]

    @property
    def namespace(self) -> str:
        """That of its definition, which no other case has."""
        return self.definition["document"]["namespace"]

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

    def next(self, call: Call) -> "Answer":
        """The answer to one call."""
        answers = self._answers[getattr(call, "uri", call.KIND)]
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
    found = yaml.safe_load((FOLDER / f"{topic}.yaml").read_text())["cases"]
    for number, case in enumerate(found):
        expected = {key: case.pop(key) for key in ("gives", "faults", "trace") if key in case}
        name, given = case.pop("it"), case.pop("given", {})
        calls, events = case.pop("calls", {}), case.pop("events", [])
        document = {**DOCUMENT, "namespace": f"{topic}-{number}"}
        yield Case(
            name=f"{topic} {name}",
            definition={"document": document, **case},
            given=given,
            calls=calls,
            events=[
                {"specversion": "1.0", "id": str(number), "source": "/outside", **event}
                for number, event in enumerate(events)
            ],
            expected=expected,
        )
