"""What DuckDB says of a query that failed, in words for the person who typed the condition."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from h5explorer_py.errors import CancelledError, ClosedError, ConditionError, ExplorerError, LookupUnreadableError
from h5explorer_py.files import shorten

if TYPE_CHECKING:
    from collections.abc import Iterable

_KIND = re.compile(r"^(?:[A-Z][A-Za-z]*Exception: )?(?:([A-Z][A-Za-z]*(?: [A-Za-z-]+){0,3}) Error: )?", re.DOTALL)
_INTERNALS = re.compile(r"\n+(?:LINE \d+:|\s*Candidate functions:|Possible solutions:|Stack Trace:).*", re.DOTALL)
_PATH = re.compile(r"""(["'])([^"'\n]*[/\\][^"'\n]*)\1""")
_FILES = {"IO", "HTTP", "Serialization", "Permission"}
_LONGEST = 300


def told(error: BaseException, hidden: Iterable[str] = ()) -> ExplorerError:
    """Return the error that a person is told for one of DuckDB, or of Arrow on DuckDB's behalf.

    Parameters
    ----------
    error : BaseException
        What was raised.
    hidden : iterable of str
        Paths that the query was given: of each only the file's name is told.

    Returns
    -------
    ConditionError, LookupUnreadableError, ClosedError or CancelledError
    """
    kind, message = _parts(str(error))
    if kind == "Out of Memory" or isinstance(error, MemoryError):
        return ConditionError(
            "There is not enough memory for this query.",
            action="Let the condition keep fewer rows, sort by fewer columns, or raise the limit of memory.",
        )
    if kind == "INTERRUPT":
        return CancelledError("The query was stopped.")
    if kind == "Connection" or "onnection already closed" in message:
        return ClosedError("The query's connection has been closed.")
    for path in hidden:
        if os.path.basename(path) != path:
            message = message.replace(path, os.path.basename(path))
    if kind == "Permission":  # also where a file is gone: DuckDB then looks for others in its folder
        message = "a file is gone, or is none that this query may open."
    if kind in _FILES:
        message = _PATH.sub(lambda found: f"{found[1]}{os.path.basename(found[2])}{found[1]}", message)
        return LookupUnreadableError(f"The lookup cannot be read: {message}", action="Open it again.")
    return ConditionError(f"DuckDB cannot compute this: {message}")


def _parts(text: str) -> tuple[str, str]:
    """Return which kind of error a message of DuckDB is of, and what it says in one or two lines."""
    found = _KIND.match(text)
    kind = (found[1] or "") if found else ""
    said = _INTERNALS.sub("", text[found.end() :] if found else text)
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    plain = shorten(" ".join(lines[:2]), _LONGEST)
    return kind, plain if plain.endswith((".", "?", "!")) else f"{plain}."
