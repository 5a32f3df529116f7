"""The types that a condition may cast to: those of DuckDB itself whose values are no larger than what is cast."""

from __future__ import annotations

from h5explorer_py.errors import ConditionError
from h5explorer_py.files import shorten
from h5explorer_py.lookup.sql.functions import names_in
from h5explorer_py.lookup.sql.names import quoted
from h5explorer_py.lookup.sql.tree import Node, contents

_PLAIN = names_in("""
    BOOLEAN BOOL LOGICAL TINYINT INT1 SMALLINT INT2 SHORT INTEGER INT INT4 SIGNED BIGINT INT8 LONG HUGEINT INT128
    INT16 INT32 INT64 UTINYINT UINT8 USMALLINT UINT16 UINTEGER UINT32 UBIGINT UINT64 UHUGEINT UINT128
    FLOAT FLOAT4 REAL DOUBLE FLOAT8
    VARCHAR CHAR BPCHAR TEXT STRING NVARCHAR BLOB BYTEA BINARY VARBINARY UUID GUID
    DATE TIME TIMETZ TIMESTAMP DATETIME TIMESTAMP_S TIMESTAMP_MS TIMESTAMP_US TIMESTAMP_NS TIMESTAMPTZ INTERVAL
""") | {"TIME WITH TIME ZONE", "TIMESTAMP WITH TIME ZONE"}
_WITH_NUMBERS = {
    **dict.fromkeys(("DECIMAL", "NUMERIC", "DEC"), 2),
    **dict.fromkeys(("VARCHAR", "CHAR", "BPCHAR", "TEXT", "STRING", "NVARCHAR"), 1),
    **dict.fromkeys(("TIMESTAMP", "DATETIME", "TIMESTAMP WITH TIME ZONE", "TIMESTAMPTZ"), 1),
}
_TEXTS = frozenset({"VARCHAR", "CHAR", "BPCHAR", "TEXT", "STRING", "NVARCHAR"})
_KEYS = {"class", "type", "type_name", "qualified_name", "children", "alias"}


def is_text(node: Node) -> bool:
    """Tell whether a type is text."""
    return str(node.get("type_name")).upper() in _TEXTS


def kind_sql(node: Node, position: int) -> str:
    """Return a type of the tree as SQL takes it.

    Parameters
    ----------
    node : Node
        The type.
    position : int
        Where in the text the cast stands.

    Raises
    ------
    ConditionError
        Where it is none that is allowed.
    """
    name = str(node.get("type_name", "")).upper()
    path = node.get("qualified_name", {}).get("path", [])
    known = contents(node).keys() <= _KEYS and node.get("class") == "TYPE" and len(path) == 1
    inner = node.get("children", [])
    found = _within(name, inner, position) if known else ""
    if not found:
        raise ConditionError(
            f"A condition cannot cast to {shorten(name) or 'this type'}{' of a fixed length' * (name == 'ARRAY')}.",
            action="Cast to a list, as in FLOAT[]." if name == "ARRAY" else "Cast to a plain type, such as VARCHAR.",
            position=position,
        )
    return found


def _within(name: str, inner: list[Node], position: int) -> str:
    if name in _PLAIN and not inner:
        return name
    if name in _WITH_NUMBERS and len(inner) <= _WITH_NUMBERS[name]:
        numbers = [_number(each) for each in inner]
        return f"{name}({', '.join(numbers)})" if numbers and all(numbers) else name * (not numbers)
    if name == "LIST" and len(inner) == 1:
        return f"{kind_sql(inner[0], position)}[]"
    if name == "MAP" and len(inner) == 2:
        return f"MAP({', '.join(kind_sql(each, position) for each in inner)})"
    if name == "STRUCT" and inner and all(isinstance(each.get("alias"), str) for each in inner):
        fields = [f"{quoted(each['alias'])} {kind_sql(each, position)}" for each in inner]
        return f"STRUCT({', '.join(fields)})"
    return ""


def _number(node: Node) -> str:
    literal = node.get("literal", {})
    text = str(literal.get("text", ""))
    return text if literal.get("kind") == "INTEGER" and text.isascii() and text.isdigit() and len(text) < 4 else ""
