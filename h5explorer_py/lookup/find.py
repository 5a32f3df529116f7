"""Finding rows by a text: part of a uuid from its begin, or any part of a filepath."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from h5explorer_py.lookup.text import as_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from h5explorer_py.lookup.base import Lookup


_MOST_DIGITS = 15


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
    columns = lookup.columns
    names = [name for name, wanted in ((columns.uuid, query.in_uuid), (columns.filepath, query.in_path)) if wanted]
    row = 0
    for batch in lookup.scan(names):
        give_up()
        end = row + batch.num_rows
        if end > start:
            skipped = max(0, start - row)
            hit = _first_in(batch.slice(skipped, max(0, stop - row - skipped)), query)
            if hit >= 0:
                return row + skipped + hit
        row = end
        if row >= stop:
            break
    return None


def _first_in(batch: pa.RecordBatch, query: Query) -> int:
    tests = []
    if query.in_uuid:
        tests.append(_matching(batch.column(0), lambda text: pc.starts_with(text, query.text, ignore_case=True)))
    if query.in_path:
        last = batch.column(batch.num_columns - 1)
        tests.append(_matching(last, lambda text: pc.match_substring(text, query.text, ignore_case=True)))
    found = pc.indices_nonzero(tests[0] if len(tests) == 1 else pc.or_kleene(tests[0], tests[1]))
    return found[0].as_py() if len(found) else -1


def _matching(column: pa.Array, test: Callable[[pa.Array], pa.Array]) -> pa.Array:
    """Test a column; of a dictionary only its values, of which a filepath column has few."""
    if isinstance(column, pa.DictionaryArray):
        matching = test(as_text(pa.chunked_array([column.dictionary])).combine_chunks())
        return matching.take(column.indices)
    return test(as_text(pa.chunked_array([column])).combine_chunks())
