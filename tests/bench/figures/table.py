"""The table of figures, as Markdown."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

HEADINGS = ("Operation", "Ours", "Beside", "Theirs", "Ratio", "At most", "Peak, MB", "Reads", "Holds")


@dataclass(frozen=True)
class Line:
    """One figure.

    Attributes
    ----------
    operation : str
        What was done.
    ours, theirs : float or None
        Seconds.
    peer : str
        What it is measured beside.
    ratio, bar : float or None
        Ours to theirs, and what that should be at most.
    peak, peak_bar : float or None
        The most memory of the kernel's process, in megabytes, and what that should be at most.
    peer_peak : float or None
        The most memory that the other way took.
    reads, reads_bar : float or None
        Read calls, and how many they should be at most.
    """

    operation: str
    ours: float | None = None
    peer: str = ""
    theirs: float | None = None
    ratio: float | None = None
    bar: float | None = None
    peak: float | None = None
    peak_bar: float | None = None
    peer_peak: float | None = None
    reads: float | None = None
    reads_bar: float | None = None

    @property
    def holds(self) -> bool | None:
        """Whether all bars hold; ``None`` where there is none."""
        pairs = ((self.ratio, self.bar), (self.peak, self.peak_bar), (self.reads, self.reads_bar))
        known = [(value, bar) for value, bar in pairs if value is not None and bar is not None]
        judged = [value <= bar for value, bar in known if not math.isnan(value)]
        return all(judged) if judged else None

    def cells(self) -> tuple[str, ...]:
        """Return the texts of the columns of ``HEADINGS``."""
        peaks = [f"{self.peak:,.0f}" if self.peak is not None else "", _beside(self.peer_peak)]
        bars = [
            ratio_text(self.bar) if self.bar is not None else "",
            f"{self.peak_bar:,.0f} MB" if self.peak_bar is not None else "",
            f"{self.reads_bar:g} reads" if self.reads_bar is not None else "",
        ]
        reads = "" if self.reads is None or math.isnan(self.reads) else f"{self.reads:g}"
        return (
            self.operation,
            time_text(self.ours),
            self.peer,
            time_text(self.theirs),
            ratio_text(self.ratio) if self.ratio is not None else "",
            ", ".join(bar for bar in bars if bar),
            "".join(peaks),
            reads,
            {True: "yes", False: "**no**", None: ""}[self.holds],
        )


def _beside(peak: float | None) -> str:
    return f" (theirs {peak:,.0f})" if peak is not None else ""


def time_text(seconds: float | None) -> str:
    """Return seconds with three digits that matter, in the unit that suits them."""
    if seconds is None:
        return ""
    for factor, unit in ((1.0, "s"), (1e3, "ms")):
        if seconds * factor >= 1:
            return f"{seconds * factor:.3g} {unit}"
    return f"{seconds * 1e6:.3g} µs"


def ratio_text(ratio: float) -> str:
    """Return a ratio as people say it: 1/50 rather than 0.02."""
    return f"{ratio:.2g}" if ratio > 0.8 else f"1/{1 / ratio:,.0f}" if ratio < 0.1 else f"1/{1 / ratio:.1f}"


def as_markdown(lines: Sequence[Line]) -> str:
    """Return the table, its columns aligned."""
    return aligned([HEADINGS, *(line.cells() for line in lines)])


def plain_markdown(figures: Sequence[tuple[str, float, float | None]]) -> str:
    """Return a table of figures that have a name, a value, and perhaps what it should be at most."""
    rows: list[tuple[str, ...]] = [("Figure", "Value", "At most", "Holds")]
    for name, value, bar in figures:
        holds = "" if bar is None else "yes" if value <= bar else "**no**"
        rows.append((name, f"{value:.3g}", "" if bar is None else f"{bar:g}", holds))
    return aligned(rows)


def aligned(rows: Sequence[tuple[str, ...]]) -> str:
    """Return rows, the first of which are headings, as a table whose columns are aligned."""
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    padded = [[cell.ljust(width) for cell, width in zip(row, widths, strict=True)] for row in rows]
    written = ["| " + " | ".join(row) + " |" for row in padded]
    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return "\n".join([written[0], rule, *written[1:]])
