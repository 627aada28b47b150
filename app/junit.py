"""Results of tests as JUnit's XML, which servers of continuous integration read."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from app.failure import Failure


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """The cases of one file by name, each with what is wrong, a line for each fault."""

    name: str
    cases: Sequence[tuple[str, Sequence[str]]]


def write_junit(file: Path, suites: Sequence[Suite]) -> None:
    """Writes the results; raises Failure."""
    root = ElementTree.Element("testsuites")
    for suite in suites:
        failures = sum(bool(faults) for _, faults in suite.cases)
        parent = ElementTree.SubElement(
            root,
            "testsuite",
            name=suite.name,
            tests=str(len(suite.cases)),
            failures=str(failures),
            errors="0",
        )
        for name, faults in suite.cases:
            case = ElementTree.SubElement(
                parent, "testcase", name=_text(name), classname=_text(suite.name)
            )
            if faults:
                failure = ElementTree.SubElement(case, "failure", message=_text(faults[0]))
                failure.text = _text("\n".join(faults))
    ElementTree.indent(root)
    try:
        ElementTree.ElementTree(root).write(file, encoding="utf-8", xml_declaration=True)
    except OSError as error:
        raise Failure(f"{file} can't be written: {error.strerror}") from error


def _text(text: str) -> str:
    """What XML can hold of a text."""
    return "".join(char if char.isprintable() or char in "\n\t" else "\ufffd" for char in text)
