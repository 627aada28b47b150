"""Expressions that are left to the activity which makes a call, since they read secrets.

DSL, "Runtime expression arguments": `$secrets` and `$authorization`. Inside of a workflow such an
expression gives a Deferred in place of its value, and so does each that reads the value. When the
call leaves the workflow, they are taken out of it: it carries null at their places, and a Deferral
beside its values. No value is ever read as an expression, so data can't forge one.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, TypeVar

SECRETS = "secrets"
AUTHORIZATION = "authorization"
LEFT_TO_ACTIVITIES = frozenset({SECRETS, AUTHORIZATION})
"""The arguments that only an activity has."""

Path = Sequence[str | int]
"""Fields, keys and indexes from a value to one in it."""

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Deferred:
    """Stands for what an expression, or a URI template, will give on `data`.

    `arguments` are those of the expression, but for the ones that only an activity has. Both may
    hold other Deferreds. `otherwise` stands for the value where the expression fails, if given.
    """

    text: str
    is_template: bool
    data: Any
    arguments: Mapping[str, Any]
    otherwise: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Hole:
    """A place for the result of a step."""

    path: Path
    step: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A Deferred, as it is carried; its holes are for results of steps before it."""

    text: str
    is_template: bool
    data: Any
    arguments: Mapping[str, Any]
    otherwise: str | None
    holes: Sequence[Hole]


@dataclass(frozen=True, slots=True, kw_only=True)
class Deferral:
    """What is to be evaluated for a call, in order, and where in the call its results belong.

    `secrets` are the names of all secrets that the definition lists.
    """

    secrets: Sequence[str] = ()
    steps: Sequence[Step] = ()
    holes: Sequence[Hole] = ()


NOTHING = Deferral()


def defer(value: _T, secrets: Sequence[str]) -> tuple[_T, Deferral]:
    """A value with null at the places of its Deferreds, and what belongs there."""
    taken = _Taken()
    holes: list[Hole] = []
    rest = taken.out_of(value, (), holes)
    if not holes:
        return value, NOTHING
    return rest, Deferral(secrets=secrets, steps=taken.steps, holes=holes)


def withhold(value: _T) -> _T:
    """A value with null in place of what reads secrets."""
    return defer(value, ())[0]


async def fill(value: _T, holes: Sequence[Hole], result: Callable[[int], Awaitable[Any]]) -> _T:
    """A value with the results of steps at their places; `result` gives that of a step."""
    for hole in holes:
        value = _with(value, hole.path, await result(hole.step))
    return value


class _Taken:
    """The steps that were taken out of a value; each Deferred is one, wherever it stands."""

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self._known: dict[int, int] = {}

    def out_of(self, value: Any, path: tuple[str | int, ...], holes: list[Hole]) -> Any:
        if isinstance(value, Deferred):
            holes.append(Hole(path=path, step=self._step(value)))
            return None
        if isinstance(value, dict):
            return {key: self.out_of(item, (*path, key), holes) for key, item in value.items()}
        if isinstance(value, list):
            return [self.out_of(item, (*path, i), holes) for i, item in enumerate(value)]
        if is_dataclass(value) and not isinstance(value, type):
            names = [field.name for field in fields(value)]
            items = {
                name: self.out_of(getattr(value, name), (*path, name), holes) for name in names
            }
            return replace(value, **items)
        return value

    def _step(self, deferred: Deferred) -> int:
        known = self._known.get(id(deferred))
        if known is not None:
            return known
        holes: list[Hole] = []
        step = Step(
            text=deferred.text,
            is_template=deferred.is_template,
            data=self.out_of(deferred.data, ("data",), holes),
            arguments=self.out_of(deferred.arguments, ("arguments",), holes),
            otherwise=deferred.otherwise,
            holes=holes,
        )
        self.steps.append(step)
        self._known[id(deferred)] = len(self.steps) - 1
        return len(self.steps) - 1


def _with(value: Any, path: Path, found: Any) -> Any:
    """The same value, but for what stands at `path`."""
    if not path:
        return found
    key, rest = path[0], path[1:]
    if isinstance(value, list):
        index = int(key)
        return [*value[:index], _with(value[index], rest, found), *value[index + 1 :]]
    if isinstance(value, dict):
        return {**value, key: _with(value[key], rest, found)}
    return replace(value, **{str(key): _with(getattr(value, str(key)), rest, found)})
