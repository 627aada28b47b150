"""Text as it stands in a picture: made harmless, measured, and cut where it is too long."""

from __future__ import annotations

import re
import unicodedata

_UNSHOWABLE = re.compile(
    "[\0-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)
"""Control characters, those that turn the direction of others, and what XML can't hold."""

_FIRST = 32
_WIDTHS = (
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278,
    556, 556, 556, 556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556,
    1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833, 722, 778,
    667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556,
    333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556,
    556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584,
)  # fmt: skip
"""Of the printable characters of ASCII in a common font without serifs, in thousandths of an em."""

_OTHER = 600
_WIDE = 1000
_SLACK = 1.17
"""Fonts differ."""

_BOLD = 1.07
_MONO = 610
_ELLIPSIS = "…"


def showable(text: str) -> str:
    """The text in one line, with a mark in place of each character that can do harm."""
    return _UNSHOWABLE.sub("\N{REPLACEMENT CHARACTER}", text.replace("\n", " "))


def width(text: str, size: int, *, is_bold: bool = False, is_mono: bool = False) -> float:
    """How wide a text is at most, about, in a font of a size."""
    thousandths = sum(_mono(c) if is_mono else _proportional(c) for c in text)
    return thousandths * size / 1000 * (_BOLD if is_bold else 1) * (1 if is_mono else _SLACK)


def fit(text: str, most: float, size: int, *, is_bold: bool = False, is_mono: bool = False) -> str:
    """As much of a text as is no wider than `most`."""
    if width(text, size, is_bold=is_bold, is_mono=is_mono) <= most:
        return text
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        cut = text[:middle].rstrip() + _ELLIPSIS
        if width(cut, size, is_bold=is_bold, is_mono=is_mono) <= most:
            low = middle
        else:
            high = middle - 1
    return text[:low].rstrip() + _ELLIPSIS


def _proportional(character: str) -> int:
    place = ord(character) - _FIRST
    if 0 <= place < len(_WIDTHS):
        return _WIDTHS[place]
    return _WIDE if _is_wide(character) else _OTHER


def _mono(character: str) -> int:
    return _WIDE if _is_wide(character) else _MONO


def _is_wide(character: str) -> bool:
    return character > "\u1100" and unicodedata.east_asian_width(character) in "WF"
