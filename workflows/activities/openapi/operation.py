"""An operation of an OpenAPI document, in one form for all versions of OpenAPI."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum


class Place(StrEnum):
    """Where in a request a parameter stands."""

    PATH = "path"
    QUERY = "query"
    HEADER = "header"
    COOKIE = "cookie"


class Style(StrEnum):
    """How arrays and objects are written: the styles of OpenAPI 3, and what the
    `collectionFormat` of OpenAPI 2.0 and the `content` of OpenAPI 3 have besides.
    """

    SIMPLE = "simple"
    LABEL = "label"
    MATRIX = "matrix"
    FORM = "form"
    SPACE = "spaceDelimited"
    PIPE = "pipeDelimited"
    TAB = "tabDelimited"
    DEEP = "deepObject"
    JSON = "json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A parameter of an operation."""

    name: str
    place: Place
    style: Style
    explode: bool = False
    is_required: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A property of a body. `style` and `explode` are those of a form's field."""

    style: Style = Style.FORM
    explode: bool = True
    is_required: bool = False
    is_file: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """What an operation takes as its body.

    `name` is the parameter that is the body as a whole, empty where there is none. The others that
    are given make its properties; where it `is_closed`, only those in `fields`.
    """

    name: str
    media_type: str
    is_required: bool = False
    fields: Mapping[str, Field] = field(default_factory=dict)
    is_closed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """An operation.

    `url` is absolute, with the path's templates. `keys` are the API keys of its security schemes,
    by the names under which they may be given. `accepts` is the value of an Accept header.
    """

    id: str
    method: str
    url: str
    parameters: Sequence[Parameter]
    keys: Mapping[str, Parameter]
    body: Body | None
    accepts: str
