"""Writes a condition anew from the tree that DuckDB's parser made of it, each node from a list of those allowed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from h5explorer_py.errors import ConditionError
from h5explorer_py.files import shorten
from h5explorer_py.lookup.sql.bounds import COLUMN_BYTES, MOST_WORK, Piece, too_much
from h5explorer_py.lookup.sql.calls import call
from h5explorer_py.lookup.sql.functions import COLLATIONS, LAMBDAS, NAMED_ARGUMENTS
from h5explorer_py.lookup.sql.kinds import is_text, kind_sql
from h5explorer_py.lookup.sql.names import folded, quoted
from h5explorer_py.lookup.sql.tree import Node, contents, too_deep

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from h5explorer_py.lookup.sql.names import Columns

    Scope = dict[str, int]

MOST_DEPTH = 100
"""Expressions that may be within one another."""

_MOST_FIELDS = 20
_NUMBER = re.compile(r"-?(\d[\d_]*\.?[\d_]*|\.\d[\d_]*)([eE][+-]?\d+)?", re.ASCII)
_HEX = re.compile(r"([0-9a-fA-F]{2})*")
_COMPARISONS = {
    "COMPARE_EQUAL": "=",
    "COMPARE_NOTEQUAL": "<>",
    "COMPARE_LESSTHAN": "<",
    "COMPARE_GREATERTHAN": ">",
    "COMPARE_LESSTHANOREQUALTO": "<=",
    "COMPARE_GREATERTHANOREQUALTO": ">=",
    "COMPARE_DISTINCT_FROM": "IS DISTINCT FROM",
    "COMPARE_NOT_DISTINCT_FROM": "IS NOT DISTINCT FROM",
}
_REFUSED = {
    "SUBQUERY": "A condition cannot hold a query, nor ANY or ALL of a list.",
    "WINDOW": "A condition cannot look at other rows: it has no window functions.",
    "STAR": "A condition names its columns one by one, without a star or COLUMNS().",
    "PARAMETER": "A condition has no parameters: its values are written out.",
    "POSITIONAL_REFERENCE": "A condition names its columns, not their numbers.",
}
_KEYS = {
    "COLUMN_REF": {"column_names"},
    "CONSTANT": {"literal"},
    "CONJUNCTION": {"children"},
    "COMPARISON": {"left", "right"},
    "OPERATOR": {"children"},
    "BETWEEN": {"input", "lower", "upper"},
    "CASE": {"case_checks", "else_expr"},
    "CAST": {"child", "type_expr", "try_cast"},
    "COLLATE": {"child", "collation"},
    "FUNCTION": {"function_name", "qualified_name", "schema", "catalog", "arguments", "is_operator", "order_bys"},
    "LAMBDA": {"lhs", "expr", "syntax_type"},
}
_COMMON = {"class", "type", "alias"}


class Writer:
    """Writes the expressions of one condition.

    Parameters
    ----------
    columns : Columns
        What may be named; learns what is.
    place : callable
        Gives the position in the text of a node, for errors.
    """

    def __init__(self, columns: Columns, place: Callable[[Node], int]) -> None:
        self._columns = columns
        self._place = place
        self._depth = 0

    def whole(self, node: Node) -> str:
        """Return a condition as SQL.

        Raises
        ------
        ConditionError
            Where it holds what is not allowed, or would cost too much.
        """
        piece = self._write(node, {})
        if piece.work > MOST_WORK:
            raise too_much(0)
        return piece.sql

    def _write(self, node: Node, scope: Scope) -> Piece:
        kind = str(node.get("class"))
        if kind not in _KEYS or not contents(node).keys() <= _KEYS[kind] | _COMMON:
            raise self._refused(node)
        if self._depth >= MOST_DEPTH:
            raise too_deep()
        self._depth += 1
        piece: Piece = getattr(self, f"_{kind.lower()}")(node, scope)
        self._depth -= 1
        if piece.work > MOST_WORK:
            raise too_much(self._place(node))
        return piece

    def _refused(self, node: Node) -> ConditionError:
        kind = str(node.get("class"))
        plain = f"A condition cannot hold {kind.replace('_', ' ').lower()}."
        if kind == "FUNCTION":
            plain = "A condition calls functions of one row only, without DISTINCT, FILTER or ORDER BY."
        return ConditionError(_REFUSED.get(kind, plain), position=self._place(node))

    def _all(self, nodes: Sequence[Node], scope: Scope) -> list[Piece]:
        return [self._write(each, scope) for each in nodes]

    def _column_ref(self, node: Node, scope: Scope) -> Piece:
        return self._path(node["column_names"], node, scope)

    def _path(self, path: Sequence[str], node: Node, scope: Scope) -> Piece:
        if len(path) > _MOST_FIELDS:
            raise too_deep()
        first, *fields = path
        size = scope.get(folded(first))
        sql = quoted(first) if size is not None else self._columns.sql(first, self._place(node))
        for field in fields:
            sql = f"({sql}).{quoted(field)}"
        return Piece(sql, COLUMN_BYTES if size is None else size, 0)

    def _constant(self, node: Node, _: Scope) -> Piece:
        literal = node["literal"]
        kind, text = literal.get("kind"), literal.get("text", "")
        if kind == "NULL_LITERAL":
            return Piece("NULL", 0, 0)
        if kind == "STRING" and "\0" not in text:
            return Piece("'" + text.replace("'", "''") + "'", len(text.encode()), 0, text=text)
        if kind == "BOOLEAN" and text in {"true", "false"}:
            return Piece(text, 1, 0)
        if kind == "HEX" and _HEX.fullmatch(text):
            return Piece(f"x'{text}'", len(text), 0)
        if kind in {"INTEGER", "NUMERIC"} and _NUMBER.fullmatch(text):
            number = int(text.replace("_", "")) if kind == "INTEGER" and len(text) < 20 else None
            return Piece(f"({text})" if text.startswith("-") else text, 8, 0, number=number)
        raise ConditionError(f"A condition cannot hold the value {shorten(str(text))}.", position=self._place(node))

    def _conjunction(self, node: Node, scope: Scope) -> Piece:
        words = {"CONJUNCTION_AND": " AND ", "CONJUNCTION_OR": " OR "}
        if node["type"] not in words:
            raise self._refused(node)
        return _joined("(", words[node["type"]], ")", self._all(node["children"], scope), 1)

    def _comparison(self, node: Node, scope: Scope) -> Piece:
        if node["type"] not in _COMPARISONS:
            raise self._refused(node)
        both = self._all((node["left"], node["right"]), scope)
        return _joined("(", f" {_COMPARISONS[node['type']]} ", ")", both, 1)

    def _between(self, node: Node, scope: Scope) -> Piece:
        if node["type"] != "COMPARE_BETWEEN":
            raise self._refused(node)
        pieces = self._all((node["input"], node["lower"], node["upper"]), scope)
        value, low, high = (piece.sql for piece in pieces)
        return _piece(f"({value} BETWEEN {low} AND {high})", pieces, 1)

    def _operator(self, node: Node, scope: Scope) -> Piece:
        kind, children = node["type"], node.get("children", [])
        if kind == "ARRAY_SLICE":
            return self._slice(children, scope)
        pieces = self._all(children, scope)
        first, rest = (pieces[0].sql, pieces[1:]) if pieces else ("", [])
        if kind == "OPERATOR_NOT":
            return _piece(f"(NOT {first})", pieces, 1)
        if kind == "OPERATOR_IS_NULL":
            return _piece(f"({first} IS NULL)", pieces, 1)
        if kind == "OPERATOR_IS_NOT_NULL":
            return _piece(f"({first} IS NOT NULL)", pieces, 1)
        if kind == "COMPARE_IN":
            return _piece(f"({first} IN ({', '.join(each.sql for each in rest)}))", pieces, 1)
        if kind == "OPERATOR_COALESCE":
            return _joined("COALESCE(", ", ", ")", pieces)
        if kind == "ARRAY_CONSTRUCTOR":
            return _joined("ARRAY[", ", ", "]", pieces)
        if kind == "ARRAY_EXTRACT":
            return _piece(f"({first})[{rest[0].sql}]", pieces, pieces[0].size)
        if kind == "STRUCT_EXTRACT" and rest[0].text is not None:
            return _piece(f"({first}).{quoted(rest[0].text)}", pieces, pieces[0].size)
        raise ConditionError(
            f"A condition cannot use {kind.removeprefix('OPERATOR_').replace('_', ' ')}.", position=self._place(node)
        )

    def _slice(self, children: Sequence[Node], scope: Scope) -> Piece:
        value, *bounds = children
        pieces = [self._write(value, scope)]
        ends: list[str] = []
        for number, bound in enumerate(bounds):
            if _is_open(bound):
                ends.append("-" if number == 1 and len(bounds) == 3 else "")
            else:
                pieces.append(self._write(bound, scope))
                ends.append(f"({pieces[-1].sql})")
        return _piece(f"({pieces[0].sql})[{':'.join(ends)}]", pieces, pieces[0].size)

    def _case(self, node: Node, scope: Scope) -> Piece:
        pieces: list[Piece] = []
        parts = ["CASE"]
        for check in node["case_checks"]:
            when, then = self._all((check["when_expr"], check["then_expr"]), scope)
            parts.append(f"WHEN {when.sql} THEN {then.sql}")
            pieces += (when, then)
        pieces.append(self._write(node["else_expr"], scope))
        return _piece(f"({' '.join(parts)} ELSE {pieces[-1].sql} END)", pieces)

    def _cast(self, node: Node, scope: Scope) -> Piece:
        child = self._write(node["child"], scope)
        word = "TRY_CAST" if node.get("try_cast") else "CAST"
        kind = node["type_expr"]
        size = 8 * child.size if is_text(kind) and child.text is None else child.size
        return _piece(f"{word}({child.sql} AS {kind_sql(kind, self._place(node))})", [child], size)

    def _collate(self, node: Node, scope: Scope) -> Piece:
        names = str(node["collation"]).lower().split(".")
        if not COLLATIONS.issuperset(names):
            known = ", ".join(name.upper() for name in sorted(COLLATIONS))
            raise ConditionError(
                f"A condition cannot use the collation {shorten(str(node['collation']))}.",
                action=f"There are {known}.",
                position=self._place(node),
            )
        child = self._write(node["child"], scope)
        return _piece(f"({child.sql} COLLATE {'.'.join(names)})", [child], 2 * child.size)

    def _lambda(self, node: Node, scope: Scope) -> Piece:
        """Write ``json -> path``: the parser takes the arrow for a function wherever it stands."""
        if node.get("syntax_type") != "SINGLE_ARROW":
            raise ConditionError("A lambda stands in a list function only.", position=self._place(node))
        return _joined('"json_extract"(', ", ", ")", self._all((node["lhs"], node["expr"]), scope))

    def _function(self, node: Node, scope: Scope) -> Piece:
        path = node["qualified_name"]["path"]
        name = folded(str(path[-1]))
        arguments = node.get("arguments", [])
        position = self._place(node)
        if node.get("order_bys", {}).keys() > {"type"}:
            raise self._refused(node)
        before: list[Piece] = []
        if len(path) > 1:  # "name.lower()" looks like a function of a schema to the parser
            if folded(path[0]) not in scope and path[0] not in self._columns:
                raise ConditionError(f"There is no column {quoted(shorten(path[0]))}.", position=position)
            before = [self._path(path[:-1], node, scope)]
        if name in LAMBDAS:
            return self._over_list(name, before, arguments, position, scope)
        pieces = before
        for each in arguments:
            piece = self._write(each["expression"], scope)
            if "name" in each:
                if name not in NAMED_ARGUMENTS:
                    raise ConditionError(f"The arguments of {shorten(name)}() have no names.", position=position)
                piece = piece._replace(sql=f"{quoted(each['name'])} := {piece.sql}")
            pieces.append(piece)
        return call(name, pieces, position)

    def _over_list(self, name: str, before: list[Piece], arguments: list[Node], position: int, scope: Scope) -> Piece:
        """Write a call that computes one expression for each element of a list.

        The elements together are no larger than the list, and the expression grows at least as fast as they do: so what
        it makes of an empty element, once for each, and what it makes of all of them at once, bound the whole.
        """
        nodes = [each["expression"] for each in arguments if "name" not in each]
        if len(before) + len(nodes) != 2 or nodes[-1].get("class") != "LAMBDA":
            raise ConditionError(f"{name}() takes a list and a function, as in lambda x: x > 1.", position=position)
        values = before or [self._write(nodes[0], scope)]
        names = self._parameters(nodes[-1])
        least, most = (
            self._write(nodes[-1]["expr"], scope | {folded(each): size for each in names})
            for size in (0, values[0].size)
        )
        count = values[0].elements
        sql = f'"{name}"({values[0].sql}, lambda {", ".join(map(quoted, names))}: {most.sql})'
        size = values[0].size if "filter" in name else count * (least.size + 1) + most.size
        return Piece(sql, size, values[0].work + count * (least.work + 8) + most.work, length=count)

    def _parameters(self, node: Node) -> list[str]:
        first = node["lhs"]
        nodes = [first]
        if first.get("class") == "FUNCTION" and first["qualified_name"]["path"] == ["row"]:
            nodes = [each["expression"] for each in first.get("arguments", [])]
        names = [each.get("column_names", []) for each in nodes if each.get("class") == "COLUMN_REF"]
        found = [path[0] for path in names if len(path) == 1]
        if not 1 <= len(found) == len(nodes) <= 2 or len({folded(name) for name in found}) < len(found):
            raise ConditionError("A lambda takes one or two names.", position=self._place(node))
        return found


def _is_open(node: Node) -> bool:
    """Tell whether an end of a slice was left out: the parser puts an empty list there."""
    return (
        node.get("class") == "FUNCTION"
        and node["qualified_name"]["path"] == ["list_value"]
        and not node.get("arguments")
    )


def _piece(sql: str, pieces: Sequence[Piece], size: int | None = None) -> Piece:
    size = sum(piece.size for piece in pieces) if size is None else size
    return Piece(sql, size, sum(piece.work for piece in pieces) + size + 8)


def _joined(before: str, between: str, after: str, pieces: Sequence[Piece], size: int | None = None) -> Piece:
    return _piece(before + between.join(piece.sql for piece in pieces) + after, pieces, size)
