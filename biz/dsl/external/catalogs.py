"""Where functions are that a definition doesn't hold itself (DSL, "Catalogs").

A page of GitHub or GitLab stands for the raw document that it shows, and a folder there for the
function in it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

FORM = "{functionName}:{functionVersion}@{catalogName}"
_REFERENCE = re.compile(r"([^:@\s]+):([^:@\s]+)@([^@\s]+)")
_FILE = "function.yaml"
_DOCUMENTS = (".json", ".yaml", ".yml")

_GITHUB = re.compile(
    r"/(?P<repository>[^/]+/[^/]+?)(?:\.git)?(?:/(?:tree|blob|raw)/(?P<ref>[^/]+))?(?P<path>/.*)?"
)
_GITLAB = re.compile(r"(?P<project>/.+?)/-/(?:tree|blob|raw)/(?P<ref>[^/]+)(?P<path>/.*)?")
_COMMIT = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True, slots=True)
class CatalogedFunction:
    """The function that `name:version@catalog` names."""

    name: str
    version: str
    catalog: str

    def uri(self, root: str) -> str:
        """Where it is in a catalog of this root URL; a root that is no URL stays."""
        try:
            parts = urlsplit(root)
            hostname = parts.hostname
        except ValueError:
            return root
        path = parts.path.rstrip("/")
        if hostname == "gitlab.com" and "/-/" not in path:
            path += "/-/raw/HEAD"
        for segment in ("functions", self.name, self.version, _FILE):
            path += "/" + quote(segment, safe="")
        return raw_uri(parts._replace(path=path).geturl())


def parse_reference(text: str) -> CatalogedFunction | None:
    """The cataloged function that a text names, None where it has another form."""
    found = _REFERENCE.fullmatch(text)
    return CatalogedFunction(*found.groups()) if found else None


def raw_uri(uri: str) -> str:
    """The URI of the document itself; other URIs than those of GitHub and GitLab stay."""
    try:
        parts = urlsplit(uri)
        host = parts.hostname
    except ValueError:
        return uri
    if host in ("github.com", "www.github.com") and (found := _GITHUB.fullmatch(parts.path)):
        path, _, tag = (found["path"] or "").partition("@")
        ref = tag or _ref(found["ref"])
        path = f"/{found['repository']}/{ref}{_in_folder(path)}"
        return parts._replace(netloc="raw.githubusercontent.com", path=path).geturl()
    if found := _GITLAB.fullmatch(parts.path):
        path = f"{found['project']}/-/raw/{found['ref']}{_in_folder(found['path'] or '')}"
        return parts._replace(path=path).geturl()
    return uri


def _ref(branch: str | None) -> str:
    if branch is None:
        return "HEAD"
    return branch if _COMMIT.fullmatch(branch) else f"refs/heads/{branch}"


def _in_folder(path: str) -> str:
    """The path of a document, or of the function in a folder."""
    return path if path.endswith(_DOCUMENTS) else f"{path.rstrip('/')}/{_FILE}"
