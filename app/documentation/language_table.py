"""Prints docs/language.md: `python -m app.documentation.language_table`."""

import sys
from collections.abc import Iterator
from pathlib import Path

from app.documentation.language_constructs import SECTIONS, Construct

ROOT = Path(__file__).parents[2]
_INTRODUCTION = """\
# The language

A matrix of the Open Workflow DSL 1.0, construct by construct: what a definition may hold, where it
is implemented, and which test shows it. It teaches nothing; [examples](../examples) does, with
workflows to read and run. A construct that
isn't supported is refused when a template is stored; [diagnostics](diagnostics.md) lists what else
is.
Where the standard lets a runtime choose, the choice stands under "Limits"."""
_HEAD = """\
| Construct | Properties | Supported | Limits | Implemented in | Shown by |
|---|---|---|---|---|---|"""


def lines() -> Iterator[str]:
    """The lines of the document."""
    yield _INTRODUCTION
    for section, constructs in SECTIONS.items():
        yield f"\n## {section}\n{_HEAD}"
        yield from (_line(construct) for construct in constructs)


def source(construct: Construct) -> Path:
    """The file that implements a construct, where it is implemented."""
    return ROOT / "biz/dsl" / construct.file


def _line(construct: Construct) -> str:
    properties = ", ".join(f"`{name}`" for name in construct.properties.split())
    if not source(construct).is_file():
        return f"| {construct.name} | {properties} | not yet | | | |"
    path, _, test = construct.test.partition("::")
    cells = (
        construct.name,
        properties,
        "yes",
        construct.limits,
        f"[{construct.file}](../biz/dsl/{construct.file})",
        f"[{test or Path(path).name}](../{path})",
    )
    return f"| {' | '.join(cells)} |".replace("|  |", "| |")


if __name__ == "__main__":
    sys.stdout.writelines(f"{line}\n" for line in lines())
