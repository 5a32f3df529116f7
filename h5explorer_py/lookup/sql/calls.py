"""Calls of functions within a condition: which, and how large what they give can be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from h5explorer_py.errors import ConditionError
from h5explorer_py.files import shorten
from h5explorer_py.lookup.sql.bounds import Piece, check_pattern
from h5explorer_py.lookup.sql.functions import DISTANCES, GROWING, JOINS, KNOWN, PADS, PATTERNS, SMALL, names_in
from h5explorer_py.lookup.sql.names import nearest, quoted

if TYPE_CHECKING:
    from collections.abc import Sequence

_OVERHEAD = 8
_SMALL = 16
_LISTS = frozenset({"list_value", "list_pack", "array_value"})
_SPLITS = frozenset({"split", "str_split", "string_split", "string_to_array", "parse_path"})
_OF_ROWS = names_in("""
    any_value arg_max arg_min array_agg avg bool_and bool_or count count_star first last list max mean median min mode
    quantile stddev string_agg sum variance
""")
_CLOCK = frozenset({"now", "today", "current_timestamp", "get_current_timestamp", "get_current_time", "ago"})


def call(name: str, arguments: Sequence[Piece], position: int) -> Piece:
    """Write a call of a function.

    Parameters
    ----------
    name : str
        The function, in lower case.
    arguments : sequence of Piece
        Its arguments.
    position : int
        Where in the text it stands.

    Raises
    ------
    ConditionError
        Where the function is none for conditions, or its arguments do not let its result be bounded.
    """
    if name not in KNOWN:
        raise _unknown(name, position)
    size, work = _bound(name, arguments, position)
    sql = f"{quoted(name)}({', '.join(each.sql for each in arguments)})"
    length = None
    if name in _LISTS:
        length = len(arguments)
    elif name in _SPLITS:
        length = sum(each.size for each in arguments) + 1
    return Piece(sql, size, sum(each.work for each in arguments) + size + work + _OVERHEAD, length=length)


def _unknown(name: str, position: int) -> ConditionError:
    if name in _OF_ROWS:
        return ConditionError(f"A condition looks at one row; {name}() needs several.", position=position)
    near = nearest(name, (each for each in KNOWN if each[0].isalpha()))
    action = f"Did you mean {near}()?" if near else ""
    if name in _CLOCK:
        action = "Write the date, as in DATE '2025-01-31'."
    return ConditionError(f"A condition cannot call {shorten(name)}().", action=action, position=position)


def _bound(name: str, arguments: Sequence[Piece], position: int) -> tuple[int, int]:
    """Return the size of what a call gives, and the work beside it."""
    given = sum(each.size for each in arguments)
    if name in PATTERNS:
        return _with_pattern(name, arguments, position)
    if name in DISTANCES:
        if all(each.text is None for each in arguments):
            raise ConditionError(f"One of the texts that {name}() compares has to be written out.", position=position)
        return _SMALL, arguments[0].size * arguments[-1].size // _OVERHEAD
    if name == "age" and len(arguments) < 2:
        raise ConditionError("age() needs the later and the earlier time.", position=position)
    if name in SMALL:
        return _SMALL, 0
    if name in GROWING:
        return GROWING[name] * given + _OVERHEAD, 0
    if name in JOINS:
        between = arguments[JOINS[name]].size if len(arguments) > JOINS[name] else 0
        return (between + 1) * (given + len(arguments)), 0
    if name in PADS or name == "repeat":
        return _repeated(name, arguments, position), 0
    if name == "replace":
        return _replaced(name, arguments, position), 0
    return given + _OVERHEAD, 0


def _with_pattern(name: str, arguments: Sequence[Piece], position: int) -> tuple[int, int]:
    text, pattern = (arguments[0], arguments[1]) if len(arguments) > 1 else (Piece("", 0, 0), Piece("", 0, 0))
    work = text.size * check_pattern(pattern.text, position) // 16
    if name == "regexp_replace":
        return _replaced(name, arguments, position), work
    return 2 * text.size + _OVERHEAD, work


def _replaced(name: str, arguments: Sequence[Piece], position: int) -> int:
    if len(arguments) < 3:
        return _SMALL
    text, old, new = arguments[:3]
    if new.text is None:
        raise ConditionError(f"What {name}() puts in has to be written out.", position=position)
    if name == "replace" and old.text and new.size <= old.size:
        return text.size
    return (text.size + 1) * (new.size + 1)


def _repeated(name: str, arguments: Sequence[Piece], position: int) -> int:
    times = arguments[1].number if len(arguments) > 1 else 0
    if times is None:
        raise ConditionError(f"The number in {name}() has to be written out.", position=position)
    return max(times, 0) * (4 if name in PADS else arguments[0].size) + _OVERHEAD
