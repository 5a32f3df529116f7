"""What DuckDB's own parser makes of SQL: a tree, as plain dictionaries and lists."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any

from h5explorer_py.errors import ConditionError
from h5explorer_py.lookup.sql.connection import locked_connection

if TYPE_CHECKING:
    import duckdb

Node = dict[str, Any]

MOST_BRACKETS = 200
"""Brackets that may be open at once. DuckDB's parser takes a time that grows with their cube, at 200 some
0.03 s, at 9,000 longer than anybody waits, and cannot be interrupted."""

_SERIALISE = "SELECT json_serialize_sql(?, skip_null := true, skip_empty := true, skip_default := true)"
_READING = {"SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE", "CTE_NODE"}
_PLACES = ("query_location", "query_location_length")

_lock = threading.Lock()
_parser: list[duckdb.DuckDBPyConnection] = []


class SyntaxFaultError(Exception):
    """DuckDB cannot parse a text.

    Parameters
    ----------
    message : str
        DuckDB's words.
    offset : int or None
        The bytes before the fault, where they are known.
    """

    def __init__(self, message: str, offset: int | None) -> None:
        super().__init__(message)
        self.offset = offset


def parsed(sql: str, brackets: int = MOST_BRACKETS) -> list[Node]:
    """Return the trees of the statements in a text.

    Parameters
    ----------
    sql : str
        The text.
    brackets : int
        How many may be open at once.

    Raises
    ------
    SyntaxFaultError
        Where it is no SQL, or another statement than one that selects.
    ConditionError
        Where it is nested too deeply, or is no Unicode text.
    """
    _check_unicode(sql)
    if _open_at_once(sql) > brackets:
        raise too_deep()
    with _lock:
        if not _parser:
            _parser.append(locked_connection((), memory="100MB", threads=1))
        row = _parser[0].execute(_SERIALISE, [sql]).fetchone()
    try:
        found = json.loads(row[0]) if row else {}
    except RecursionError:
        raise too_deep() from None
    if found.get("error", True):
        place = str(found.get("position", ""))
        message = str(found.get("error_message", "it cannot be parsed"))
        if message.startswith("Max expression depth"):
            raise too_deep()
        raise SyntaxFaultError(message, int(place) if place.isdigit() else None)
    statements: list[Node] = found["statements"]
    return statements


def only_reads(sql: str) -> bool:
    """Tell whether a text is one statement that selects, and nothing in it writes: a WITH of DuckDB 2 may COPY.

    Raises
    ------
    SyntaxFaultError, ConditionError
        As ``parsed`` does.
    """
    statements = parsed(sql, 2 * MOST_BRACKETS)  # a condition stands in brackets of the query
    if len(statements) != 1:
        return False
    open_nodes: list[Any] = list(statements)
    while open_nodes:
        node = open_nodes.pop()
        if isinstance(node, list):
            open_nodes.extend(node)
        elif isinstance(node, dict):
            kind = node.get("type")
            if isinstance(kind, str) and kind.endswith("_NODE") and kind not in _READING:
                return False
            if "info_type" in node:
                return False
            open_nodes.extend(node.values())
    return True


def offset_of(node: Node) -> int | None:
    """Return how many bytes stand before the part of the text that a node comes from, where it is known."""
    found = node.get("query_location")
    return found if isinstance(found, int) else None


def contents(node: Node) -> Node:
    """Return what a node says, without where in the text it stands."""
    return {key: value for key, value in node.items() if key not in _PLACES}


def too_deep() -> ConditionError:
    """Return the error for what is nested too deeply."""
    return ConditionError("The condition is nested too deeply.", action="Write it with fewer brackets.")


def _open_at_once(sql: str) -> int:
    """Count the brackets that are open at once, without those in quotes and comments."""
    import duckdb

    if sum(map(sql.count, "([{")) <= MOST_BRACKETS:
        return 0
    raw = sql.encode()
    tokens = duckdb.tokenize(sql)
    ends = [offset for offset, _ in tokens[1:]] + [len(raw)]
    most = now = 0
    for (start, kind), end in zip(tokens, ends, strict=True):
        if kind == duckdb.token_type.operator:
            part = raw[start:end]
            now += sum(map(part.count, (b"(", b"[", b"{")))
            most = max(most, now)
            now = max(0, now - sum(map(part.count, (b")", b"]", b"}"))))
    return most


def _check_unicode(sql: str) -> None:
    try:
        sql.encode()
    except UnicodeEncodeError as error:
        raise ConditionError("A condition cannot hold half of a character.") from error
    if "\0" in sql:
        raise ConditionError("A condition cannot hold a NUL character.")
