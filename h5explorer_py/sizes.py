"""Numbers of bytes, as a person writes them."""

from __future__ import annotations

import re

from h5explorer_py.errors import BadRequestError

_UNITS = {
    "": 1,
    "b": 1,
    **{f"{letter}b": 1_000 ** (power + 1) for power, letter in enumerate("kmgt")},
    **{f"{letter}ib": 1_024 ** (power + 1) for power, letter in enumerate("kmgt")},
}


def parse_size(size: int | str) -> int:
    """Understand a number of bytes.

    Parameters
    ----------
    size : int or str
        A number, or a text such as ``20 GB``, ``1.5TB`` or ``512 MiB``: units of thousands, or with an ``i`` of 1,024.

    Raises
    ------
    BadRequestError
        Where it is none, or is not above 0.
    """
    found = re.fullmatch(r"\s*(\d{1,18}(?:\.\d{1,9})?)\s*([a-z]{0,3})\s*", str(size), re.ASCII | re.IGNORECASE)
    unit = _UNITS.get(found[2].lower()) if found else None
    count = int(float(found[1]) * unit) if found and unit else 0
    if isinstance(size, bool) or count < 1:
        raise BadRequestError(f"{size!r} is no size, such as 20 GB.")
    return count


def size_text(count: float) -> str:
    """Say how many bytes."""
    if count >= 1e9:
        return f"{count / 1e9:,.1f} GB"
    return f"{count / 1e6:,.1f} MB" if count >= 1e5 or not count else f"{count / 1e3:,.1f} kB"
