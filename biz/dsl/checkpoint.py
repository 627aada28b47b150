"""Where a run stands, so that another one can take up from there.

While tasks are done, each notes what it would need to go on: the data it works on, the task of a
list that is being done, the number of an iteration. What is done drops its notes, so that they are
as many as what is under way. A run that takes up does the same tasks again, and each asks for the
note of the one before it.

A note is a JSON value under the path of its task or list, followed by what it is, such as
`/do/4/loop/#index`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, pairwise
from typing import Any, Final

MAX_CHECKPOINT_LENGTH = 1_500_000
"""What a checkpoint may take, in characters: Temporal carries it to the run that takes up."""

DATA: Final = "/#data"
"""What goes into a task, before any transformation."""

CONTEXT: Final = "/#context"
"""What `$context` is to be when a task begins, where a run takes up in the middle of another."""

INPUT: Final = "/#input"
"""What a task works on; it is kept of a task whose own tasks are under way."""

AT: Final = "/#at"
"""The name of the task of a list that is being done."""

INDEX: Final = "/#index"
"""The number of the iteration that is being done."""

ITEMS: Final = "/#items"
"""What is iterated over."""

RESULT: Final = "/#result"
"""What the iterations before gave, or what a task gave whose extension is under way."""

OUTPUT: Final = "/#output"
"""What a branch gave that is done."""

ERROR: Final = "/#error"
"""The error that is being handled."""

EVENT: Final = "/#event"
"""The event, or message, that is being processed, and its number among those that count."""

BATCH: Final = "/#batch"
"""The messages that were received and aren't processed, and how far that was."""

LISTENING: Final = "/#listening"
"""What is listened for still, apart from that event."""

OUTPUTS: Final = "/#outputs"
"""What has come of the events before."""

DONE: Final = "/#done"
"""What a task has given, and where it led, before its `output` and `export`."""

CHILD: Final = "/#child"
"""The execution of the workflow that a task has run, and whether a newer version takes up."""

BEFORE: Final = "/#before"
"""Says that what an extension does before is done."""


class CannotTakeUp(Exception):
    """Nothing can take up there; the text says why, and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """Where a run stands. `context` is `$context`; `consumed` are the events it has consumed,
    in order.

    `faulted` is the path of the task that faulted it, empty where none did.
    """

    context: Any = None
    consumed: Sequence[int] = ()
    faulted: str = ""
    notes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def anew(self) -> str:
        """The path of the task that begins anew, empty where all goes on that was under way."""
        beginning = {self.faulted + DATA, self.faulted + CONTEXT}
        noted = (key for key in self.notes if key.startswith(f"{self.faulted}/"))
        return self.faulted if beginning.issuperset(noted) else ""

    def to_text(self) -> str:
        """One text, in which a value that several notes share stands once."""
        values: list[str] = []
        places: dict[int, int] = {}

        def place(value: Any) -> int:
            if id(value) not in places:
                values.append(json.dumps(value, separators=(",", ":")))
                places[id(value)] = len(values) - 1
            return places[id(value)]

        context = place(self.context)
        notes = {}
        for key, value in self.notes.items():
            try:
                notes[key] = place(value)
            except TypeError:  # it reads secrets: it is evaluated anew
                continue
        gaps = [after - before for before, after in pairwise((0, *self.consumed))]
        head = json.dumps([context, gaps, self.faulted, notes], separators=(",", ":"))
        return f'{{"head":{head},"values":[{",".join(values)}]}}'

    @classmethod
    def from_text(cls, text: str) -> Checkpoint:
        """The inverse of `to_text`."""
        return cls.from_json(json.loads(text))

    @classmethod
    def from_json(cls, content: Any) -> Checkpoint:
        """The checkpoint of the JSON value that its text is of."""
        values = content["values"]
        context, gaps, faulted, notes = content["head"]
        return cls(
            context=values[context],
            consumed=list(accumulate(gaps)),
            faulted=faulted,
            notes={key: values[place] for key, place in notes.items()},
        )


class Notes:
    """What the tasks of a run have noted, and what those of a run before it had."""

    def __init__(self, before: Mapping[str, Any]) -> None:
        """`before` are the notes of the checkpoint that the run takes up from."""
        self._before = dict(before)
        self._notes: dict[str, Any] = {}

    def put(self, path: str, what: str, value: Any) -> None:
        """Notes, in place of what was noted there."""
        self._notes[path + what] = value

    def drop(self, path: str, *whats: str) -> None:
        """What was noted isn't needed any more."""
        for what in whats:
            self._notes.pop(path + what, None)

    def take(self, path: str, what: str, default: Any = None) -> Any:
        """What the run before had noted, once; `default` where it hadn't, or it was taken."""
        return self._before.pop(path + what, default) if self._before else default

    def forget(self, path: str) -> None:
        """Nothing beneath a path is under way any more."""
        beneath = f"{path}/"
        for notes in (self._notes, self._before):
            for key in [key for key in notes if key.startswith(beneath)]:
                del notes[key]

    def all(self) -> Mapping[str, Any]:
        """All that a run needs to take up here."""
        notes = {**self._before, **self._notes}
        return {
            key: value
            for key, value in notes.items()
            if not key.endswith(INPUT) or _has_beneath(notes, key.removesuffix(INPUT))
        }


def _has_beneath(notes: Mapping[str, Any], path: str) -> bool:
    """Whether something within a task was noted."""
    return any(key.startswith(f"{path}/") and not key.startswith(f"{path}/#") for key in notes)
