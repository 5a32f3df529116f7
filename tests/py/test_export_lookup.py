"""Rows of a lookup as a table: every value compared with the source."""

from __future__ import annotations

import csv
import gzip
import io
import signal
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from h5explorer_py.bulk import export_lookup as module
from h5explorer_py.bulk.export_lookup import export_lookup
from h5explorer_py.bulk.find_uuids import UuidRows
from h5explorer_py.bulk.rows import RowReader
from h5explorer_py.errors import (
    CancelledError,
    RowOutOfRangeError,
    TargetExistsError,
    UnsupportedError,
    WriteFailedError,
)
from h5explorer_py.lookup import parquet
from h5explorer_py.lookup.memory import MemoryLookup
from h5explorer_py.lookup.open import open_lookup
from tests.fixtures.datasets import EVERY_TYPE, every_type, expected_texts, key
from tests.fixtures.hostile import hostile_strings
from tests.py.support import COLUMNS, python

if TYPE_CHECKING:
    from h5explorer_py.lookup.base import Lookup

TEXT = (".csv", ".tsv", ".csv.gz", ".TSV.GZ")


def lookup_of(table: pa.Table) -> Lookup:
    return MemoryLookup(table, COLUMNS, "table")


def numbered(count: int) -> pa.Table:
    numbers = pa.array(range(count))
    return pa.table({"uuid": pa.array([key(n) for n in range(count)]), "filepath": ["s"] * count, "n": numbers})


def read_text(path: Path) -> list[list[str]]:
    data = path.read_bytes()
    text = (gzip.decompress(data) if path.name.lower().endswith(".gz") else data).decode()
    return list(csv.reader(io.StringIO(text, newline=""), delimiter="\t" if ".tsv" in path.name.lower() else ","))


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


# Parquet


def test_parquet_has_the_values_as_they_are_stored(tmp_path: Path) -> None:
    records = [{"uuid": key(number), "filepath": "s", **every_type(number)} for number in range(50)]
    schema = pa.schema([pa.field("filepath", pa.dictionary(pa.int32(), pa.string())), *EVERY_TYPE])
    pq.write_table(pa.Table.from_pylist(records, schema=schema), tmp_path / "l.parquet", row_group_size=7)
    source = pq.read_table(tmp_path / "l.parquet")
    lookup = open_lookup(tmp_path / "l.parquet", COLUMNS)
    order = np.random.default_rng(0).permutation(50)
    for at, rows in enumerate((None, [np.arange(50)], [order[:20], order[20:]])):
        assert export_lookup(lookup, rows, tmp_path / f"{at}.parquet") == 50
        read = pq.read_table(tmp_path / f"{at}.parquet")
        expected = source if at < 2 else source.take(pa.array(order))
        assert read.schema == source.schema
        assert repr(read.to_pylist()) == repr(expected.to_pylist())  # in which NaN is the same as NaN
        assert pq.ParquetFile(tmp_path / f"{at}.parquet").metadata.row_group(0).column(0).compression == "ZSTD"
    lookup.close()


def test_row_groups_are_of_a_million_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert module.GROUP_ROWS == 1_048_576
    monkeypatch.setattr(module, "GROUP_ROWS", 1_000)
    monkeypatch.setattr(module, "_BATCH_ROWS", 300)
    export_lookup(lookup_of(numbered(5_000)), [np.arange(5_000)], tmp_path / "o.parquet")
    metadata = pq.ParquetFile(tmp_path / "o.parquet").metadata
    assert [metadata.row_group(at).num_rows for at in range(metadata.num_row_groups)] == [1200] * 4 + [200]


# Text


@pytest.mark.parametrize("suffix", TEXT)
def test_text_is_written_as_it_is_stored(tmp_path: Path, suffix: str) -> None:
    strings = [text for text in hostile_strings() if "\0" not in text]
    extra = [
        "00777",
        "1e5",
        " lead",
        "trail ",
        "",
        '"',
        '""',
        ",",
        "\t",
        "\r",
        "\n",
        "a\rb",
        "\ufeffmark",
        "NA",
        "null",
    ]
    texts = strings + extra
    table = pa.table({"uuid": texts, "filepath": list(reversed(texts)), 'odd "name", here': [None, *texts[1:]]})
    path = tmp_path / f"o{suffix}"
    assert export_lookup(lookup_of(table), None, path) == len(texts)
    read = read_text(path)
    assert read[0] == table.column_names
    assert [tuple(line) for line in read[1:]] == [
        tuple("" if value is None else value for value in row.values()) for row in table.to_pylist()
    ]
    lookup = open_lookup(path, COLUMNS)
    assert lookup.keys(0, len(texts)).to_pydict() == {"uuid": texts, "filepath": list(reversed(texts))}
    lookup.close()


