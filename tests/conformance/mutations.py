"""Definitions grown from others by small changes at random places."""

import json
import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

_OTHER_TYPES: Sequence[Any] = (None, True, False, 0, 1, 2.5, -1, "", "text", [], {}, ["text"])
_TEXTS = (
    *("${ .a }", ".a", "${ .a", "PT1S", "P1D", "P", "1.0.3", "1.1.0", "01.0.0", "a b", "-a"),
    *("continue", "exit", "end", "http", "grpc", "jq", "strict", "loose", "data", "raw", "all"),
    *("https://pets.test/{id}", "not a uri", "/do/0/a", "0 0 * * *", "stdout", "always", "json"),
)


class Mutator:
    """Changes definitions; the same seed changes them alike."""

    def __init__(self, definitions: Mapping[str, Any], *, seed: int) -> None:
        self._random = random.Random(seed)
        self._definitions = list(definitions.values())
        self._by_key: dict[str, list[Any]] = {}
        for definition in self._definitions:
            for parent, key in _places(definition):
                if isinstance(key, str):
                    self._by_key.setdefault(key, []).append(parent[key])
        self._keys = sorted(self._by_key)

    def next(self) -> Any:
        """A definition with one to three changes."""
        definition = _copy(self._random.choice(self._definitions))
        for _ in range(self._random.choice((1, 1, 1, 2, 3))):
            self._change(definition)
        return definition

    def _change(self, definition: Any) -> None:
        places = list(_places(definition))
        if not places:
            return
        parent, key = self._random.choice(places)
        change = self._random.choice(
            (self._delete, self._rename, self._double, self._retype, self._replace, self._splice)
        )
        change(parent, key)

    def _delete(self, parent: Any, key: Any) -> None:
        del parent[key]

    def _rename(self, parent: Any, key: Any) -> None:
        if not isinstance(parent, dict):
            return
        new = self._random.choice((key + "s", key[:-1], self._random.choice(self._keys)))
        renamed = {new if name == key else name: value for name, value in parent.items()}
        parent.clear()
        parent.update(renamed)

    def _double(self, parent: Any, key: Any) -> None:
        if isinstance(parent, dict):
            parent[self._random.choice(self._keys)] = _copy(parent[key])
        else:
            parent.insert(key, _copy(parent[key]))

    def _retype(self, parent: Any, key: Any) -> None:
        value = parent[key]
        parent[key] = self._random.choice((*_OTHER_TYPES, [value], {"text": value}, str(value)))

    def _replace(self, parent: Any, key: Any) -> None:
        parent[key] = self._random.choice(_TEXTS)

    def _splice(self, parent: Any, key: Any) -> None:
        """Puts what stands under the same name elsewhere, or anything at all."""
        name = key if key in self._by_key else self._random.choice(self._keys)
        if self._random.random() < 0.2:
            name = self._random.choice(self._keys)
        value = _copy(self._random.choice(self._by_key[name]))
        if isinstance(parent, dict) and name != key and self._random.random() < 0.5:
            parent[name] = value
        else:
            parent[key] = value


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Each place in a value: an object or array, and a key or index of it."""
    if isinstance(value, dict | list):
        for key in list(value) if isinstance(value, dict) else range(len(value)):
            yield value, key
            yield from _places(value[key])


def _copy(value: Any) -> Any:
    return json.loads(json.dumps(value))
