"""JSON that is given to a command."""

import json
from pathlib import Path

from google.protobuf.json_format import ParseDict, ParseError
from google.protobuf.struct_pb2 import Value

from app.failure import Failure
from app.text_file import read_text


def json_argument(text: str, *, name: str) -> Value:
    """The JSON value in `text`, or in the file that it names by @FILE; raises Failure.

    `name` is what the command line calls it.
    """
    try:
        if text.startswith("@"):
            text = read_text(Path(text[1:]))
        return ParseDict(json.loads(text), Value())
    except Failure as failure:
        raise Failure(f"{name}: {failure.message}") from failure
    except (ValueError, ParseError) as error:
        raise Failure(f"{name} isn't JSON: {error}; write JSON or @FILE") from error
