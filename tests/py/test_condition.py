"""Conditions that are meant well choose the rows that DuckDB chooses by the same words."""

from __future__ import annotations

import glob
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from h5explorer_py.errors import ConditionError
from h5explorer_py.lookup.sql import functions
from h5explorer_py.lookup.sql.bounds import MOST_PATTERN, pattern_parts
from h5explorer_py.lookup.sql.condition import LONGEST, Condition, parse_condition, quoted
from h5explorer_py.lookup.sql.connection import locked_connection
from h5explorer_py.lookup.sql.running import run
from h5explorer_py.lookup.sql.writing import MOST_DEPTH
from tests.fixtures.conditions import HOSTILE, ROWS, conditions_table, write_conditions

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NAMES = conditions_table(1).schema.names

HONEST = [
    "width = 7",
    "width <> 7 AND height >= 100",
    "WIDTH == 7 or Height != 14",
    "NOT (width > 100 OR height < 50)",
    "width BETWEEN 10 AND 20",
    "width NOT BETWEEN 10 AND 490",
    "width IN (1, 2, 3)",
    "species NOT IN ('Bufo bufo', 'Fagus sylvatica')",
    "species IN ['Bufo bufo', 'Fagus sylvatica']",
    "species IS NULL",
    "species IS NOT NULL AND height ISNULL",
    "species IS DISTINCT FROM 'Bufo bufo'",
    "height IS NOT DISTINCT FROM NULL",
    "blurred",
    "blurred IS NOT TRUE",
    "blurred IS UNKNOWN",
    "species LIKE 'Quercus%'",
    "species NOT LIKE 'Quercus %'",
    "species ILIKE 'quercus R_bur'",
    "species LIKE '100!% wool!_%' ESCAPE '!'",
    "species SIMILAR TO '(Quercus|Fagus) .*'",
    "filepath GLOB '/data/site_[0-2]/*_00?_images.h5'",
    "filepath ^@ '/data/site_3'",
    "species ~ 'Quercus (robur|petraea)'",
    "species !~ '^Quercus'",
    "species ~* '^QUERCUS'",
    "regexp_matches(uuid, '^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$')",
    "regexp_extract(filepath, 'shard_([0-9]+)', 1)::INTEGER % 2 = 0",
    "regexp_replace(filepath, '[0-9]', '#', 'g') = '/data/site_#/shard_###_images.h5#'",
    "replace(filepath, '/data', '') LIKE '/site_1%'",
    "lower(species) = 'bufo bufo'",
    "upper(trim(species)) = 'BUFO BUFO'",
    "species.lower() = 'bufo bufo'",
    "species.lower().left(3) = 'que'",
    "species || ' ' || width = 'Bufo bufo 4'",
    "concat_ws('-', species, width) = 'Bufo bufo-4'",
    "length(species) > 10",
    "strip_accents(species) ILIKE 'epinette%'",
    "species COLLATE NOCASE = 'BUFO BUFO'",
    "species COLLATE NOCASE.NOACCENT = 'epinette BLANCHE'",
    "contains(filepath, 'site_5') AND starts_with(uuid, '0')",
    "position('robur' IN species) > 0",
    "substring(uuid FROM 1 FOR 2) = '00'",
    "uuid[1:2] = '00'",
    "split_part(filepath, '/', 3) = 'site_2'",
    "parse_filename(filepath) = 'shard_003_images.h5'",
    "levenshtein(species, 'Quercus robor') < 3",
    "hash(uuid) % 100 = 0",
    "md5(uuid) LIKE '0%'",
    "repeat(species, 2) = 'Bufo bufoBufo bufo'",
    "lpad(width::VARCHAR, 5, '0') = '00007'",
    "width * 1.5 + height / 2 - -3 > 700",
    "height // 7 % 2 = 1",
    "width ** 2 > 10_000",
    "sqrt(width) > 20 OR abs(-width) < 3",
    "round(score, 1) = 0.5",
    "isnan(score)",
    "score > 5e-1",
    "price = 1.25",
    "price::DOUBLE < 0.03",
    "CAST(width AS VARCHAR) LIKE '1%'",
    "TRY_CAST(species AS INTEGER) IS NULL",
    "CASE WHEN width > 100 THEN height ELSE width END > 50",
    "CASE species WHEN 'Bufo bufo' THEN true END",
    "COALESCE(height, 0) = 0",
    "ifnull(species, 'none') = 'none'",
    "nullif(species, '') IS NULL",
    "if(blurred, width, height) > 200",
    "greatest(width, height) < 20",
    "taken >= '2020-02-01' AND taken < TIMESTAMP '2020-02-02 12:00:00'",
    "day = DATE '2020-02-29'",
    "day + INTERVAL 3 DAY > DATE '2021-01-01'",
    "day - INTERVAL '1 month' < DATE '2020-01-01'",
    "year(taken) = 2020 AND month(taken) IN (6, 7)",
    "extract(hour FROM taken) = 3",
    "date_part('dow', day) = 0",
    "date_trunc('month', taken) = DATE '2020-03-01'",
    "date_diff('day', day, DATE '2020-06-01') = 10",
    "strftime(day, '%Y-%m') = '2020-05'",
    "seen < TIMESTAMPTZ '2020-01-01 10:00:00+00'",
    "epoch(taken) % 7 = 0",
    "list_contains(tags, 't1')",
    "'t2' IN tags",
    "len(tags) = 0",
    "tags[1] = 't0' AND tags[-1] = 't2'",
    "sizes[:1] = [2]",
    "sizes[1:-:1] = [1, 1]",
    "sizes = ARRAY[1, 1]",
    "list_sum(sizes) = 4",
    "list_max(sizes) > 3",
    "list_has_any(tags, ['t2', 't9'])",
    "tags && ['t2']",
    "list_transform(sizes, lambda x: x + width) = [2, 2]",
    "len(list_filter(sizes, lambda x, i: x > i)) = 2",
    "sizes.list_filter(lambda x: x > 1).len() = 2",
    "[x * 2 for x in sizes if x > 1] = [4, 4]",
    "array_to_string(tags, ',') = 't0,t1'",
    "split(filepath, '/')[3] = 'site_4'",
    "box.x = 3",
    "box.y.low = 2 AND box['y']['high'] = 1",
    "struct_extract(box, 'x') IN (1, 2)",
    "box = {'x': 1, 'y': {'low': 1, 'high': 1}}",
    "(width, height) = (1, 7)",
    "extra['a'] = 2",
    "extra = MAP {'a': 1, 'b': 0}",
    "map_contains(extra, 'a') AND cardinality(extra) = 2",
    "json->>'$.a' = '3'",
    "(json->'$.b[1]') = '\"y1\"'",
    "json_extract_string(json, '$.b[0]') = 'x'",
    "json_array_length(json, '$.b') = 2",
    "digest = '\\x00\\x00\\x00\\x07'::BLOB",
    "digest > x'00000F00'",
    "hex(digest) LIKE '%FF'",
    "species = 'it''s' OR species = $$it's$$ OR species = E'Bufo\\x20bufo'",
    "/* a remark */ width = 7 /* another */",
    "uuid::UUID > '80000000-0000-4000-8000-000000000000'",
    "true",
    "NULL",
    "1 = 2",
    "width",
    "(((((width = 7)))))",
    "\n\twidth\n=\n7\t",
]


