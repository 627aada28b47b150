"""Draws the examples into docs/pictures: `python -m app.documentation.example_pictures`."""

from collections.abc import Mapping
from pathlib import Path

from biz.dsl.validator import check
from biz.pictures.outlining import outline
from biz.pictures.svg import to_svg

ROOT = Path(__file__).parents[2]
PICTURES = ROOT / "docs/pictures"


def pictures() -> Mapping[str, str]:
    """The picture of each example, by the name of its file."""
    return {
        f"{file.parent.name}.svg": to_svg(outline(check(file.read_text()).require()))
        for file in sorted(ROOT.glob("examples/*/workflow.yaml"))
    }


def _write() -> None:
    PICTURES.mkdir(exist_ok=True)
    drawn = pictures()
    for file in PICTURES.glob("*.svg"):
        if file.name not in drawn:
            file.unlink()
    for name, svg in drawn.items():
        (PICTURES / name).write_text(svg)


if __name__ == "__main__":
    _write()
