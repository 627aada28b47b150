"""The text of a definition: JSON or YAML into JSON values, and where each value stands in it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from biz.dsl.reading import json_source, yaml_source
from biz.dsl.reading.positions import Position, SourceError


@dataclass(frozen=True, slots=True)
class Source:
    """A text that could be read."""

    value: Any
    _text: str
    _locate: Callable[[str], Mapping[str, Position]]

    def positions(self) -> Mapping[str, Position]:
        """The place of each value in the text, by its JSON pointer."""
        return self._locate(self._text)


def read(text: str, *, any_keys: bool = False) -> Source:
    """Reads JSON, or YAML where it isn't JSON. Raises SourceError.

    With `any_keys`, those of YAML that aren't strings, such as 200, are taken as written.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        raise SourceError("holds half of a surrogate pair") from None
    if not text.lstrip().startswith("{"):
        return Source(yaml_source.load(text, any_keys=any_keys), text, yaml_source.positions)
    try:
        return Source(json_source.load(text), text, json_source.positions)
    except json_source.NotJson as not_json:
        try:
            value = yaml_source.load(text, any_keys=any_keys)
            return Source(value, text, yaml_source.positions)
        except SourceError:
            raise SourceError(f"not JSON: {not_json}", not_json.position) from None
