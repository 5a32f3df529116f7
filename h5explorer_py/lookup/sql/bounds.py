"""What a condition may cost.

DuckDB computes a condition for 2,048 rows at a time, can be interrupted only between them, and does not count the
memory of the values within: ``repeat('a', 2000000000)`` takes 4 GB and 15 s under a limit of 300 MB, whoever
asks it to stop. So the cost is bounded before it runs: every expression has a size, the bytes that its value in one row
can have where a column's have ``COLUMN_BYTES``, and a work, the sum over all that is computed on the way to it.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from h5explorer_py.errors import ConditionError

COLUMN_BYTES = 128
"""What a column's value is taken to have. Longer ones cost more in proportion."""

MOST_WORK = 1 << 17
"""What a row may cost: 2,048 such rows in 2 threads are 0.5 GB and about a second."""

MOST_PATTERN = 2_000
"""Parts that a regular expression may have once its counted repetitions are written out. ``(a?){900}`` takes more
than 20 s for 2,048 values of 3,000 characters."""

_COUNT = re.compile(r"\{(\d*)(?:,(\d*))?\}")


class Piece(NamedTuple):
    """A part of a condition that has been written.

    Parameters
    ----------
    sql : str
        It, as DuckDB takes it.
    size : int
        The bytes, or elements, that its value in one row can have.
    work : int
        What it costs to compute in one row.
    text : str or None
        Its value, where it is a text that is written out.
    number : int or None
        Its value, where it is a whole number that is written out.
    length : int or None
        The elements that it can have, being a list, where they are fewer than its size.
    """

    sql: str
    size: int
    work: int
    text: str | None = None
    number: int | None = None
    length: int | None = None

    @property
    def elements(self) -> int:
        """The elements that it can have, being a list."""
        return self.size if self.length is None else self.length


def pattern_parts(pattern: str) -> int:
    """Return a bound on the parts of a regular expression with its counted repetitions written out.

    Counts behind a bracket or another count multiply, as those may be within one another; others add.
    """
    size = len(pattern)
    times = 1
    for found in _COUNT.finditer(pattern):
        count = max(int(number[:6]) for number in (found[1] or "1", found[2] or found[1] or "1")) + 1
        if pattern[: found.start()].rstrip("?*+").endswith((")", "}")):
            times *= count
        else:
            size += count
    return size * times


def check_pattern(pattern: str | None, position: int) -> int:
    """Return the parts of a regular expression.

    Raises
    ------
    ConditionError
        Where it is not written out, or has too many.
    """
    if pattern is None:
        raise ConditionError(
            "A regular expression has to be written out.",
            action="For a text of another column there are contains(), starts_with() and LIKE.",
            position=position,
        )
    parts = pattern_parts(pattern)
    if parts > MOST_PATTERN:
        raise ConditionError(
            "The regular expression is too large.", action="Repeat fewer parts less often.", position=position
        )
    return parts


def too_much(position: int) -> ConditionError:
    """Return the error for what would cost too much."""
    return ConditionError(
        "The condition makes more out of each row than can be computed in bounds.",
        action="Repeat less, and put fewer list functions into one another.",
        position=position,
    )
