"""Whether the columns are there that the explorer needs, and if not, which ones the person may have meant."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from h5explorer_py.errors import WrongColumnsError
from h5explorer_py.files import shorten
from h5explorer_py.lookup.text import can_be_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa

    from h5explorer_py.options import KeyColumns

_MOST_NAMES = 40
_ENOUGH_ALIKE = 0.5


def check_schema(schema: pa.Schema, columns: KeyColumns, name: str) -> None:
    """Raise unless both key columns are there once, with values that can be text.

    Raises
    ------
    WrongColumnsError
        With the columns found and the nearest match.
    """
    check_names(schema.names, columns, name)
    for wanted in (columns.uuid, columns.filepath):
        kind = schema.field(wanted).type
        if not can_be_text(kind):
            raise WrongColumnsError(
                f"The column {wanted!r} of {name} holds values of type {kind}; text is needed.",
                found=[f"{field.name}: {field.type}" for field in schema][:_MOST_NAMES],
            )


def check_names(found: Sequence[str], columns: KeyColumns, name: str) -> None:
    """Raise unless both key columns are among the names, once each.

    Raises
    ------
    WrongColumnsError
        With the columns found and the nearest match.
    """
    for option, wanted in (("uuid_column", columns.uuid), ("filepath_column", columns.filepath)):
        times = list(found).count(wanted)
        if times == 1:
            continue
        if times > 1:
            raise WrongColumnsError(
                f"{name} has {times} columns named {wanted!r}; one is needed.",
                found=list(found)[:_MOST_NAMES],
            )
        near = nearest(wanted, found)
        raise WrongColumnsError(
            f"{name} has no column {wanted!r}. It has: {_listing(found)}.",
            action=f"The nearest is {near!r}: pass {option}={near!r}." if near else f"Pass {option}=... to name it.",
            missing=wanted,
            found=list(found)[:_MOST_NAMES],
            nearest=near,
        )


def nearest(wanted: str, found: Sequence[str]) -> str | None:
    """Return the name most like the wanted one, upper and lower case alike; ``None`` where none is like it."""
    by_lower = {name.strip().lower(): name for name in reversed(found)}
    lower = wanted.lower()
    close = get_close_matches(lower, by_lower, n=1, cutoff=_ENOUGH_ALIKE)
    if close:
        return by_lower[close[0]]
    containing = [name for low, name in by_lower.items() if low and (lower in low or low in lower)]
    return containing[-1] if containing else None


def _listing(found: Sequence[str]) -> str:
    if not found:
        return "no columns"
    shown = ", ".join(shorten(name, 60) for name in found[:_MOST_NAMES])
    more = len(found) - _MOST_NAMES
    return f"{shown} and {more} more" if more > 0 else shown
