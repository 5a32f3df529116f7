"""Conditions that are meant ill are refused, or stopped, and change nothing and tell nothing."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from h5explorer_py.errors import ConditionError, ExplorerError, RequestTimeoutError
from h5explorer_py.lookup.sql.condition import parse_condition
from h5explorer_py.lookup.sql.connection import locked_connection
from h5explorer_py.lookup.sql.running import run
from h5explorer_py.lookup.sql.tree import only_reads
from tests.fixtures.conditions import conditions_table, write_conditions
from tests.py.support import within

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NAMES = conditions_table(1).schema.names
SECRET = "canary-5f2c91"
ROWS = "SELECT * FROM read_parquet(?)"


class Place(NamedTuple):
    folder: Path
    lookup: Path
    canary: Path
    connection: Any
    address: str
    calls: list[Any]

    def fill(self, text: str) -> str:
        return (
            text.replace("<lookup>", str(self.lookup))
            .replace("<canary>", str(self.canary))
            .replace("<folder>", str(self.folder))
            .replace("<http>", self.address)
        )

    def state(self) -> dict[str, bytes]:
        return {str(path.relative_to(self.folder)): path.read_bytes() for path in self.folder.rglob("*")}

    def honest(self) -> int:
        condition = parse_condition("width = 7", NAMES)
        sql = f"{ROWS} WHERE {condition.sql}"
        return sum(batch.num_rows for batch in run(self.connection, sql, [str(self.lookup)], lambda: None))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("hostile")
    lookup = write_conditions(folder / "lookup.parquet")
    canary = folder / "canary.txt"
    canary.write_text(SECRET)
    (folder / "canary.csv").write_text(f"secret\n{SECRET}\n")
    connection = locked_connection([str(lookup)])
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        address = f"http://127.0.0.1:{server.getsockname()[1]}/x.parquet"
        yield Place(folder, lookup, canary, connection, address, [server])
    connection.close()


@pytest.fixture(autouse=True)
def _nothing_has_changed(place: Place, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("H5_CANARY", SECRET)
    before = place.state()
    rows = place.honest()
    yield
    assert place.state() == before
    assert place.honest() == rows == 8
    with pytest.raises(BlockingIOError):
        place.calls[0].accept()


# What a statement could do, tried behind every way out of the condition
STATEMENTS = [
    "COPY (SELECT 1) TO '<lookup>'",
    "COPY (SELECT 1 AS a) TO '<lookup>' (FORMAT parquet)",
    "COPY (SELECT 1) TO '<folder>/new.csv'",
    "COPY t FROM '<canary>'",
    "ATTACH '<folder>/new.db' AS n",
    "DETACH memory",
    "USE memory",
    "INSTALL httpfs",
    "FORCE INSTALL httpfs FROM '<http>'",
    "LOAD httpfs",
    "SET memory_limit = '100GB'",
    "SET enable_external_access = true",
    "SET lock_configuration = false",
    "RESET memory_limit",
    "PRAGMA database_list",
    "PRAGMA enable_profiling",
    "EXPORT DATABASE '<folder>/out'",
    "IMPORT DATABASE '<folder>'",
    "CALL pragma_version()",
    "CREATE TABLE x AS SELECT 1",
    "CREATE MACRO upper(a) AS 'x'",
    "CREATE SECRET s (TYPE s3)",
    "CREATE VIEW v AS FROM read_text('<canary>')",
    "DROP TABLE t",
    "INSERT INTO t VALUES (1)",
    "DELETE FROM t",
    "UPDATE t SET width = 1",
    "PREPARE p AS SELECT 1",
    "EXECUTE p",
    "CHECKPOINT",
    "VACUUM",
    "EXPLAIN ANALYZE SELECT 1",
    "SELECT * FROM read_text('<canary>')",
    "FROM '<canary>'",
    "SUMMARIZE t",
    "BEGIN TRANSACTION",
]
WAYS_OUT = ["{}", "1 = 1; {}", "1 = 1); {}; --", "1 = 1); {}; SELECT (1 = 1", "({})", "1 = 1 /* ) */; {} /* ", "; {};"]

QUERIES = [
    "width IN (SELECT 1)",
    "width NOT IN (SELECT 1)",
    "width = (SELECT 1)",
    "EXISTS (SELECT 1)",
    "EXISTS (FROM read_text('<canary>'))",
    "NOT EXISTS (SELECT * FROM t)",
    "width = ANY (SELECT 1)",
    "width > ALL (SELECT 1)",
    "width = ANY ([1, 2])",
    "sizes = ARRAY(SELECT 1)",
    "(SELECT content FROM read_text('<canary>')) LIKE 'c%'",
    "(SELECT count(*) FROM '<canary>') > 0",
    "(FROM read_csv('<folder>/canary.csv')) = 'x'",
    "(SELECT count(*) FROM glob('<folder>/*')) = 2",
    "(SELECT count(*) FROM read_parquet('<http>')) > 0",
    "(SELECT count(*) FROM 's3://bucket/x.parquet') > 0",
    "(SELECT count(*) FROM range(1000000000000)) > 0",
    "(WITH x AS (SELECT 1) SELECT * FROM x) = 1",
    "(WITH x AS (COPY (SELECT 1) TO '<lookup>') SELECT 1) = 1",
    "width IN (WITH x AS (COPY (SELECT 1) TO '<folder>/new.csv') SELECT 1)",
    "(WITH RECURSIVE x(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM x) SELECT max(n) FROM x) > 0",
    "(VALUES (1)) = 1",
    "(TABLE t) = 1",
    "(PIVOT t ON width) = 1",
    "(DESCRIBE t) = 'x'",
    "(SHOW TABLES) = 'x'",
    "CASE WHEN (SELECT true) THEN true END",
    "COALESCE((SELECT NULL), true)",
    "list_transform(sizes, lambda x: (SELECT 1)) = [1]",
    "width BETWEEN (SELECT 1) AND 3",
    "CAST((SELECT 1) AS BOOLEAN)",
    "upper((SELECT 'x')) = 'X'",
    "[y FOR y IN (SELECT [1])] = [1]",
    "{'a': (SELECT 1)}.a = 1",
    "sizes[(SELECT 1)] = 1",
    "width = 1 UNION SELECT 1",
    "width = 1) UNION SELECT (1",
    "width = 1 EXCEPT SELECT 2",
    "width = 1 GROUP BY 1",
    "width = 1 HAVING true",
    "width = 1 ORDER BY (SELECT 1)",
    "width = 1 LIMIT 5",
    "width = 1 QUALIFY true",
    "width = 1 WINDOW w AS ()",
    "width = 1 USING SAMPLE 5",
    "width = 1 FETCH FIRST 3 ROWS ONLY",
    "width = 1) AND (1 = 1",
    "width = 1) OR (1 = 1",
]

FUNCTIONS = [
    "getenv('H5_CANARY') = 'x'",
    "read_text('<canary>') = 'x'",
    "read_blob('<canary>') = 'x'",
    "read_csv('<canary>') = 'x'",
    "read_json('<canary>') = 'x'",
    "glob('<folder>/*') = 'x'",
    "parquet_scan('<lookup>') = 'x'",
    "parquet_metadata('<lookup>') = 'x'",
    "sniff_csv('<canary>') = 'x'",
    "query('SELECT 1') = 1",
    "query_table('t') = 1",
    "current_setting('allowed_paths') = []",
    "getvariable('x') = 1",
    "current_user = 'x'",
    "current_user() = 'x'",
    "user = 'x'",
    "session_user = 'x'",
    "current_database() = 'x'",
    "current_schemas(true) = []",
    "current_query() = 'x'",
    "version() = 'x'",
    "pg_sleep(1) IS NULL",
    "pg_catalog.pg_get_viewdef(1) = 'x'",
    "pg_typeof(width) = 'x'",
    "sleep_ms(100000) IS NULL",
    "nextval('s') = 1",
    "currval('s') = 1",
    "setval('s', 1) = 1",
    "txid_current() = 1",
    "random() < 0.5",
    "setseed(0.5) IS NULL",
    "uuid() = uuid",
    "gen_random_uuid() = uuid",
    "now() > taken",
    "today() > day",
    "current_timestamp > taken",
    "age(taken) > INTERVAL 1 DAY",
    "write_log('x') IS NULL",
    "error('<canary>') IS NULL",
    "in_search_path('a', 'b')",
    "checkpoint() IS NULL",
    "force_checkpoint() IS NULL",
    "duckdb_settings() = 1",
    "json_serialize_plan('SELECT 1') = 'x'",
    "json_deserialize_sql('{}') = 'x'",
    "from_json(json, '\"INTEGER\"') = 1",
    "to_json(box) = '1'",
    "icu_sort_key(species, 'de') = 'x'",
    "enum_range(NULL::ENUM('a')) = []",
    "make_type('INTEGER') = 1",
    "unnest(sizes) = 1",
    "generate_subscripts(sizes, 1) = 1",
    "count(*) > 1",
    "sum(width) > 1",
    "max(width) FILTER (WHERE true) = 1",
    "list(width ORDER BY width) = []",
    "row_number() OVER () < 10",
    "sum(width) OVER (ORDER BY width) < 10",
    "lag(width) OVER () = 1",
    "list_aggregate(sizes, 'sum') = 3",
    "list_aggr(sizes, 'histogram') = 3",
    "upper(DISTINCT species) = 'X'",
    "unknown_macro(width)",
    "main.upper(species) = 'X'",
    "memory.main.upper(species) = 'X'",
    "system.main.getvariable('x') = 1",
    "species OPERATOR(pg_catalog.||) 'x' = 'y'",
    "upper(species := 'x') = 'X'",
    "\"getenv\"('H5_CANARY') = 'x'",
    "GetEnv('H5_CANARY') = 'x'",
    "species.getenv() = 'x'",
    "'H5_CANARY'.getenv() = 'x'",
]

FORMS = [
    "$1 = 1",
    "? = 1",
    "$name = 1",
    "#1 = 1",
    "*",
    "t.*",
    "COLUMNS(*) = 1",
    "COLUMNS('w.*') > 1",
    "COLUMNS(c -> c LIKE 'w%') > 1",
    "* LIKE 'w%'",
    "*COLUMNS(*) = 1",
    "DEFAULT",
    "GROUPING(width) = 1",
    "TRY(width::INTEGER) = 1",
    "rowid = 1",
    "file_row_number = 1",
    "filename = '<lookup>'",
    "t.width = 1",
    "memory.main.t.width = 1",
    "lambda x: x",
    "width -- a remark",
    "width = 1 -- )",
    "width = 1 /*",
    "width = 1 /* ) /* */",
    "width = 1 */",
    "species = 'x' --'",
    "species = 'x\\' OR 1=1 --'",
    "species = 'x'' OR 1=1",
    "species = $$x$",
    "species = $a$ x $b$",
    "species = U&'\\0027'",
    "species = \u02bcx' OR 1=1",
    "species = \u2018x\u2019 OR \u20181\u2019 = \u20181\u2019",
    "species = \u201cx\u201d",
    "width = 1\uff1bDROP TABLE t",
    "width\u00a0=\u00a01\u037e SELECT 1",
    "width = 1\0; SELECT 1",
    "width = '\ud800'",
    "species = 'x\0'",
    "species COLLATE de = 'x'",
    "species COLLATE icu_noaccent = 'x'",
    "species COLLATE nocase.de = 'x'",
    "species::INET = 'x'",
    "species::GEOMETRY IS NULL",
    "species::JSON = '1'",
    "species::VARIANT IS NULL",
    "species::main.upper = 'x'",
    "species::ENUM('a') = 'a'",
    "species::UNION(a INTEGER) IS NULL",
    "species::BIT = '1'",
    "species::BIGNUM > 1",
    "species::REGCLASS = 'x'",
    "species::unknown_type = 'x'",
    "NULL::INTEGER[100000][100000] IS NULL",
    "species::STRUCT(a INTEGER[99999]) IS NULL",
    "species::MAP(INTEGER, INET) IS NULL",
    "species::DECIMAL(999999999) = 1",
    "CAST(species AS INTEGER) AS x",
    "width = 1 AS x",
    "width, height",
    "SELECT width = 1",
    "WHERE width = 1",
    "INTO OUTFILE '<lookup>'",
]

ENDLESS = [
    "length(repeat('a', 1000000000000)) > 0",
    "length(repeat('a', 2000000000)) > 0",
    "length(repeat(repeat(repeat(repeat('a', 999), 999), 999), 999)) > 0",
    "repeat(species, width * 1000000) = 'x'",
    "repeat([1], 100000000) = [1]",
    "species.repeat(1000000000) = 'x'",
    "lpad(species, 2000000000, 'x') = 'x'",
    "rpad('x', width * 100000000, 'x') = 'x'",
    "list_sum(range(1000000000000)) > 0",
    "len(generate_series(1, 1000000000000)) > 0",
    "list_resize(sizes, 1000000000) = [1]",
    "list_reduce([species, species, species], lambda x, y: x || x || y || y) = 'x'",
    "reduce([1], lambda x, y: x) = 1",
    "format('{:>1000000000}', species) = 'x'",
    "printf('%1000000000d', width) = 'x'",
    "bitstring('1', 2000000000) = 'x'",
    "bar(width, 0, 1, 1000000000) = 'x'",
    "list_select(sizes, [1, 1, 1]) = [1]",
    "equi_width_bins(0, 1000000000, 1000000000, false) = []",
    "species ~ '(a?){900}b'",
    "species ~ '((a{100}){100}){100}'",
    "species SIMILAR TO '(((a|b){50}){50}){50}'",
    "regexp_replace(species, '(a{999}){999}', 'x') = 'x'",
    "regexp_matches(species, species || '{900}')",
    "species ~ repeat('(a|b)*', 900)",
    "replace(species, '', filepath) = 'x'",
    "replace(replace(replace(species, 'a', '" + "a" * 99 + "'), 'a', '" + "a" * 99 + "'), 'a', 'bb') = 'x'",
    "regexp_replace(regexp_replace(species, '.', '" + "\\0" * 99 + "', 'g'), '.', '" + "\\0" * 99 + "', 'g') = 'x'",
    "bin(bin(bin(bin(bin(bin(species)))))) = 'x'",
    "levenshtein(species, filepath) > 3",
    "list_transform(split(species, ''), lambda a: list_transform(split(species, ''), lambda b: split(uuid, ''))) = []",
    "[[[[a FOR d IN sizes] FOR c IN sizes] FOR b IN sizes] FOR a IN sizes] = []",
    "list_transform(list_transform([species], lambda x: x || x || x || x), lambda x: repeat(x, 999)) = []",
    f"concat_ws(repeat('x', 9999), {', '.join(['species'] * 99)}) = 'x'",
    "translate(" * 6 + "species" + ", 'a', 'b')" * 6 + " = 'x'",
    "(" * 5_000,
    "(" * 300 + "width" + ")" * 300,
    "(/*)*/" * 1_600,
    "NOT " * 2_400 + "blurred",
    "- " * 4_000 + "width",
    "width" + "::INTEGER" * 1_000,
    "width" + " + 1" * 2_000,
    "[" * 190 + "]" * 190 + " = []",
    "CASE WHEN blurred THEN " * 400 + "true" + " END" * 400,
    "box" + ".y" * 4_000 + " = 1",
    "species::INTEGER" + "[]" * 4_000 + " IS NULL",
    "width IN (" + "1," * 6_000 + "1)",
]

ATTEMPTS = [
    *(way.format(statement) for statement in STATEMENTS for way in WAYS_OUT),
    *QUERIES,
    *FUNCTIONS,
    *FORMS,
    *ENDLESS,
]


def short(text: str) -> str:
    return text[:60].encode("ascii", "backslashreplace").decode()


def test_there_are_many_attempts_and_no_two_are_the_same() -> None:
    assert len(set(ATTEMPTS)) == len(ATTEMPTS) > 400


@pytest.mark.parametrize("text", ATTEMPTS, ids=short)
def test_an_attempt_is_refused(text: str, place: Place) -> None:
    with pytest.raises(ConditionError) as caught:
        within(30, lambda: parse_condition(place.fill(text), NAMES))
    assert SECRET not in str(caught.value)
    assert len(str(caught.value)) < 600


# The same again without the first guard: what a fault in it would let through


@pytest.mark.parametrize("text", STATEMENTS, ids=short)
def test_the_runner_runs_nothing_but_a_query(text: str, place: Place) -> None:
    sql = place.fill(text)
    for form in (sql, f"SELECT 1; {sql}", f"WITH x AS ({sql}) SELECT * FROM x"):
        with pytest.raises(ExplorerError) as caught:
            list(run(place.connection, form, [], lambda: None))
        assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [text for text in [*QUERIES, *FUNCTIONS] if any(name in text for name in ("<canary>", "<folder>", "<http>"))],
    ids=short,
)
def test_a_query_that_reaches_out_gets_nothing(text: str, place: Place) -> None:
    sql = f"SELECT count(*) FROM read_parquet(?) WHERE {place.fill(text)}"
    with pytest.raises(ExplorerError) as caught:
        list(run(place.connection, sql, [str(place.lookup)], lambda: None))
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    ("sql", "reads"),
    [
        ("SELECT 1", True),
        ("FROM t", True),
        ("WITH x AS (SELECT 1) SELECT * FROM x UNION ALL SELECT 2", True),
        ("WITH RECURSIVE x(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM x WHERE n < 3) SELECT * FROM x", True),
        ("SELECT 'COPY_QUERY_NODE' AS type, {'type': 'COPY_QUERY_NODE'} AS b", True),
        ("SELECT 1; SELECT 2", False),
        ("WITH x AS (COPY (SELECT 1) TO 'a.csv') SELECT * FROM x", False),
        ("SELECT * FROM t WHERE a IN (WITH x AS (COPY (SELECT 1) TO 'a.csv') SELECT * FROM x)", False),
        ("WITH x AS (INSERT INTO t SELECT 1 RETURNING 1) SELECT * FROM x", False),
        ("WITH x AS (DELETE FROM t RETURNING 1) SELECT * FROM x", False),
        ("WITH x AS (UPDATE t SET a = 1 RETURNING 1) SELECT * FROM x", False),
        ("SELECT * FROM (WITH x AS (COPY (SELECT 1) TO 'a.csv') SELECT * FROM x)", False),
    ],
)
def test_what_reads_is_told_from_what_writes(sql: str, reads: bool) -> None:
    assert only_reads(sql) is reads


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_text('<canary>')",
        "SELECT * FROM read_blob('<canary>')",
        "SELECT * FROM read_csv('<folder>/canary.csv')",
        "SELECT * FROM glob('<folder>/*')",
        "FROM '<folder>/canary.csv'",
        "FROM '<http>'",
        "FROM secret_table",
        "COPY (SELECT 1) TO '<folder>/new.csv'",
        "ATTACH '<folder>/new.db' AS n",
        "EXPORT DATABASE '<folder>/out'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "LOAD '<folder>/canary.txt'",
        "SET enable_external_access = true",
        "SET allowed_paths = ['<canary>']",
        "SET allowed_directories = ['<folder>']",
        "SET temp_directory = '<folder>'",
        "SET memory_limit = '100GB'",
        "SET python_enable_replacements = true",
        "RESET lock_configuration",
        "CREATE PERSISTENT SECRET s (TYPE s3)",
    ],
)
def test_the_connection_itself_is_locked(sql: str, place: Place) -> None:
    import duckdb

    secret_table = conditions_table(1)
    assert secret_table is not None
    with pytest.raises(duckdb.Error) as caught:
        place.connection.execute(place.fill(sql)).fetchall()
    assert SECRET not in str(caught.value)


HEAVY = [
    "damerau_levenshtein(filepath, '" + "ab" * 300 + "') < 3",
    "length(repeat(filepath, 900)) = width",
    "species ~ '(a?){180}b'",
    "len(list_transform(split(filepath, ''), lambda x: x || filepath)) = 7",
    "bin(bin(bin(filepath))) = 'x'",
    " OR ".join(f"lower(species) LIKE '%{number}%'" for number in range(300)),
    "list_sum([x * width FOR x IN sizes]) = 1",
]


@pytest.mark.parametrize("text", HEAVY, ids=short)
def test_the_dearest_that_are_allowed_end_soon_when_they_are_given_up(text: str, place: Place) -> None:
    condition = parse_condition(text, NAMES)
    endless = (
        "SELECT t.* REPLACE (filepath || range AS filepath, species || range AS species, width + range AS width) "
        "FROM read_parquet(?) t CROSS JOIN range(10000000)"
    )
    sql = f"SELECT count(*) FROM ({endless}) WHERE {condition.sql}"

    def attempt() -> None:
        with pytest.raises(RequestTimeoutError):
            list(run(place.connection, sql, [str(place.lookup)], lambda: None, seconds=0.3))

    within(60, attempt)


@given(st.lists(st.sampled_from(ATTEMPTS[len(STATEMENTS) * len(WAYS_OUT) :]), min_size=1, max_size=3), st.data())
def test_attempts_within_honest_conditions_are_refused(texts: list[str], data: st.DataObject) -> None:
    """Cut anywhere and joined by anything, what is accepted is still written in one expression of what is allowed."""
    pieces = [text[: data.draw(st.integers(0, min(len(text), 80)))] for text in texts]
    joined = data.draw(st.sampled_from([" AND ", " OR ", ") OR (", "; ", ", ", " ' ", " -- ", "\n"])).join(pieces)
    try:
        condition = parse_condition(f"width = 1 OR {joined}", NAMES)
    except ConditionError:
        return
    assert only_reads(f"SELECT 1 FROM t WHERE {condition.sql}")
    assert parse_condition(condition.sql, NAMES).columns == condition.columns
    lowered = condition.sql.lower()
    assert not any(f'"{name}"(' in lowered for name in ("getenv", "read_text", "query", "current_setting", "random"))
