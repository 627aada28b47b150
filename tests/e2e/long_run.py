"""A run of two hundred tasks, and the history that it must have: worked out here, task by task."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

TASKS = 200
CALLS = 70
HOLD = "/do/5/hold"
"""Where the run listens for an event; there it is suspended and resumed."""

_ITEMS = 10
_ROUNDS = 5
_LAST_ITEMS = 14
_FAILURES = 2
_ERRORS = "https://open-workflow-specification.org/spec/1.0.0/errors/"
_NOTHING = object()

Json = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Told:
    """An event of a history; `error` is the type, the status and the task of one."""

    type: str
    task: str
    attempt: int = 1
    input: Any = _NOTHING
    output: Any = _NOTHING
    error: tuple[str, int, str] | None = None

    @classmethod
    def from_json(cls, event: Json) -> Told:
        """An event as the service gives it; what is null in it is there."""
        error = event.get("error")
        return cls(
            type=".".join(event["type"].split(".")[2:4]),
            task=event["task"],
            attempt=event["attempt"],
            input=event.get("input", _NOTHING),
            output=event.get("output", _NOTHING),
            error=error and (error["type"], error["status"], error["instance"]),
        )


@dataclass(frozen=True)
class Fork:
    """What branches tell at once, by their paths: each in its order, between the others'."""

    branches: Mapping[str, Sequence[Told | Fork]]

    def __len__(self) -> int:
        return sum(map(length, self.branches.values()))


History = Sequence[Told | Fork]


def length(history: History) -> int:
    """How many events it has."""
    return sum(len(part) if isinstance(part, Fork) else 1 for part in history)


def compare(actual: Sequence[Told], expected: History) -> None:
    """Raises AssertionError where a history isn't the expected one."""
    place = 0
    for part in expected:
        if isinstance(part, Fork):
            inside = actual[place : place + len(part)]
            for path, branch in part.branches.items():
                compare([told for told in inside if _is_within(told.task, path)], branch)
            place += len(part)
        else:
            assert actual[place : place + 1] == [part]
            place += 1
    assert list(actual[place:]) == []


def _is_within(task: str, path: str) -> bool:
    return task == path or task.startswith(f"{path}/")


@dataclass(frozen=True)
class Place:
    """Where a task stands: its path, without the iterations its pointer, and the try around it."""

    path: str = ""
    pointer: str = ""
    attempt: int = 1

    def inside(self, way: str, number: int, name: str, *, iteration: int | None = None) -> Place:
        """A task in one of its lists, such as `do`."""
        loop = "" if iteration is None else f"/for/{iteration}"
        return Place(
            f"{self.path}{loop}/{way}/{number}/{name}",
            f"{self.pointer}/{way}/{number}/{name}",
            self.attempt,
        )

    def at(self, attempt: int) -> Place:
        """The same within an attempt."""
        return Place(self.path, self.pointer, attempt)


@dataclass(frozen=True)
class Done:
    """What a task has told, and its output."""

    history: list[Told | Fork]
    output: Any


@dataclass(frozen=True)
class Task:
    """A task of the definition; `work` gives what is told within it, and its output."""

    name: str
    definition: Json
    work: Callable[[Place, Any], Done] = field(repr=False)

    @property
    def item(self) -> Json:
        """As it stands in a list."""
        return {self.name: self.definition}

    def done(self, place: Place, input: Any) -> Done:
        """What it tells at a place, and its output."""
        done = self.work(place, input)
        started = Told(type="task.started", task=place.path, attempt=place.attempt, input=input)
        completed = Told(
            type="task.completed", task=place.path, attempt=place.attempt, output=done.output
        )
        created = Told(type="task.created", task=place.path, attempt=place.attempt)
        return Done([created, started, *done.history, completed], done.output)


def _items(tasks: Sequence[Task]) -> list[Json]:
    return [task.item for task in tasks]


def _sequence(
    tasks: Sequence[Task], place: Place, input: Any, *, iteration: int | None = None
) -> Done:
    told: list[Told | Fork] = []
    for number, task in enumerate(tasks):
        done = task.done(place.inside("do", number, task.name, iteration=iteration), input)
        told += done.history
        input = done.output
    return Done(told, input)


def _set(name: str, value: Any) -> Task:
    return Task(name, {"set": value}, lambda place, input: Done([], value))


def _wait(name: str, milliseconds: int) -> Task:
    return Task(
        name, {"wait": {"milliseconds": milliseconds}}, lambda place, input: Done([], input)
    )


def _post(name: str, url: str, answer: Any) -> Task:
    definition = {"call": "http", "with": {"method": "post", "endpoint": url}}
    return Task(name, definition, lambda place, input: Done([], answer))


def _pet(name: str, service: str, id: int) -> Task:
    answer = {"id": id, "name": f"pet{id}", "status": "available"}
    return _post(name, f"{service}/pets/{id}", answer)


def _do(name: str, *tasks: Task) -> Task:
    return Task(name, {"do": _items(tasks)}, lambda place, input: _sequence(tasks, place, input))


