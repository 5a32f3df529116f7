"""Rows by a text, by a key, and how many files there are: the same as a plain look at every row gives."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from h5explorer_py import dataset as datasets
from h5explorer_py import errors
from h5explorer_py.dataset import Dataset
from h5explorer_py.keyindex import KeyIndex
from h5explorer_py.lookup import finding
from h5explorer_py.lookup import rows as lookup_rows
from h5explorer_py.lookup.find import Query, parse
from tests.py.support import COLUMNS, within

if TYPE_CHECKING:
    from pathlib import Path

signs = st.sampled_from("aAbBxX019-_/.*+?()[]{}|^$\\%'\" \t\n\0日é") | st.sampled_from(
    ["\\E", "\\Q", "(?i)", "ab", "AB"]
)
texts = st.lists(signs, max_size=6).map("".join)
rows = st.lists(st.tuples(st.none() | texts, st.none() | texts), max_size=30)


def go_on() -> None:
    """Nobody withdraws the request."""


def opened(pairs: list[tuple[str | None, str | None]]) -> Dataset:
    uuids, paths = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    return Dataset(pa.table({"uuid": pa.array(uuids, pa.string()), "filepath": pa.array(paths, pa.string())}), COLUMNS)


# What is typed


@pytest.mark.parametrize(
    ("typed", "query"),
    [
        ("12", Query("12", row=11)),
        (" 1,234 ", Query("1,234", row=1233)),
        ("1 234 567", Query("1 234 567", row=1_234_566)),
        ("1_000", Query("1_000", row=999)),
        ("0", Query("0", row=-1)),
        ("uuid:12", Query("12", in_path=False)),
        ("UUID: ab ", Query("ab", in_path=False)),
        ("path:12", Query("12", in_uuid=False)),
        ("Path: a b", Query("a b", in_uuid=False)),
        ("12a", Query("12a")),
        ("-3", Query("-3")),
        ("1.5", Query("1.5")),
        ("٣", Query("٣")),
        ("²", Query("²")),
        ("", Query("")),
        ("uuid", Query("uuid")),
        ("9" * 5000, Query("9" * 5000)),
    ],
)
def test_what_is_typed_is_understood(typed: str, query: Query) -> None:
    assert parse(typed) == query


# Searching


def plain_find(pairs: list[tuple[str | None, str | None]], query: Query, after: int | None) -> int | None:
    text = query.text.lower()
    if not text:
        return None
    start = 0 if after is None else after + 1
    order = [*range(start, len(pairs)), *range(min(start, len(pairs)))]
    if after is None and query.in_uuid:
        exact = [row for row in order if pairs[row][0] == query.text]
        if exact:
            return exact[0]
    for row in order:
        uuid, path = pairs[row]
        if query.in_uuid and uuid is not None and uuid.lower().startswith(text):
            return row
        if query.in_path and path is not None and text in path.lower():
            return row
    return None


@given(pairs=rows, text=texts, columns=st.sampled_from([(True, True), (True, False), (False, True)]), data=st.data())
def test_finding_is_looking_at_every_row(
    pairs: list[tuple[str | None, str | None]], text: str, columns: tuple[bool, bool], data: st.DataObject
) -> None:
    query = Query(text, in_uuid=columns[0], in_path=columns[1])
    after = data.draw(st.none() | st.integers(0, max(0, len(pairs) - 1)))
    dataset = opened(pairs)
    assert dataset.find(query, after, go_on) == plain_find(pairs, query, after)


def test_finding_again_goes_round_all_matches(tmp_path: Path) -> None:
    keys = [f"{'hit' if row % 7 == 0 else 'miss'}{row}" for row in range(200_000)]
    pq.write_table(pa.table({"uuid": keys, "filepath": ["f"] * len(keys)}), tmp_path / "l.parquet", row_group_size=9999)
    dataset = Dataset(tmp_path / "l.parquet", COLUMNS)
    assert dataset.find(Query("hit19"), None, go_on) == keys.index("hit196")
    assert dataset.find(Query("HIT199"), 0, go_on) == keys.index("hit1995")
    assert dataset.find(Query("hit"), 199_997, go_on) == 0
    assert dataset.find(Query("miss199999"), 199_999, go_on) == 199_999
    assert dataset.find(Query("none"), 5, go_on) is None
    dataset.close()


def test_a_row_number_needs_no_search() -> None:
    dataset = opened([("a", "f"), ("2", "g")])
    assert [dataset.find(parse(text), None, go_on) for text in ("1", "2", "3", "0")] == [0, 1, None, None]
    assert dataset.find(parse("uuid:2"), None, go_on) == 1


@pytest.mark.parametrize("text", ["x" * 1000, "(" * 1000, "\\" * 999, "é" * 1000, "a\0b"])
def test_texts_of_any_length_are_searched_for(text: str) -> None:
    dataset = opened([("a", "f"), ("b", f"before {text} behind"), (f"{text} begins", None)])
    assert dataset.find(Query(text), None, go_on) == 1
    assert dataset.find(Query(text), 1, go_on) == 2
    assert dataset.find(Query(text + "y"), None, go_on) is None


def test_a_search_that_nobody_waits_for_ends() -> None:
    def withdrawn() -> None:
        raise errors.CancelledError("The request was withdrawn.")

    with pytest.raises(errors.CancelledError):
        opened([("a", "f")]).find(Query("absent"), None, withdrawn)


@pytest.mark.parametrize("indexed", [0, 2_000_000])
def test_a_uuid_that_is_the_text_goes_before_those_that_begin_with_it(
    monkeypatch: pytest.MonkeyPatch, indexed: int
) -> None:
    monkeypatch.setattr(finding, "INDEXED_ROWS", indexed)
    dataset = opened([("abc", "ab"), ("ab", "f")])
    assert dataset.find(Query("ab"), None, go_on) == (1 if indexed else 0)


# Keys


@given(
    keys=st.lists(st.none() | texts | st.integers(0, 3).map(lambda n: "k" * 70 + str(n)), max_size=40),
    cuts=st.lists(st.integers(0, 40), max_size=3).map(sorted),
    others=st.lists(texts, max_size=3),
)
def test_the_index_of_keys_is_looking_at_every_row(keys: list[str | None], cuts: list[int], others: list[str]) -> None:
    pieces = [keys[start:stop] for start, stop in zip([0, *cuts], [*cuts, len(keys)], strict=True)]
    index = KeyIndex(pa.chunked_array([pa.array(piece, pa.string()) for piece in pieces], pa.string()))
    for key in [*keys, *others, "k" * 64, "k" * 70, "\0", "a\0"]:
        if key is not None:
            assert index.rows(key) == [row for row, found in enumerate(keys) if found == key]
    assert index.nbytes >= 0


@pytest.mark.parametrize("indexed", [0, 2_000_000])
def test_a_key_that_no_text_can_be_is_in_no_row(monkeypatch: pytest.MonkeyPatch, indexed: int) -> None:
    monkeypatch.setattr(finding, "INDEXED_ROWS", indexed)
    dataset = opened([("a", "f")])
    with pytest.raises(errors.KeyNotFoundError):
        dataset.row_of("\ud800")
    assert dataset.find(Query("\udcff"), None, go_on) is None


@pytest.mark.parametrize("indexed", [0, 2_000_000])
def test_the_row_of_a_key(monkeypatch: pytest.MonkeyPatch, indexed: int) -> None:
    monkeypatch.setattr(finding, "INDEXED_ROWS", indexed)
    pairs = [
        ("a", "f"),
        ("twice", "f"),
        ("", "f"),
        ("b", "f"),
        ("twice", "g"),
        ("same", "f"),
        ("same", "f"),
        (None, "f"),
    ]
    dataset = opened(pairs)
    for _ in range(2):
        assert dataset.row_of("b") == 3
        assert dataset.row_of("") == 2
        assert dataset.row_of("same") == 5
        for absent in ("c", "A", "None", "a "):
            with pytest.raises(errors.KeyNotFoundError) as missing:
                dataset.row_of(absent)
            assert isinstance(missing.value, KeyError)
        with pytest.raises(errors.AmbiguousKeyError) as several:
            dataset.row_of("twice")
        assert several.value.details["rows"] == [1, 4]
        assert "1, 4" in str(several.value)
        assert isinstance(several.value, KeyError)


# Rows


def test_entries_and_windows_are_the_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookup_rows, "WINDOW_ROWS", 4)
    monkeypatch.setattr(lookup_rows, "_WINDOWS_KEPT", 2)
    monkeypatch.setattr(datasets, "_ENTRIES_KEPT", 3)
    pairs = [(f"k{row}", f"f{row % 3}") for row in range(21)]
    dataset = opened(pairs)
    for start in range(-1, 23):
        for stop in (start, start + 1, start + 9, 99):
            wanted = pairs[max(0, start) : max(0, stop)]
            assert [tuple(row.values()) for row in dataset.keys(start, stop).to_pylist()] == wanted
    for row in [*range(21), *reversed(range(21))]:
        assert dataset.entry(row) == (row, *pairs[row])
    for row in (-1, 21, 10**20):
        with pytest.raises(errors.RowOutOfRangeError) as caught:
            dataset.entry(row)
        assert isinstance(caught.value, IndexError)


def test_a_closed_data_set_says_so() -> None:
    dataset = opened([("a", "f")])
    dataset.close()
    for use in (
        lambda: dataset.keys(0, 1),
        lambda: dataset.entry(0),
        lambda: dataset.row_of("a"),
        lambda: dataset.find(Query("a"), None, go_on),
        lambda: dataset.filepaths(go_on),
    ):
        with pytest.raises(errors.ClosedError):
            use()


# Filepaths


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.dictionary(pa.int16(), pa.string())])
@given(paths=st.lists(st.none() | st.sampled_from(["", "a", "b", "ä", "A", " "]) | texts, max_size=30))
def test_filepaths_are_counted_once_each(kind: pa.DataType, paths: list[str | None]) -> None:
    table = pa.table({"uuid": pa.nulls(len(paths), pa.string()), "filepath": pa.array(paths, pa.string()).cast(kind)})
    dataset = Dataset(table, COLUMNS)
    assert dataset.filepaths(go_on) == len({path for path in paths if path})


def test_a_dictionary_counts_what_its_rows_use() -> None:
    paths = pa.DictionaryArray.from_arrays(pa.array([0, 0, None, 2]), ["used", "unused", "also used"])
    dataset = Dataset(pa.table({"uuid": list("abcd"), "filepath": paths}), COLUMNS)
    assert dataset.filepaths(go_on) == 2


def test_a_csv_and_a_parquet_lookup_count_alike(tmp_path: Path) -> None:
    pq.write_table(pa.table({"uuid": list("abc"), "filepath": ["f", None, "f"]}), tmp_path / "l.parquet")
    (tmp_path / "l.csv").write_text("uuid,filepath\na,f\nb,\nc,f\n")
    for name in ("l.parquet", "l.csv"):
        dataset = Dataset(tmp_path / name, COLUMNS)
        assert within(5, lambda dataset=dataset: dataset.filepaths(go_on)) == 1
        with pytest.raises(errors.NoFilepathError):
            dataset.image(dataset.entry(1))
        dataset.close()


class _Asked:
    """What has been packed, and how often one has asked for it: it may be gone the next time."""

    def __init__(self) -> None:
        self.times = 0

    @property
    def packed(self) -> None:
        self.times += 1

    @property
    def growing(self) -> None:
        return None

    def drop(self, packed: object) -> None:
        raise AssertionError(packed)


def test_what_is_packed_is_asked_for_once_a_question() -> None:
    dataset = opened([("a", "x"), ("b", "y")])
    finder = finding.RowFinder(dataset.lookup)
    asked = _Asked()
    assert finder.next_match(asked, parse("b"), 0, 2, go_on) == 1
    assert asked.times == 1
    assert finder.count(asked, parse("b"), 0, 1.0, go_on) == (1, 2)
    assert asked.times == 2