def test_nulls_and_empty_texts_are_told_apart_by_who_can(tmp_path: Path) -> None:
    table = pa.table({"uuid": ["a", None, ""], "filepath": [None, "", "b"]})
    export_lookup(lookup_of(table), None, tmp_path / "o.csv")
    assert (tmp_path / "o.csv").read_bytes() == b'uuid,filepath\na,\n,""\n"",b\n'
    options = pa_csv.ConvertOptions(strings_can_be_null=True, quoted_strings_can_be_null=False)
    assert pa_csv.read_csv(tmp_path / "o.csv", convert_options=options).to_pylist() == table.to_pylist()


@given(
    st.lists(st.tuples(*[st.none() | st.text(st.characters(exclude_categories=["Cs"]))] * 3), max_size=20),
    st.sampled_from([".csv", ".tsv"]),
)
@settings(max_examples=60)
def test_any_text_comes_back(rows: list[tuple[str | None, ...]], suffix: str) -> None:
    import tempfile

    columns = list(zip(*rows, strict=True)) or [(), (), ()]
    kinds = (pa.string(), pa.large_string(), pa.string_view())
    arrays = [pa.array(column, kind) for column, kind in zip(columns, kinds, strict=True)]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"o{suffix}"
        export_lookup(lookup_of(pa.table(arrays, ["uuid", "filepath", "c"])), None, path)
        found = read_text(path)[1:]
        # The reader gives no record for an empty line, which there is none of: two columns at least have a delimiter.
        assert found == [["" if value is None else value for value in row] for row in rows]


def test_other_values_are_written_as_the_page_shows_them(tmp_path: Path) -> None:
    table = pa.Table.from_pylist([{"uuid": key(5), **every_type(5)}], schema=EVERY_TYPE)
    table = table.append_column("filepath", pa.array(["s"]))
    export_lookup(lookup_of(table), None, tmp_path / "o.csv")
    header, line = read_text(tmp_path / "o.csv")
    shown = dict(zip(header, line, strict=True))
    expected = {**expected_texts(5), "uuid": key(5), "filepath": "s", "nothing": ""}
    assert shown == expected


def test_keys_are_written_as_the_explorer_reads_them(tmp_path: Path) -> None:
    uuids = pa.array([bytes(range(16)), None], pa.binary(16))
    paths = pa.array([b"a", "ä".encode()]).dictionary_encode()
    export_lookup(lookup_of(pa.table({"uuid": uuids, "filepath": paths})), None, tmp_path / "o.csv")
    assert read_text(tmp_path / "o.csv")[1:] == [["00010203-0405-0607-0809-0a0b0c0d0e0f", "a"], ["", "ä"]]


# Rows


@given(st.lists(st.integers(0, 199), max_size=80), st.integers(1, 50), st.integers(1, 60), st.integers(1, 9))
@settings(max_examples=60)
def test_any_rows_in_any_order(contract: Path, rows: list[int], group: int, batch: int, near: int) -> None:
    """Read by a reader that goes on where it was, in one lookup and in several that are put together."""
    import tempfile

    from h5explorer_py.bulk import rows as rows_module

    table = numbered(200)
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(parquet, "BATCH_ROWS", 13)
        patch.setattr(rows_module, "_NEAR", near)
        pq.write_table(table.slice(0, 120), Path(folder) / "0.parquet", row_group_size=group)
        table.slice(120).drop_columns("n").to_pandas().to_csv(Path(folder) / "1.csv", index=False)
        one = lookup_of(table)
        both = open_lookup([Path(folder) / "0.parquet", Path(folder) / "1.csv"], COLUMNS)
        expected = table.take(pa.array(rows, pa.int64()))
        for lookup in (one, both):
            reader = RowReader(lookup)
            parts = [reader.take(np.array(rows[at : at + batch], np.int64)) for at in range(0, len(rows), batch)]
            found = [row for part in parts for row in part.to_pylist()]
            if lookup is both:
                assert [row["uuid"] for row in found] == expected.column("uuid").to_pylist()
                assert [row["n"] for row in found] == [row if row < 120 else None for row in rows]
            else:
                assert found == expected.to_pylist()
        both.close()


@pytest.mark.parametrize("group", [50, 1_000, 10_000])
def test_runs_of_rows_are_read_together(tmp_path: Path, group: int, monkeypatch: pytest.MonkeyPatch) -> None:
    pq.write_table(numbered(10_000), tmp_path / "l.parquet", row_group_size=group)
    lookup = open_lookup(tmp_path / "l.parquet", COLUMNS)
    begun: list[int] = []
    stream = type(lookup).stream
    monkeypatch.setattr(type(lookup), "stream", lambda self, start: (begun.append(start), stream(self, start))[1])
    monkeypatch.setattr(module, "_BATCH_ROWS", 100)
    export_lookup(lookup, [np.arange(2_000, 9_000, 2)], tmp_path / "o.parquet")
    assert begun == [2_000]
    read = pq.read_table(tmp_path / "o.parquet")
    assert read.column("n").to_pylist() == list(range(2_000, 9_000, 2))
    lookup.close()


