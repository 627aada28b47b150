"""DSL reference, "Document": what a definition says of itself."""

import re

from biz.dsl.model import Document
from biz.dsl.reading.reader import Node

_MAPPINGS = ("tags", "metadata")
_NAME = re.compile(r"[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?")
_SEMANTIC_VERSION = re.compile(
    r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)"
    r"(?:-((?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(?:\.(?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*))?"
    r"(?:\+([0-9a-zA-Z-]+(?:\.[0-9a-zA-Z-]+)*))?",
    re.ASCII,
)
_SUPPORTED_DSL = re.compile(r"1\.0\.\d+(?:[-+].*)?")


def read_document(node: Node) -> Document:
    """The document of a definition."""
    fields = node.object(
        required=("dsl", "namespace", "name", "version"),
        optional=("title", "summary", *_MAPPINGS),
    )
    texts = {key: node.string() for key, node in fields.items() if key not in _MAPPINGS}
    for key in _MAPPINGS:
        if key in fields:
            fields[key].mapping()
    for key in ("namespace", "name"):
        if fields[key].is_string and not _NAME.fullmatch(texts[key]):
            fields[key].error(
                "invalid-value",
                "must be 1 to 63 letters, digits and dashes, no dash first or last",
            )
    for key in ("dsl", "version"):
        if fields[key].is_string and not _SEMANTIC_VERSION.fullmatch(texts[key]):
            fields[key].error("invalid-value", 'must be a semantic version, such as "1.0.0"')
        elif key == "dsl" and texts[key] and not _SUPPORTED_DSL.fullmatch(texts[key]):
            fields[key].error("unsupported-version", "only 1.0.x is supported")
    return Document(**texts)
