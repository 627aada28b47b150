"""Tells the log of a call what its process writes, line by line as it comes."""

import codecs
from types import TracebackType
from typing import Self

from biz.logs.log import LogLevel
from workflows.activities.call_log import LONGEST_LINE, log_line

_LONGEST_KEPT = 8 * LONGEST_LINE
"""Characters of a line that hasn't ended; of a longer one the rest isn't looked at."""


class OutputLines:
    """The lines of one stream. What stands before the end of a block is its last line."""

    def __init__(self, stream: str) -> None:
        """`stream` is stdout or stderr."""
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._begun: list[str] = []
        self._length = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._add(self._decoder.decode(b"", final=True))
        self._end()

    def feed(self, data: bytes) -> None:
        """Takes what was written next."""
        *lines, rest = self._decoder.decode(data).split("\n")
        for line in lines:
            self._add(line)
            self._end()
        self._add(rest)

    def _add(self, part: str) -> None:
        if room := _LONGEST_KEPT - sum(map(len, self._begun)):
            self._begun.append(part[:room])
        self._length += len(part)

    def _end(self) -> None:
        line = "".join(self._begun).removesuffix("\r")
        left_out = self._length - sum(map(len, self._begun))
        self._begun, self._length = [], 0
        if not line:
            return
        fields: dict[str, object] = {"stream": self._stream}
        if left_out:
            fields["left_out"] = left_out
        log_line(LogLevel.INFO, line, fields)