@pytest.mark.parametrize("rows", [[10], [-1]])
def test_rows_that_are_not_there(tmp_path: Path, rows: list[int]) -> None:
    with pytest.raises(RowOutOfRangeError):
        export_lookup(lookup_of(numbered(10)), [np.array(rows)], tmp_path / "o.csv")
    assert names(tmp_path) == []


@pytest.mark.parametrize("suffix", [".parquet", ".csv", ".tsv.gz"])
@pytest.mark.parametrize("rows", [[], None])
def test_no_rows(tmp_path: Path, suffix: str, rows: Any) -> None:
    table = numbered(0 if rows is None else 5)
    assert export_lookup(lookup_of(table), rows, tmp_path / f"o{suffix}") == 0
    lookup = open_lookup(tmp_path / f"o{suffix}", COLUMNS)
    assert lookup.num_rows == 0
    assert lookup.schema.names == ["uuid", "filepath", "n"]
    lookup.close()


# Uuids


@given(
    st.lists(st.sampled_from(["a", "b", "c", "d", None]), max_size=30),
    st.lists(st.sampled_from(["a", "b", "c", "x", "y", "\udcff"]), max_size=30),
    st.integers(1, 8),
)
def test_rows_of_uuids(held: list[str | None], asked: list[str], at_a_time: int) -> None:
    from h5explorer_py.bulk import find_uuids

    table = pa.table({"uuid": pa.array(held, pa.string()), "filepath": pa.array(["s"] * len(held), pa.string())})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(find_uuids, "AT_A_TIME", at_a_time)
        found = UuidRows(lookup_of(table), asked)
        rows = [row for part in found for row in part.tolist()]
    assert rows == [row for uuid in asked for row, name in enumerate(held) if name == uuid]
    missing = [uuid for uuid in asked if uuid not in held]
    assert (found.missing, found.missing_kept) == (len(missing), missing)


def test_uuids_of_sixteen_bytes(tmp_path: Path) -> None:
    uuids = pa.array([bytes([number] * 16) for number in range(5)], pa.binary(16))
    lookup = lookup_of(pa.table({"uuid": uuids, "filepath": ["s"] * 5}))
    found = UuidRows(lookup, ["03030303-0303-0303-0303-030303030303", "nope"])
    assert [part.tolist() for part in found] == [[3]]
    assert found.missing_kept == ["nope"]


# Whole or not at all


@pytest.mark.parametrize("name", ["o", "o.txt", "o.gz", "o.parquet.gz", ".csv", "o.csv.bz2"])
def test_suffixes_that_say_nothing(tmp_path: Path, name: str) -> None:
    with pytest.raises(UnsupportedError):
        export_lookup(lookup_of(numbered(3)), None, tmp_path / name)
    assert names(tmp_path) == []


@pytest.mark.parametrize("suffix", [".parquet", ".csv", ".csv.gz"])
def test_a_file_is_replaced_when_asked_and_whole(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"o{suffix}"
    path.write_text("old")
    with pytest.raises(TargetExistsError):
        export_lookup(lookup_of(numbered(3)), None, path)

    def rows() -> Any:
        yield np.arange(2)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        export_lookup(lookup_of(numbered(3)), rows(), path, overwrite=True)
    assert path.read_text() == "old"
    export_lookup(lookup_of(numbered(3)), None, path, overwrite=True)
    assert names(tmp_path) == [path.name]
    lookup = open_lookup(path, COLUMNS)
    assert lookup.num_rows == 3
    lookup.close()


def test_folders_and_the_source_are_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "o.csv").mkdir()
    with pytest.raises(TargetExistsError):
        export_lookup(lookup_of(numbered(3)), None, tmp_path / "o.csv", overwrite=True)
    pq.write_table(numbered(3), tmp_path / "l.parquet")
    (tmp_path / "link.parquet").symlink_to(tmp_path / "l.parquet")
    lookup = open_lookup(tmp_path / "l.parquet", COLUMNS)
    for name in ("l.parquet", "link.parquet"):
        with pytest.raises(TargetExistsError, match="exported from"):
            export_lookup(lookup, None, tmp_path / name, overwrite=True)
    lookup.close()
    assert pq.read_table(tmp_path / "l.parquet").equals(numbered(3))
    assert names(tmp_path) == ["l.parquet", "link.parquet", "o.csv"]


