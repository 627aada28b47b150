"""Percentiles on SQLite, which has none."""

import json
from array import array

from biz.statistics import percentiles


class SqlitePercentiles:
    """The aggregate of SQLite that stands in for `percentile_disc`: a JSON array, null of nothing.

    A query calls it as `PERCENTILES(column)`.
    """

    def __init__(self) -> None:
        self._values = array("q")

    def step(self, value: int | None) -> None:
        """Takes one value; null doesn't count."""
        if value is not None:
            self._values.append(value)

    def finalize(self) -> str | None:
        """The values of `biz.statistics.PERCENTILES`."""
        return json.dumps(percentiles(sorted(self._values))) if self._values else None
