"""Lookups in delimited text: what Python's csv module reads, whatever is in the fields, and never another value."""

from __future__ import annotations

import csv
import gzip
import io
import os
import threading
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from h5explorer_py import errors
from h5explorer_py.lookup import delimited
from h5explorer_py.lookup.delimited import DelimitedLookup
from h5explorer_py.lookup.open import open_lookup
from h5explorer_py.options import KeyColumns
from tests.py.support import COLUMNS, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

HEADER = ["uuid", "filepath", "note"]
NUL = "A file with a NUL character is no text."

characters = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
awkward = st.sampled_from(
    ['"', '""', ",", ";", "\t", "|", "\n", "\r", "\r\n", " ", "ä", "\ufeff", "\u2028", "x", "00777"]
)
texts = st.lists(awkward | characters, max_size=6).map("".join)


def write(folder: Path, text: str | bytes, name: str = "lookup.csv") -> Path:
    (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return folder / name


def records(text: str, delimiter: str = ",") -> list[list[str | None]]:
    """The records below the header as the csv module reads them, each as wide as the header."""
    read = [record for record in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if record]
    width = len(read[0])
    return [[*record, *[None] * width][:width] for record in read[1:]]


def ends_in_quotes(text: str) -> bool:
    """Whether the csv module takes what follows the text for a part of its last field."""
    *_, last = csv.reader(io.StringIO(text + "\nEND\n", newline=""))
    return last != ["END"]


def scanned(lookup: DelimitedLookup) -> list[list[str | None]]:
    columns = [[value for batch in lookup.scan([name]) for value in batch.column(0).to_pylist()] for name in HEADER]
    together = (
        pa.Table.from_batches(lookup.scan(HEADER), schema=lookup.schema) if lookup.num_rows else lookup.read(0, 0)
    )
    assert [column.to_pylist() for column in together.columns] == columns
    return [list(row) for row in zip(*columns, strict=True)]


def rows_of(table: pa.Table) -> list[list[str | None]]:
    return [list(row.values()) for row in table.to_pylist()]


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Have files be gone through in small pieces, so that records lie across their borders."""

    def make(piece: int) -> None:
        monkeypatch.setattr(delimited, "_PIECE", piece)
        monkeypatch.setattr(delimited, "_HEAD", 100)
        monkeypatch.setattr(delimited, "STEP", 3)
        monkeypatch.setattr(delimited, "SCAN_STEPS", 2)

    return make


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    return tmp_path


# Agreement with the csv module


@given(
    rows=st.lists(st.tuples(texts, texts, texts), max_size=20),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]),
    line_end=st.sampled_from(["\n", "\r\n"]),
    delimiter=st.sampled_from(",;\t|"),
    piece=st.sampled_from([1, 2, 7, 64, 1 << 20]),
    mark=st.booleans(),
)
def test_what_the_csv_module_writes_is_read_back(
    folder: Path,
    small: Callable[[int], None],
    rows: list[tuple[str, str, str]],
    quoting: int,
    line_end: str,
    delimiter: str,
    piece: int,
    mark: bool,
) -> None:
    written = io.StringIO(newline="")
    writer = csv.writer(written, quoting=quoting, lineterminator=line_end, delimiter=delimiter)
    writer.writerows([HEADER, *rows])
    small(piece)
    path = write(folder, written.getvalue().encode("utf-8-sig" if mark else "utf-8"))
    lookup = DelimitedLookup(str(path), COLUMNS)
    wanted = records(written.getvalue(), delimiter)
    assert quoting != csv.QUOTE_ALL or wanted == [list(row) for row in rows]
    assert lookup.num_rows == len(wanted)
    assert rows_of(lookup.read(0, len(wanted) + 1)) == wanted
    assert scanned(lookup) == wanted
    for start in range(0, len(wanted), 2):
        assert rows_of(lookup.read(start, start + 3)) == wanted[start : start + 3]
    assert lookup.keys(1, 3).to_pylist() == [{"uuid": row[0], "filepath": row[1]} for row in wanted[1:3]]
    lookup.close()


@settings(max_examples=600)
@given(
    body=st.lists(awkward | characters, max_size=40).map("".join),
    piece=st.sampled_from([1, 2, 3, 7, 64, 1 << 20]),
)
@example(body='5" disk,"two\nlines",x\nnext,row,y\n', piece=7)
@example(body='"a"b","c\nd",e\n', piece=64)
@example(body="a,b\rc,d\r\ne,f\r", piece=2)
@example(body="\n\n\r\n\r\r\na,b,c", piece=1)
@example(body='a,"b""\n""c",d\n\n', piece=3)
def test_any_text_at_all_is_what_the_csv_module_makes_of_it(
    folder: Path, small: Callable[[int], None], body: str, piece: int
) -> None:
    text = ",".join(HEADER) + "\n" + body
    small(piece)
    path = write(folder, text)
    if ends_in_quotes(text):
        with pytest.raises(errors.LookupUnreadableError, match="does not end"):
            DelimitedLookup(str(path), COLUMNS)
        return
    lookup = DelimitedLookup(str(path), COLUMNS)
    wanted = records(text)
    assert lookup.num_rows == len(wanted)
    assert rows_of(lookup.read(0, 10**6)) == wanted
    assert scanned(lookup) == wanted
    lookup.close()


@given(body=st.binary(max_size=60).filter(lambda data: b"\0" not in data), piece=st.sampled_from([1, 5, 1 << 20]))
def test_any_bytes_at_all_are_latin_1_where_they_are_not_utf_8(
    folder: Path, small: Callable[[int], None], body: bytes, piece: int
) -> None:
    data = b"uuid,filepath,note\n" + body
    small(piece)
    path = write(folder, data)
    try:
        text = data.decode()
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    if ends_in_quotes(text):
        return
    lookup = DelimitedLookup(str(path), COLUMNS)
    assert rows_of(lookup.read(0, 10**6)) == records(text)
    assert scanned(lookup) == records(text)
    lookup.close()


def test_records_across_the_borders_of_real_pieces(folder: Path) -> None:
    """More than two pieces of 8 MB, with quoted line ends all along."""
    rows = [
        [f"{number:08}", f"shard_{number % 50}", f'a "note"\nof {number}' + "." * (number % 300)]
        for number in range(95_000)
    ]
    with (folder / "lookup.csv").open("w", newline="") as file:
        csv.writer(file).writerows([HEADER, *rows])
    assert (folder / "lookup.csv").stat().st_size > 2 * delimited._PIECE
    lookup = DelimitedLookup(str(folder / "lookup.csv"), COLUMNS)
    assert lookup.counting
    assert 0 < lookup.num_rows < len(rows)
    lookup.wait_counted()
    assert not lookup.counting
    assert lookup.num_rows == len(rows)
    for start in (0, 255, 256, 40_000, len(rows) - 5):
        assert rows_of(lookup.read(start, start + 5)) == rows[start : start + 5]
    assert scanned(lookup) == rows
    lookup.close()


# Values


def test_ids_keep_their_zeros_and_their_kind(folder: Path) -> None:
    """The first two hundred look like numbers, the last does not."""
    keys = [f"{number:05}" for number in range(200)] + ["00777", "1e5", "NaN", "NULL", "true", "2024-01-01", "x1"]
    lookup = open_lookup(write(folder, "uuid,filepath\n" + "".join(f"{key},f\n" for key in keys)), COLUMNS)
    assert lookup.keys(0, 999).column("uuid").to_pylist() == keys
    assert [value for batch in lookup.scan(["uuid"]) for value in batch.column(0).to_pylist()] == keys
    assert {field.type for field in lookup.schema} == {pa.string()}
    lookup.close()


@pytest.mark.parametrize(
    ("name", "text", "wanted"),
    [
        ("l.tsv", "uuid\tfilepath\na,1\tf\n", ["a,1", "f"]),
        ("l.csv", "uuid;filepath\na,1;f\n", ["a,1", "f"]),
        ("l.txt", "uuid|filepath|x\na;1|f|\n", ["a;1", "f"]),
        ("l.csv", "filepath,uuid\nf,a\n", ["a", "f"]),
        ("l.csv", ' uuid , filepath \na,"f, g"\n', ["a", "f, g"]),
        ("l.csv", '"uuid","filepath"\n"a","f"', ["a", "f"]),
        ("l.csv", "\n\n\r\nuuid,filepath\n\n\na,f\n\n", ["a", "f"]),
        ("l.csv", '"a\nlong\rnote",uuid,filepath\r\n"x",a,f', ["a", "f"]),
        ("l.csv", "uuid,filepath\ra,f\r", ["a", "f"]),
        ("l.csv", "uuid,filepath\na ,\u2028f\n", ["a ", "\u2028f"]),
        ("l.csv", "uuid,filepath\n\ufeffa,f\n", ["\ufeffa", "f"]),
        ("l.csv", "\ufeffuuid,filepath\na,f\n", ["a", "f"]),
        ("l.csv", '\ufeff"uuid";"filepath"\na;f\n', ["a", "f"]),
        ("no suffix", "uuid,filepath\na,f", ["a", "f"]),
    ],
)
def test_many_ways_to_write_a_table(folder: Path, name: str, text: str, wanted: list[str]) -> None:
    lookup = open_lookup(write(folder, text, name), COLUMNS)
    assert lookup.num_rows == 1
    assert list(lookup.keys(0, 9).to_pylist()[0].values()) == wanted
    assert [batch.column(0).to_pylist() for batch in lookup.scan(["uuid"])] == [wanted[:1]]
    assert lookup.notices == ()
    lookup.close()


@pytest.mark.parametrize("packed", [False, True])
def test_latin_1_is_read_and_told(folder: Path, packed: bool) -> None:
    data = "uuid,filepath,größe\nä,é/ü,1\n".encode("latin-1")
    path = write(folder, gzip.compress(data) if packed else data)
    lookup = open_lookup(path, COLUMNS)
    assert lookup.read(0, 9).to_pylist() == [{"uuid": "ä", "filepath": "é/ü", "größe": "1"}]
    assert [batch.column(0).to_pylist() for batch in lookup.scan(["filepath"])] == [["é/ü"]]
    assert "Latin-1" in lookup.notices[0]
    lookup.close()


def test_a_key_column_with_a_latin_1_name(folder: Path) -> None:
    lookup = open_lookup(write(folder, "schlüssel,filepath\na,f\n".encode("latin-1")), KeyColumns("schlüssel"))
    assert lookup.keys(0, 9).to_pylist() == [{"uuid": "a", "filepath": "f"}]
    assert "Latin-1" in lookup.notices[0]
    lookup.close()


@pytest.mark.parametrize("data", [b"uuid,filepath\na,f\nb,g\n", b"uuid\tfilepath\r\na\tf\r\nb\tg\r\n"])
def test_gzipped(folder: Path, data: bytes) -> None:
    path = write(folder, gzip.compress(data), "lookup.csv.gz")
    lookup = open_lookup(path, COLUMNS)
    assert lookup.keys(0, 9).to_pylist() == [{"uuid": "a", "filepath": "f"}, {"uuid": "b", "filepath": "g"}]
    assert (lookup.name, lookup.location, lookup.folder) == ("lookup.csv.gz", str(path), str(folder))
    path.write_bytes(gzip.compress(data + b"c,h\n"))
    with pytest.raises(errors.LookupChangedError):
        lookup.keys(0, 9)
    lookup.close()


def test_several_members_of_gzip_are_one_text(folder: Path) -> None:
    path = write(folder, gzip.compress(b"uuid,filepath\na,f\n") + gzip.compress(b"b,g\n"))
    lookup = open_lookup(path, COLUMNS)
    assert lookup.keys(0, 9).column("uuid").to_pylist() == ["a", "b"]
    lookup.close()


@pytest.mark.parametrize("cut", [12, 20, -9, -1])
def test_gzip_that_is_cut_short_is_refused(folder: Path, cut: int) -> None:
    path = write(folder, gzip.compress(b"uuid,filepath\n" + b"a,f\n" * 1000)[:cut])
    before = set(os.listdir(folder))
    with pytest.raises(errors.LookupUnreadableError, match="cannot be unpacked"):
        open_lookup(path, COLUMNS)
    assert set(os.listdir(folder)) == before


def test_ragged_records_keep_what_they_have(folder: Path) -> None:
    text = "uuid,filepath,note\na,f,x\nb\nc,g\nd,h,y,surplus,more\ne,i,\n"
    lookup = open_lookup(write(folder, text), COLUMNS)
    wanted = [["a", "f", "x"], ["b", None, None], ["c", "g", None], ["d", "h", "y"], ["e", "i", ""]]
    assert rows_of(lookup.read(0, 9)) == wanted
    assert scanned(lookup) == wanted
    assert lookup.keys(1, 2).to_pylist() == [{"uuid": "b", "filepath": None}]
    assert any("Row 4" in notice and "surplus" in notice for notice in lookup.notices)
    lookup.close()


def test_only_so_many_notices_are_kept(folder: Path) -> None:
    lookup = open_lookup(write(folder, "uuid,filepath\n" + "a,f,surplus\n" * 1000), COLUMNS)
    lookup.read(0, 1000)
    assert 0 < len(lookup.notices) <= 20
    lookup.close()


@pytest.mark.parametrize(
    "text", ["uuid,filepath", "uuid,filepath\n", "\ufeffuuid\tfilepath\r\n\r\n", "uuid;filepath\r"]
)
def test_a_header_alone_is_a_lookup_without_rows(folder: Path, text: str) -> None:
    lookup = open_lookup(write(folder, text), COLUMNS)
    assert lookup.num_rows == 0
    assert lookup.keys(0, 100).num_rows == lookup.read(0, 100).num_rows == 0
    assert sum(batch.num_rows for batch in lookup.scan(["uuid", "filepath"])) == 0
    lookup.close()


# Refusals


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "is empty"),
        (b"\n\r\n \n", "is empty"),
        ("uuid,filepath\na,f\n".encode("utf-16"), "UTF-16"),
        ("uuid,filepath\na,f\n".encode("utf-16-le"), "neither Parquet nor text"),
        (b"uuid,filepath\na,\0f\n", "neither Parquet nor text"),
        (b"\x93NUMPY\x01\0v\0", "neither Parquet nor text"),
        (b'uuid,filepath\na,"f\nb,g\n', "byte 14 does not end"),
        (b'uuid,filepath\na,f\n"b,g\n' + b"c,h\n" * 50_000, "byte 18 does not end"),
        (b'"uuid,filepath\na,f', "no column 'uuid'"),
    ],
)
def test_what_is_no_table_is_refused_with_the_reason(folder: Path, data: bytes, says: str) -> None:
    with pytest.raises(errors.ExplorerError) as caught:
        open_lookup(write(folder, data), COLUMNS)
    assert type(caught.value) in {errors.LookupUnreadableError, errors.WrongColumnsError}
    assert says in str(caught.value)
    assert caught.value.action


def test_a_record_without_end_does_not_fill_the_memory(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delimited, "_LONGEST_RECORD", 5000)
    monkeypatch.setattr(delimited, "_PIECE", 1000)
    monkeypatch.setattr(delimited, "_FIRST_PIECE", 1000)
    with pytest.raises(errors.LookupUnreadableError, match="has a record of more than"):
        open_lookup(write(folder, "uuid,filepath\n" + "a," * 10_000), COLUMNS)


def test_a_field_longer_than_the_csv_module_takes_is_told_when_it_is_read(folder: Path) -> None:
    long = "x" * (csv.field_size_limit() + 1)
    lookup = open_lookup(write(folder, f"uuid,filepath\na,f\n{long},g\n"), COLUMNS)
    assert lookup.num_rows == 2
    with pytest.raises(errors.LookupUnreadableError, match="Rows 1 to 2"):
        lookup.read(0, 1)
    lookup.close()


# Counting


class Slowly:
    """Lets pieces of a file be gone through one at a time."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._turns = threading.Semaphore(0)
        monkeypatch.setattr(delimited, "_FIRST_PIECE", 2_000)
        monkeypatch.setattr(delimited, "_PIECE", 2_000)
        split = delimited.split_records
        first = True

        def waiting(*arguments: Any, **options: Any) -> Any:
            nonlocal first
            if not first:
                assert self._turns.acquire(timeout=30)
            first = False
            return split(*arguments, **options)

        monkeypatch.setattr(delimited, "split_records", waiting)

    def go_on(self, pieces: int = 10_000) -> None:
        self._turns.release(pieces)


def numbered(rows: int) -> str:
    return "uuid,filepath\n" + "".join(f"k{row:06},f{row % 7}\n" for row in range(rows))


def test_the_first_rows_are_there_before_all_are_counted(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slowly = Slowly(monkeypatch)
    lookup = open_lookup(write(folder, numbered(5_000)), COLUMNS)
    known = lookup.num_rows
    assert lookup.counting
    assert 100 < known < 300
    assert lookup.keys(0, 50).column(0).to_pylist() == [f"k{row:06}" for row in range(50)]
    slowly.go_on(3)
    wait_for(lambda: lookup.num_rows > 3 * known)
    assert lookup.counting
    slowly.go_on()
    lookup.wait_counted()
    assert lookup.num_rows == 5_000
    assert lookup.read(4_990, 5_100).column(0).to_pylist() == [f"k{row:06}" for row in range(4_990, 5_000)]
    assert sum(batch.num_rows for batch in lookup.scan(["uuid"])) == 5_000
    lookup.close()


def test_waiting_for_the_count_is_given_up(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slowly = Slowly(monkeypatch)
    lookup = open_lookup(write(folder, numbered(5_000)), COLUMNS)

    def stop() -> None:
        raise errors.CancelledError("enough")

    with pytest.raises(errors.CancelledError):
        lookup.wait_counted(stop)
    lookup.close()
    with pytest.raises(errors.ClosedError):
        lookup.wait_counted()
    slowly.go_on()


@pytest.mark.parametrize(
    ("rest", "says"),
    [
        ('"unclosed,f\n' + "x,y\n" * 2_000, "cannot be split into records"),
        ("a," * 10_000, "has a record of more than"),
    ],
)
def test_what_is_wrong_far_behind_is_said_and_the_rows_before_it_stay(
    folder: Path, monkeypatch: pytest.MonkeyPatch, rest: str, says: str
) -> None:
    monkeypatch.setattr(delimited, "_LONGEST_RECORD", 5_000 if "more" in says else 1 << 20)
    monkeypatch.setattr(delimited, "_FIRST_PIECE", 2_000)
    monkeypatch.setattr(delimited, "_PIECE", 2_000)
    lookup = open_lookup(write(folder, numbered(1_000) + rest), COLUMNS)
    lookup.wait_counted()
    assert any(says in notice for notice in lookup.notices)
    assert 0 < lookup.num_rows <= 1_000
    shown = lookup.num_rows
    assert lookup.keys(0, shown).column(0).to_pylist() == [f"k{row:06}" for row in range(shown)]
    assert sum(batch.num_rows for batch in lookup.scan(["uuid"])) == shown
    lookup.close()


def test_signs_of_another_encoding_far_behind_change_how_all_is_read(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slowly = Slowly(monkeypatch)
    path = folder / "lookup.csv"
    path.write_bytes("uuid,filepath\nü,f\n".encode() + numbered(1_000).encode() + b"\xfc,g\n")
    lookup = open_lookup(path, COLUMNS)
    assert lookup.keys(0, 1).column(0).to_pylist() == ["ü"]
    slowly.go_on()
    lookup.wait_counted()
    wait_for(lambda: any("Latin-1" in notice for notice in lookup.notices))
    assert lookup.keys(0, 1).column(0).to_pylist() == ["Ã¼"]
    assert lookup.keys(lookup.num_rows - 1, lookup.num_rows).column(0).to_pylist() == ["ü"]
    lookup.close()


@pytest.mark.parametrize("change", ["replace", "append", "remove"])
def test_a_file_that_changes_is_told(folder: Path, change: str) -> None:
    path = write(folder, "uuid,filepath\na,f\n")
    lookup = open_lookup(path, COLUMNS)
    if change == "remove":
        path.unlink()
    else:
        write(folder, "uuid,filepath\na,f\nb,g\n", "lookup.csv" if change == "append" else "new")
        if change == "replace":
            (folder / "new").rename(path)
    reads: list[Callable[[], Any]] = [
        lambda: lookup.keys(0, 1),
        lambda: lookup.read(0, 1),
        lambda: list(lookup.scan(["uuid"])),
    ]
    for read in reads:
        with pytest.raises(errors.LookupChangedError, match="gone" if change == "remove" else "changed"):
            read()
    lookup.close()


def test_a_closed_lookup_says_so_and_reads_no_other_file(folder: Path) -> None:
    """The number of a closed file may name another one by then."""
    lookup = open_lookup(write(folder, "uuid,filepath\na,f\n"), COLUMNS)
    lookup.close()
    lookup.close()
    with open(write(folder, "secret " * 100, "other")):
        for read in (lambda: lookup.read(0, 1), lambda: list(lookup.scan(["uuid"]))):
            with pytest.raises(errors.ClosedError):
                read()