@pytest.mark.parametrize("suffix", [".parquet", ".csv", ".csv.gz"])
def test_a_disk_that_is_full(tmp_path: Path, suffix: str) -> None:
    code = (
        "import resource, sys\nimport numpy as np, pyarrow as pa\n"
        "from h5explorer_py.bulk.export_lookup import export_lookup\n"
        "from h5explorer_py.errors import WriteFailedError\n"
        "from h5explorer_py.lookup.memory import MemoryLookup\nfrom h5explorer_py.options import KeyColumns\n"
        "texts = [np.random.bytes(20).hex() for _ in range(20000)]\n"
        "lookup = MemoryLookup(pa.table({'uuid': texts, 'filepath': texts}), KeyColumns(), 't')\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))\n"
        "try:\n    export_lookup(lookup, None, sys.argv[1])\nexcept WriteFailedError as error:\n    print(error)"
    )
    for most in (1_000, 100_000):
        done = python(code, str(tmp_path / f"o{suffix}"), str(most))
        assert (done.returncode, done.stderr) == (0, "")
        assert "File too large" in done.stdout
        assert names(tmp_path) == []


def test_where_no_file_can_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(WriteFailedError):
        export_lookup(lookup_of(numbered(3)), None, tmp_path / "file" / "o.csv")
    assert names(tmp_path) == ["file"]


def test_a_killed_job_can_be_repeated(tmp_path: Path) -> None:
    code = (
        "import os, sys, signal, numpy as np, pyarrow as pa\n"
        "from h5explorer_py.bulk.export_lookup import export_lookup\n"
        "from h5explorer_py.lookup.memory import MemoryLookup\nfrom h5explorer_py.options import KeyColumns\n"
        "lookup = MemoryLookup(pa.table({'uuid': ['a'] * 100, 'filepath': ['s'] * 100}), KeyColumns(), 't')\n"
        "export_lookup(lookup, None, sys.argv[1], progress=lambda done: os.kill(os.getpid(), signal.SIGKILL))"
    )
    path = tmp_path / "o.parquet"
    assert python(code, str(path)).returncode == -signal.SIGKILL
    assert len(names(tmp_path)) == 1
    assert not path.exists()
    export_lookup(lookup_of(numbered(3)), None, path)
    assert names(tmp_path) == ["o.parquet"]


def test_progress_and_giving_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_BATCH_ROWS", 10)
    told: list[int] = []
    ended = threading.Event()

    def give_up() -> None:
        if ended.is_set():
            raise CancelledError("No more.")

    rows = [np.arange(95)]
    export_lookup(lookup_of(numbered(95)), rows, tmp_path / "a.csv", progress=told.append, give_up=give_up)
    assert told == [10, 20, 30, 40, 50, 60, 70, 80, 90, 95]
    ended.set()
    with pytest.raises(CancelledError):
        export_lookup(lookup_of(numbered(95)), rows, tmp_path / "b.csv", give_up=give_up)
    assert names(tmp_path) == ["a.csv"]


# Memory

SIZED = """
import sys
import numpy as np
from h5explorer_py.bulk.export_lookup import export_lookup
from h5explorer_py.lookup.open import open_lookup
from h5explorer_py.options import KeyColumns
lookup = open_lookup(sys.argv[1], KeyColumns())
rows = None if sys.argv[3] == "all" else (np.arange(at, at + 1000) for at in range(0, lookup.num_rows, 1000))
assert export_lookup(lookup, rows, sys.argv[2]) == lookup.num_rows
with open("/proc/self/status") as file:
    print([line.split()[1] for line in file if line.startswith("VmHWM")][0], "pandas" in sys.modules)
"""


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
@pytest.mark.parametrize("rows", ["all", "runs"])
def test_memory_does_not_grow_with_the_rows(tmp_path: Path, suffix: str, rows: str) -> None:
    """From 1.5 million rows on, which is more than a row group holds."""
    peaks = []
    for count in (1_500_000, 6_000_000):
        numbers = np.arange(count)
        uuid = pa.chunked_array([pa.array(numbers).cast(pa.string())])
        filepath = pa.DictionaryArray.from_arrays(
            pa.array((numbers % 1000).astype(np.int32)), [f"s{n}" for n in range(1000)]
        )
        pq.write_table(pa.table({"uuid": uuid, "filepath": filepath}), tmp_path / "l.parquet")
        done = python(SIZED, str(tmp_path / "l.parquet"), str(tmp_path / f"{count}{suffix}"), rows, seconds=300)
        assert done.returncode == 0, done.stderr
        peak, pandas = done.stdout.split()
        assert pandas == "False"
        peaks.append(int(peak))
    assert peaks[1] < 1.4 * peaks[0] + 30_000  # kB
