"""Conditions on rows that a person types: one expression of SQL over the columns, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from h5explorer_py.errors import ConditionError
from h5explorer_py.lookup.sql.names import Columns, quoted
from h5explorer_py.lookup.sql.tree import Node, SyntaxFaultError, offset_of, parsed, too_deep
from h5explorer_py.lookup.sql.writing import Writer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["LONGEST", "Condition", "parse_condition", "quoted"]

LONGEST = 10_000
"""Characters that a condition may have."""

_BEFORE = "SELECT 1 FROM t WHERE "
_QUERY = {"type", "cte_map", "select_list", "from_table", "where_clause", "aggregate_handling"}


@dataclass(frozen=True)
class Condition:
    """A condition that may be run.

    Parameters
    ----------
    text : str
        It, as it was typed, without white space around it.
    sql : str
        What may stand behind WHERE: in brackets, written anew from what DuckDB's parser understood.
    columns : tuple of str
        The columns that it names, in order of first use, spelt as they are in the lookup.
    """

    text: str
    sql: str
    columns: tuple[str, ...]


def parse_condition(text: str, names: Sequence[str], *, written: Mapping[str, str] | None = None) -> Condition:
    """Understand a condition on rows, and refuse what is more than that.

    DuckDB's parser reads the text as what follows WHERE; the tree that it makes is checked node by node against lists
    of what is allowed, and the SQL is written anew from it, every name and text quoted. That SQL must be understood as
    what it was written from. So comments, statements and brackets that do not match never reach a query.

    Parameters
    ----------
    text : str
        The condition.
    names : sequence of str
        The columns that it may name. Upper and lower case of ASCII letters are alike, unless a column is spelt so.
    written : mapping of str to str, optional
        How a column is called in the query, where that is not its name: of columns that differ only in case, DuckDB's
        ``read_parquet`` calls the second ``A_1``.

    Returns
    -------
    Condition

    Raises
    ------
    ConditionError
        Where it is no condition, names a column that is not there, or holds what a condition may not.
    """
    text = text.strip()
    if not text:
        raise ConditionError("The condition is empty.", action="Write one, such as filepath LIKE '%.h5'.", position=0)
    if len(text) > LONGEST:
        raise ConditionError(
            f"The condition has {len(text):,} characters; it may have {LONGEST:,}.",
            action="Join the rows with a table of values in Python instead.",
        )
    written = dict(written or {})
    columns = Columns(names, written)
    own = Columns([written.get(name, name) for name in names], {})
    try:
        sql = _sql_of(text, _tree(text), columns)
        if _sql_of(text, _in_brackets(text), Columns(names, written)) != sql or _sql_of(sql, _tree(sql), own) != sql:
            raise _not_one()
    except KeyError as error:  # a version of DuckDB whose trees are others
        raise ConditionError(f"This version of DuckDB tells too little of the condition: no {error}.") from error
    except RecursionError:  # called from far within other calls
        raise too_deep() from None
    return Condition(text, f"({sql})", tuple(columns.used))


def _tree(text: str) -> Node:
    """Return the expression that a text is.

    Raises
    ------
    ConditionError
        Where it is none, or more than one.
    """
    try:
        statements = parsed(_BEFORE + text)
    except SyntaxFaultError as fault:
        if "SELECT statements" in str(fault):
            raise _not_one() from None
        place = len(text) if fault.offset is None else _position(text, fault.offset)
        raise ConditionError(f"DuckDB does not understand the condition: {fault}.", position=place) from None
    query = statements[0].get("node", {})
    if len(statements) != 1 or statements[0].keys() - {"named_param_map"} != {"node"} or query.keys() != _QUERY:
        raise _not_one()
    if query["from_table"].get("table_name") != "t":
        raise _not_one()
    tree: Node = query["where_clause"]
    return tree


def _in_brackets(text: str) -> Node:
    """Return the expression that a text is in brackets: ``a) OR (b`` is none without, ``a -- b`` none within."""
    try:
        statements = parsed(f"{_BEFORE}({text})")
    except SyntaxFaultError:
        raise _not_one() from None
    tree: Node = statements[0]["node"]["where_clause"]
    return tree


def _sql_of(text: str, tree: Node, columns: Columns) -> str:
    def place(node: Node) -> int:
        offset = offset_of(node)
        return 0 if offset is None else _position(text, offset)

    return Writer(columns, place).whole(tree)


def _position(text: str, offset: int) -> int:
    """Return the characters of a text before a place of which DuckDB counts the bytes."""
    before = text.encode()[: max(offset - len(_BEFORE), 0)]
    return len(before.decode(errors="ignore"))


def _not_one() -> ConditionError:
    return ConditionError(
        "A condition is one expression that is true or false for a row.",
        action="Leave out SELECT, ORDER BY, LIMIT and semicolons.",
        position=0,
    )