@pytest.fixture(scope="module")
def lookup(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_conditions(tmp_path_factory.mktemp("conditions") / "it's [1] lookup.parquet")


@pytest.fixture(scope="module")
def locked(lookup: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    connection = locked_connection([str(lookup)])
    yield connection
    connection.close()


@pytest.fixture(scope="module")
def plain(lookup: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    connection = duckdb.connect()
    connection.from_parquet(glob.escape(str(lookup)), file_row_number=True).create_view("t")
    yield connection
    connection.close()


def chosen(connection: duckdb.DuckDBPyConnection, lookup: Path, condition: Condition) -> list[int]:
    sql = f"SELECT file_row_number FROM read_parquet(?, file_row_number = true) WHERE {condition.sql} ORDER BY 1"
    batches = run(connection, sql, [glob.escape(str(lookup))], lambda: None)
    return [row for batch in batches for row in batch.column(0).to_pylist()]


def by_plain_sql(connection: duckdb.DuckDBPyConnection, text: str) -> list[int]:
    return [row for (row,) in connection.execute(f"SELECT file_row_number FROM t WHERE {text} ORDER BY 1").fetchall()]


@pytest.mark.parametrize("text", HONEST)
def test_the_same_rows_as_by_plain_duckdb(text: str, lookup: Path, locked: Any, plain: Any) -> None:
    condition = parse_condition(text, NAMES)
    assert condition.text == text.strip()
    assert chosen(locked, lookup, condition) == by_plain_sql(plain, text)


def test_the_honest_ones_choose_rows_and_leave_rows_out(plain: Any) -> None:
    """That both sides agree on all or nothing would prove little."""
    counts = [len(by_plain_sql(plain, text)) for text in HONEST]
    assert sum(0 < count < ROWS for count in counts) > 100


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("form", ["{} = 3", "{} IN (1, 2) AND NOT {} = 1", "abs({}) > 20", "[{}, 1][1] = 4"])
def test_columns_of_any_name(name: str, form: str, lookup: Path, locked: Any, plain: Any) -> None:
    text = form.replace("{}", quoted(name))
    condition = parse_condition(text, NAMES)
    assert condition.columns == (name,)
    rows = chosen(locked, lookup, condition)
    assert rows == by_plain_sql(plain, text)
    if form == "{} = 3":
        assert rows == [row for row, value in enumerate(pq.read_table(lookup)[name].to_pylist()) if value == 3]


def test_columns_come_in_the_order_of_first_use_as_they_are_spelt() -> None:
    assert parse_condition('b > 1 AND a = B AND "A" < c.d', ["A", "B", "C"]).columns == ("B", "A", "C")
    assert parse_condition("1 = 1", ["a"]).columns == ()
    assert parse_condition("list_filter(a, lambda b: b > c) = []", ["a", "b", "c"]).columns == ("a", "c")


def test_names_that_differ_only_in_case() -> None:
    names = ["Key", "KEY", "other"]
    assert parse_condition('"KEY" = 1', names).columns == ("KEY",)
    assert parse_condition("Key = 1 and OTHER = 2", names).columns == ("Key", "other")
    with pytest.raises(ConditionError, match='"KEY", "Key"') as caught:
        parse_condition("1 = key", names)
    assert caught.value.details == {"position": 4}
    assert parse_condition("é = 1", ["é", "É"]).columns == ("é",)
    with pytest.raises(ConditionError, match="no column"):
        parse_condition("é = 1", ["É"])


def test_a_column_is_written_as_the_query_calls_it(tmp_path: Path) -> None:
    path = tmp_path / "case.parquet"
    pq.write_table(conditions_table(5).select(["width", "height"]).rename_columns(["a", "A"]), path)
    connection = locked_connection([str(path)])
    sql = "SELECT * FROM read_parquet(?)"
    called = dict(zip(["a", "A"], connection.sql(sql, params=[str(path)]).columns, strict=True))
    condition = parse_condition('"A" = 7', ["a", "A"], written=called)
    assert condition.columns == ("A",)
    (batch,) = run(connection, f"{sql} WHERE {condition.sql}", [str(path)], lambda: None)
    assert batch.to_pylist() == [{"a": 2, called["A"]: 7}]
    connection.close()


@pytest.mark.parametrize(
    ("text", "message", "position"),
    [
        ("width =", "syntax error", None),
        ("width = 7)", r'near "\)"', 9),
        ("é = 1 AND )", r'near "\)"', 10),
        ("width == = 7", 'near "="', 9),
        ("widht = 7", 'Did you mean "width"', 0),
        ('species = "Bufo bufo"', "single quotes", 10),
        ("width > 1 AND lowr(species) = 'x'", r"Did you mean lower\(\)", 14),
        ("count(*) > 3", "needs several", 0),
        ("taken > now()", "Write the date", 8),
        ("species = 'é' AND width::GEOMETRY = 1", "cannot cast to GEOMETRY", 23),
        ("width::INTEGER[3] = [1, 2, 3]", "of a fixed length", 5),
        ("species COLLATE de = 'x'", "collation de", 0),
        ("", "empty", 0),
        ("  ", "empty", 0),
    ],
)
def test_what_is_wrong_is_told_with_its_place(text: str, message: str, position: int | None) -> None:
    with pytest.raises(ConditionError, match=message) as caught:
        parse_condition(text, [*NAMES, "é"])
    assert caught.value.code == "bad_condition"
    assert isinstance(caught.value, ValueError)
    if position is not None:
        assert caught.value.details["position"] == position


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("species::INTEGER > 3", "Could not convert string"),
        ("substr(width, 1, 2, 3, 4) = 'x'", "No function matches"),
        ("regexp_matches(species, '(')", "missing"),
        ("box.z = 1", "z"),
        ("species", "Could not convert string"),
    ],
)
def test_what_duckdb_finds_only_when_it_runs_is_told_in_its_words(
    text: str, message: str, lookup: Path, locked: Any
) -> None:
    with pytest.raises(ConditionError, match=message) as caught:
        chosen(locked, lookup, parse_condition(text, NAMES))
    assert "SELECT" not in str(caught.value)
    assert str(lookup.parent) not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_every_function_is_one_of_duckdb_that_only_computes() -> None:
    rows = duckdb.connect().execute(
        "SELECT lower(function_name), function_type, stability, has_side_effects, macro_definition "
        "FROM duckdb_functions() WHERE database_name = 'system' AND function_type IN ('scalar', 'macro')"
    )
    known: dict[str, list[tuple[Any, ...]]] = {}
    for name, *facts in rows.fetchall():
        known.setdefault(name, []).append(tuple(facts))
    assert set(known) >= functions.KNOWN
    for name in functions.KNOWN:
        for kind, stability, effects, definition in known[name]:
            if kind == "scalar":
                assert (stability, effects) == ("CONSISTENT", False), name
            else:
                assert "select" not in definition.lower(), name
    aggregates = {
        name
        for (name,) in duckdb.connect()
        .execute(
            "SELECT function_name FROM duckdb_functions() WHERE function_type IN ('aggregate', 'pragma', 'table_macro')"
        )
        .fetchall()
    }
    assert not aggregates & functions.KNOWN


def test_every_function_has_one_rule_for_its_size() -> None:
    groups = [
        functions.SMALL, functions.SAME, functions.GROWING, functions.LAMBDAS, functions.PATTERNS, functions.DISTANCES,
        functions.JOINS, functions.PADS,
    ]  # fmt: skip
    assert sum(map(len, groups)) + 2 == len(functions.KNOWN)


def test_length_and_depth_are_bounded() -> None:
    longest = "width IN (" + ", ".join(["1"] * 3_000) + ")"
    longest += " " * (LONGEST - len(longest) - 1) + "\n"
    inner = longest.strip()
    assert parse_condition(inner + " AND width = 1", NAMES).columns == ("width",)
    with pytest.raises(ConditionError, match=f"{LONGEST:,}"):
        parse_condition("'" + "x" * LONGEST + "'", NAMES)
    assert parse_condition("NOT " * (MOST_DEPTH - 1) + "blurred", NAMES).columns == ("blurred",)
    with pytest.raises(ConditionError, match="deeply"):
        parse_condition("NOT " * MOST_DEPTH + "blurred", NAMES)


def test_a_condition_as_deep_as_may_be_runs(lookup: Path, locked: Any, plain: Any) -> None:
    deep = "(width IN (" * 49 + "1" + "))" * 49
    assert chosen(locked, lookup, parse_condition(f"{deep} IS NULL", NAMES)) == by_plain_sql(plain, f"{deep} IS NULL")


def test_a_condition_as_long_as_may_be_runs(lookup: Path, locked: Any, plain: Any) -> None:
    text = " OR ".join(f"lower(species) LIKE '%{number:03d}%'" for number in range(300))
    assert len(text) > LONGEST * 0.9
    assert chosen(locked, lookup, parse_condition(text, NAMES)) == by_plain_sql(plain, text)


# Any text, and any tree of what is allowed

_words = st.sampled_from([
    "width", "species", "tags", "box", "NULL", "true", "AND", "OR", "NOT", "IN", "LIKE", "IS", "BETWEEN", "CASE",
    "WHEN", "THEN", "ELSE", "END", "CAST", "AS", "::", "(", ")", "[", "]", "{", "}", ",", ".", ";", "--", "/*",
    "*/", "'", '"',
    "$$", "$1", "?", "*", "+", "-", "/", "%", "||", "=", "<>", "<", ">", "->", "->>", ":=", ":", "lambda", "SELECT",
    "FROM", "WITH", "UNION", "COPY", "EXISTS", "upper(", "abs(", "list_filter(", "1", "2.5", "'x'", "x'00'", "E'\\'",
    "INTERVAL", "DATE", "COLLATE", "OVER", "COLUMNS(*)", "\0", "\ud800", "é", "\u202e",
])  # fmt: skip


def condition_of(text: str) -> Condition | ConditionError:
    try:
        return parse_condition(text, NAMES)
    except ConditionError as error:
        return error


@given(st.one_of(st.text(max_size=60), st.lists(_words, max_size=14).map(" ".join)))
def test_any_text_is_a_condition_that_holds_or_is_refused(text: str) -> None:
    found = condition_of(text)
    if isinstance(found, ConditionError):
        assert str(found)
        return
    again = parse_condition(found.sql, NAMES)
    assert again.columns == found.columns
    assert again.sql == found.sql
    assert set(found.columns) <= set(NAMES)


_values = st.one_of(
    st.integers(-(10**18), 10**18).map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"), max_size=8).map(
        lambda text: "'" + text.replace("'", "''") + "'"
    ),
    st.sampled_from(["NULL", "true", "DATE '2020-01-01'", "INTERVAL 2 DAY", "[1, 2]", "{'a': 1}", "x'00ff'"]),
    st.sampled_from(["width", "species", "tags", "box.y.low", "sizes[1]", *map(quoted, HOSTILE)]),
)


