"""Finding rows by a text: part of a uuid from its begin, or any part of a filepath."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from h5explorer_py.lookup.packed.uuids import CANONICAL, FORMS, unpack
from h5explorer_py.lookup.text import as_text, is_unicode, text_array

if TYPE_CHECKING:
    from collections.abc import Callable

    from h5explorer_py.lookup.base import Lookup
    from h5explorer_py.lookup.packed.uuids import Form


_MOST_DIGITS = 15
_UUID_DIGITS = 32
_HEXADECIMAL = set("0123456789abcdef")


@dataclass(frozen=True)
class Query:
    """What is searched for.

    Attributes
    ----------
    text : str
        What the person typed, less the word that forces a column.
    in_uuid, in_path : bool
        Which columns are looked at.
    row : int or None
        A row counted from 0, where the text is a row number.
    """

    text: str
    in_uuid: bool = True
    in_path: bool = True
    row: int | None = None

    def known_rows(self, rows: int) -> list[int] | None:
        """Return those of so many rows that match, where they need not be looked at for that; else ``None``."""
        if self.row is not None:
            return [self.row] if 0 <= self.row < rows else []
        return None if self.text and is_unicode(self.text) else []

    def whole_uuid(self, form: Form) -> str | None:
        """Return the text as a uuid of a form, where it is a whole uuid in whichever; ``None`` where it is none."""
        digits = self.text.strip("{}").replace("-", "").lower()
        if len(digits) != _UUID_DIGITS or not set(digits) <= _HEXADECIMAL:
            return None
        packed = np.frombuffer(bytes.fromhex(digits), np.uint8).reshape(1, -1)
        text: str = unpack(packed, form)[0].as_py()
        return text


def parse(text: str) -> Query:
    """Understand what was typed into the search box.

    Digits (with thousands separators or without) are a row number counted from 1; ``uuid:`` and ``path:`` force the
    rest to be looked for in that column.
    """
    text = text.strip()
    lower = text.lower()
    if lower.startswith("uuid:"):
        return Query(text[5:].strip(), in_path=False)
    if lower.startswith("path:"):
        return Query(text[5:].strip(), in_uuid=False)
    digits = text.replace(",", "").replace(" ", "").replace("_", "")
    if digits.isascii() and digits.isdigit() and len(digits) <= _MOST_DIGITS:
        return Query(text, row=int(digits) - 1)
    return Query(text)


def first_match(lookup: Lookup, query: Query, start: int, stop: int, give_up: Callable[[], None]) -> int | None:
    """Return the first row of ``start`` to ``stop`` that matches.

    Parameters
    ----------
    lookup : Lookup
        Where to look.
    query : Query
        What for; upper and lower case are alike.
    start, stop : int
        The rows to look at.
    give_up : callable
        Called between batches; raises where nobody waits for the answer any more.
    """
    row = start
    for batch in lookup.scan(_columns(lookup, query), start):
        if row >= stop:
            break
        give_up()
        found = pc.indices_nonzero(_fits(batch.slice(0, stop - row), query))
        if len(found):
            hit: int = found[0].as_py()
            return row + hit
        row += batch.num_rows
    return None


def count_matches(
    lookup: Lookup, query: Query, start: int, seconds: float, give_up: Callable[[], None]
) -> tuple[int, int]:
    """Count the rows that match from a row on, for about so many seconds.

    Returns
    -------
    count : int
        How many of the rows looked at match.
    stop : int
        The row up to which they have been looked at.
    """
    until = time.monotonic() + seconds
    count, row = 0, start
    for batch in lookup.scan(_columns(lookup, query), start):
        give_up()
        count += pc.sum(_fits(batch, query)).as_py() or 0
        row += batch.num_rows
        if time.monotonic() >= until:
            return count, row
    return count, lookup.num_rows


def _columns(lookup: Lookup, query: Query) -> list[str]:
    columns = lookup.columns
    return [name for name, wanted in ((columns.uuid, query.in_uuid), (columns.filepath, query.in_path)) if wanted]


def _fits(batch: pa.RecordBatch, query: Query) -> pa.Array:
    tests = []
    if query.in_uuid:
        tests.append(_matching(batch.column(0), lambda text: matching_uuids(text, query)))
    if query.in_path:
        tests.append(_matching(batch.column(batch.num_columns - 1), lambda text: matching_paths(text, query)))
    return tests[0] if len(tests) == 1 else pc.or_kleene(tests[0], tests[1])


def matching_keys(keys: pa.Table, query: Query) -> list[int]:
    """Return which rows of a window of keys, in the columns of ``KEYS_SCHEMA``, match."""
    tests = []
    if query.in_uuid:
        tests.append(matching_uuids(keys.column(0).combine_chunks(), query))
    if query.in_path:
        tests.append(matching_paths(keys.column(1).combine_chunks(), query))
    fits = tests[0] if len(tests) == 1 else pc.or_kleene(tests[0], tests[1])
    found: list[int] = pc.indices_nonzero(fits).to_pylist()
    return found


def matching_uuids(texts: pa.StringArray, query: Query) -> pa.BooleanArray:
    """Tell which of the texts begin with what is looked for, or are the same uuid in another form."""
    fits = pc.starts_with(texts, query.text, ignore_case=True)
    if query.whole_uuid(CANONICAL) is None:
        return fits
    for form in FORMS.values():
        fits = pc.or_kleene(fits, pc.equal(texts, text_array([query.whole_uuid(form)])[0]))
    return fits


def matching_paths(texts: pa.StringArray, query: Query) -> pa.BooleanArray:
    """Tell which of the texts contain what is looked for."""
    return pc.match_substring(texts, query.text, ignore_case=True)


def _matching(column: pa.Array, test: Callable[[pa.Array], pa.Array]) -> pa.Array:
    """Test a column; of a dictionary only its values, of which a filepath column has few."""
    if isinstance(column, pa.DictionaryArray):
        matching = test(as_text(pa.chunked_array([column.dictionary])).combine_chunks())
        return matching.take(column.indices)
    return test(as_text(pa.chunked_array([column])).combine_chunks())
