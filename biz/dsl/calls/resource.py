"""DSL reference, "External Resource": a document as it is fetched for a call."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from biz.dsl.credentials import Credentials
from biz.dsl.errors import TaskFault, WorkflowError


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """Where a document is, and what it is fetched with. `uri` is what an expression gave."""

    uri: Any
    authentication: Credentials | None = None

    @property
    def scheme(self) -> str:
        """The scheme of its URI, such as https; empty where it has none."""
        return scheme_of(self.uri) if isinstance(self.uri, str) else ""

    def require_valid(self) -> None:
        """Raises TaskFault where it can't be fetched: documents are had by http and https only."""
        if not isinstance(self.uri, str):
            detail = "the expression of a document's endpoint must give a string"
            raise TaskFault(WorkflowError.standard("expression", detail))
        if not is_fetchable(self.uri):
            detail = f"a document can't be fetched by {self.scheme or 'a URI without a scheme'}; "
            detail += "it must be an http or https URI"
            raise TaskFault(WorkflowError.standard("configuration", detail))
        if self.authentication is not None:
            self.authentication.require_valid()


def is_fetchable(uri: str) -> bool:
    """Whether documents are fetched from such a URI."""
    return scheme_of(uri) in ("http", "https")


def scheme_of(uri: str) -> str:
    """A URI's scheme in lower case; empty where it has none."""
    try:
        return urlsplit(uri).scheme
    except ValueError:
        return ""