_OPERATORS = ["=", "<>", "<", ">", "<=", ">=", "+", "-", "*", "/", "%", "//", "||", "AND", "OR", "LIKE"]


def _larger(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    two = st.tuples(inner, inner)
    return st.one_of(
        st.tuples(inner, st.sampled_from(_OPERATORS), inner).map(lambda parts: f"({' '.join(parts)})"),
        st.tuples(st.sampled_from(["NOT ", "-", "+", "upper", "abs", "len", "coalesce", "typeof"]), inner).map(
            lambda parts: f"({parts[0]}({parts[1]}))"
        ),
        st.tuples(
            inner, st.sampled_from(["IS NULL", "IS NOT NULL", "::VARCHAR", "::DECIMAL(9, 2)", "::INTEGER[]"])
        ).map(lambda parts: f"(({parts[0]}) {parts[1]})"),
        st.tuples(inner, inner, inner).map(lambda parts: "(({}) BETWEEN ({}) AND ({}))".format(*parts)),
        st.tuples(inner, inner, inner).map(lambda parts: "(CASE WHEN {} THEN {} ELSE {} END)".format(*parts)),
        two.map(lambda parts: "({} IN ({}, 1))".format(*parts)),
        two.map(lambda parts: "list_filter([{}], lambda x: x = {})".format(*parts)),
        two.map(lambda parts: "({})[{}]".format(*parts)),
    )


@given(st.recursive(_values, _larger, max_leaves=12))
def test_any_tree_of_what_is_allowed_means_what_it_did(text: str) -> None:
    """DuckDB makes the same expression of what was written as of what was typed."""
    found = condition_of(text)
    if isinstance(found, ConditionError):
        assert "more out of each row" in str(found) or "written out" in str(found)
        return
    assert outcome(found.sql) == outcome(text)


_five = duckdb.connect()
_five.register("five", conditions_table(5))


def outcome(expression: str) -> object:
    try:
        return repr(_five.execute(f"SELECT {expression} FROM five").fetchall())
    except duckdb.Error as error:
        return type(error)


@given(st.text("ab(){}[]|?*+.,0123456789\\", max_size=30))
def test_a_pattern_has_no_more_parts_than_are_counted(pattern: str) -> None:
    assert pattern_parts(pattern) >= len(pattern)


@pytest.mark.parametrize(
    "pattern", ["(a?){900}b{99}", "((a{20}){20}){20}", "(a{50}){50}", "(x{999}){999}", "(ab){2000,}", "a{50}" * 60]
)
def test_large_patterns_are_refused(pattern: str) -> None:
    assert pattern_parts(pattern) > MOST_PATTERN
    with pytest.raises(ConditionError, match="too large"):
        parse_condition(f"species ~ '{pattern}'", NAMES)