def _for(name: str, count: int, *tasks: Task) -> Task:
    def work(place: Place, input: Any) -> Done:
        told: list[Told | Fork] = []
        for iteration in range(count):
            done = _sequence(tasks, place, input, iteration=iteration)
            told += done.history
            input = done.output
        return Done(told, input)

    return Task(name, {"for": {"in": f"{list(range(count))}"}, "do": _items(tasks)}, work)


def _fork(name: str, *tasks: Task) -> Task:
    def work(place: Place, input: Any) -> Done:
        branches = {}
        outputs = []
        for number, task in enumerate(tasks):
            branch = place.inside("fork/branches", number, task.name)
            done = task.done(branch, input)
            branches[branch.path] = done.history
            outputs.append(done.output)
        return Done([Fork(branches)], outputs)

    return Task(name, {"fork": {"branches": _items(tasks)}}, work)


def _faulted(place: Place, input: Any, error: tuple[str, int, str]) -> Iterator[Told]:
    yield Told(type="task.created", task=place.path, attempt=place.attempt)
    yield Told(type="task.started", task=place.path, attempt=place.attempt, input=input)
    yield Told(type="task.faulted", task=place.path, attempt=place.attempt, error=error)


def _tried_again(name: str, service: str, run: str) -> Task:
    """A call in a loop that fails twice in each iteration."""
    path = f"{service}/flaky/{_FAILURES}/{run}-"
    send = _post("send", f'${{ "{path}" + ($item | tostring) }}', {"try": _FAILURES + 1})

    def work(place: Place, input: Any) -> Done:
        told: list[Told | Fork] = []
        for attempt in range(1, _FAILURES + 2):
            inside = place.inside("try", 0, "send").at(attempt)
            if attempt > 1:
                told.append(Told(type="task.retried", task=place.path, attempt=attempt))
            if attempt <= _FAILURES:
                error = (f"{_ERRORS}communication", 503, inside.pointer)
                told += _faulted(inside, input, error)
        done = send.done(inside, input)
        return Done([*told, *done.history], done.output)

    retry = {"delay": {"milliseconds": 20}, "limit": {"attempt": {"count": _FAILURES}}}
    return Task(name, {"try": [send.item], "catch": {"retry": retry}}, work)


def _caught(name: str) -> Task:
    mend = _set("mend", {"mended": True})
    error = {"type": "https://errors.test/broken", "status": 418}

    def work(place: Place, input: Any) -> Done:
        inside = place.inside("try", 0, "break")
        fault = (str(error["type"]), 418, inside.pointer)
        done = mend.done(place.inside("catch/do", 0, "mend"), input)
        return Done([*_faulted(inside, input, fault), *done.history], done.output)

    broken = {"break": {"raise": {"error": error}}}
    return Task(name, {"try": [broken], "catch": {"do": [mend.item]}}, work)


def _held(name: str, data: Any) -> Task:
    """Listens for one event, and is suspended and resumed before it comes."""

    def work(place: Place, input: Any) -> Done:
        told: list[Told | Fork] = []
        for what in ("suspended", "resumed"):
            told += [Told(type=f"workflow.{what}", task="")]
            told += [Told(type=f"task.{what}", task=place.path)]
        return Done(told, [data])

    return Task(name, {"listen": {"to": {"one": {"with": {"type": "go"}}}}}, work)


def _passed_over() -> Json:
    return {"never": {"if": "${ false }", "set": {"wrong": True}}}


class LongRun:
    """One run: its tasks for a service, and the history that it must have.

    `run` tells what it calls from what other runs do.
    """

    def __init__(self, *, service: str, run: str, data: Any) -> None:
        """`data` is that of the event for which it listens."""
        self._tasks = [
            _set("begin", {"run": run}),
            _for(
                "each",
                _ITEMS,
                _pet("ask", service, 1),
                _fork(
                    "split",
                    _do("left", _pet("call", service, 2), _set("keep", {"left": 2})),
                    _do("right", _wait("pause", 10), _set("keep", {"right": [1, None, "\u00e9"]})),
                    _pet("third", service, 3),
                ),
                _tried_again("again", service, run),
                _set("note", {"noted": True}),
            ),
            _caught("careful"),
            _wait("rest", 1100),
            _set("fold", {"folded": "x" * 2000}),
            _held("hold", data),
            _fork(
                "rounds",
                _for("odd", _ROUNDS, _pet("ask", service, 5), _set("keep", {"odd": True})),
                _for("even", _ROUNDS, _pet("ask", service, 6), _set("keep", {"even": True})),
            ),
            _for("last", _LAST_ITEMS, _set("one", {"n": 1}), _set("two", {"n": 2.5})),
        ]

    @property
    def tasks(self) -> list[Json]:
        """Those of the definition."""
        return [*_items(self._tasks), _passed_over()]

    def history(self, input: Any) -> History:
        """What it tells, from its start to its end."""
        done = _sequence(self._tasks, Place(), input)
        started = Told(type="workflow.started", task="", input=input)
        completed = Told(type="workflow.completed", task="", output=done.output)
        return [started, *done.history, completed]
