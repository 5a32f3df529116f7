"""Packing in the background: what is packed is the lookup, whatever happens on the way."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any
from uuid import UUID

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest

from h5explorer_py import errors
from h5explorer_py.lookup import finding
from h5explorer_py.lookup import rows as lookup_rows
from h5explorer_py.lookup.find import parse
from h5explorer_py.lookup.open import open_lookup
from h5explorer_py.lookup.packed import claim as claims
from h5explorer_py.lookup.packed import convert, preparation, store
from h5explorer_py.lookup.packed.claim import Claim
from h5explorer_py.lookup.packed.keys import PackedKeys
from h5explorer_py.lookup.packed.layout import HEADER, OWNER, UUIDS
from h5explorer_py.lookup.packed.progress import Phase, Progress
from h5explorer_py.lookup.rows import LookupRows
from h5explorer_py.owner import Owner, started_at
from tests.py.support import COLUMNS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

ROWS = 6_000
opened: list[LookupRows] = []


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(store, "SMALLEST", 1_000)
    monkeypatch.setattr(lookup_rows, "BEGIN_SECONDS", 0.0)
    yield
    while opened:
        opened.pop().close()


def table(rows: int = ROWS, seed: int = 1) -> pa.Table:
    random = np.random.default_rng(seed)
    uuids = [str(UUID(bytes=random.bytes(16))) for _ in range(rows)]
    return pa.table({"uuid": uuids, "filepath": [f"shard_{row // 1_000}" for row in range(rows)]})


def rows_of(path: Any, cache: Path) -> LookupRows:
    opened.append(LookupRows(open_lookup(path, COLUMNS), cache=str(cache)))
    return opened[-1]


def ready(rows: LookupRows) -> Progress:
    assert rows.preparation is not None
    assert rows.preparation.wait(30)
    return rows.preparation.progress


def same(rows: LookupRows, whole: pa.Table) -> None:
    for start, stop in ((0, 100), (1_234, 1_334), (len(whole) - 5, len(whole) + 5)):
        assert rows.keys(start, stop).to_pydict() == whole.slice(start, stop - start).to_pydict()
    for row in (0, 777, len(whole) - 1):
        assert row in rows.of_key(whole["uuid"][row].as_py())
    assert rows.of_key("none") == []
    assert rows.filepaths(lambda: None) == len(set(whole["filepath"].to_pylist()))


@pytest.fixture
def lookup(tmp_path: Path) -> Path:
    pq.write_table(table(), tmp_path / "lookup.parquet", row_group_size=1_500)
    return tmp_path / "lookup.parquet"


def test_it_is_packed_and_used_and_found_again(lookup: Path, tmp_path: Path) -> None:
    first = rows_of(lookup, tmp_path / "cache")
    same(first, table())
    progress = ready(first)
    assert (progress.phase, progress.fraction, progress.rows) == (Phase.READY, 1.0, ROWS)
    assert progress.bytes == sum(
        path.stat().st_size for path in (tmp_path / "cache" / "lookups").rglob("*") if path.is_file()
    )
    assert 30 * ROWS < progress.bytes < 40 * ROWS
    assert first.packed is not None
    same(first, table())
    second = rows_of(lookup, tmp_path / "cache")
    assert second.packed is not None  # at once
    same(second, table())
    assert not [
        path
        for path in (tmp_path / "cache" / "lookups").rglob("*")
        if path.name == OWNER or path.name.endswith(".part")
    ]


def csv(path: Path, whole: pa.Table) -> Any:
    pa_csv.write_csv(whole, path / "lookup.csv")
    return path / "lookup.csv"


def several(path: Path, whole: pa.Table) -> Any:
    for number in range(3):
        part = whole.slice(number * 2_000, 2_000)
        pq.write_table(part, path / f"part_{number}.parquet")
    return str(path / "part_*.parquet")


def gzipped(path: Path, whole: pa.Table) -> Any:
    with pa.CompressedOutputStream(str(path / "lookup.csv.gz"), "gzip") as out:
        pa_csv.write_csv(whole, out)
    return path / "lookup.csv.gz"


@pytest.mark.parametrize("write", [csv, several, gzipped])
def test_lookups_of_other_kinds(tmp_path: Path, write: Callable[[Path, pa.Table], Any]) -> None:
    source = write(tmp_path, table())
    rows = rows_of(source, tmp_path / "cache")
    assert ready(rows).phase is Phase.READY
    same(rows, table())
    assert rows_of(source, tmp_path / "cache").packed is not None


def test_small_lookups_and_tables_are_not_packed(tmp_path: Path) -> None:
    pq.write_table(table(999), tmp_path / "small.parquet")
    assert rows_of(tmp_path / "small.parquet", tmp_path / "cache").preparation is None
    assert rows_of(table(), tmp_path / "cache").preparation is None
    assert not (tmp_path / "cache").exists()
    assert LookupRows(open_lookup(str(tmp_path / "small.parquet"), COLUMNS)).preparation is None


def test_a_lookup_that_has_changed_is_packed_anew(lookup: Path, tmp_path: Path) -> None:
    ready(rows_of(lookup, tmp_path / "cache"))
    other = table(ROWS, seed=2)
    pq.write_table(other, lookup)
    rows = rows_of(lookup, tmp_path / "cache")
    same(rows, other)
    assert ready(rows).phase is Phase.READY
    same(rows, other)
    assert len(store.kept_lookups(str(tmp_path / "cache"))) == 1


def test_one_that_changed_without_a_trace_is_noticed(tmp_path: Path) -> None:
    lookup = csv(tmp_path, table())
    before = lookup.stat()
    ready(rows_of(lookup, tmp_path / "cache"))
    other = table(ROWS, seed=2)
    csv(tmp_path, other)
    assert lookup.stat().st_size == before.st_size
    os.utime(lookup, ns=(before.st_atime_ns, before.st_mtime_ns))
    rows = rows_of(lookup, tmp_path / "cache")
    waited = time.monotonic() + 20
    while time.monotonic() < waited:
        packed = rows.packed
        if packed is not None and packed.keys.keys(0, 1).to_pydict() == other.slice(0, 1).to_pydict():
            break
        time.sleep(0.01)
    same(rows, other)


def harmed(path: Path, how: str) -> None:
    if how == "cut":
        os.truncate(path, path.stat().st_size // 2)
    elif how == "gone":
        path.unlink()
    elif how == "empty":
        os.truncate(path, 0)
    else:
        data = bytearray(path.read_bytes())
        data[: len(data) // 2] = bytes(len(data) // 2)
        path.write_bytes(bytes(data))


@pytest.mark.parametrize("how", ["cut", "gone", "empty"])
@pytest.mark.parametrize(
    "name",
    [
        "uuid.bin",
        "file.bin",
        "filepaths.arrow",
        "header.json",
        "uuid-index.bin",
        "uuid-fences.bin",
        "file-rows.bin",
        "file-starts.bin",
    ],
)
def test_a_damaged_cache_is_mended(lookup: Path, tmp_path: Path, name: str, how: str) -> None:
    first = rows_of(lookup, tmp_path / "cache")
    folder = first.preparation.folder if first.preparation else ""
    ready(first)
    first.close()
    harmed(tmp_path / folder / name, how)
    again = rows_of(lookup, tmp_path / "cache")
    same(again, table())
    assert ready(again).phase is Phase.READY
    same(again, table())
    assert again.packed is not None


def test_one_that_is_damaged_while_it_is_open_is_left_and_made_anew(lookup: Path, tmp_path: Path) -> None:
    rows = rows_of(lookup, tmp_path / "cache")
    assert rows.preparation is not None
    ready(rows)
    os.truncate(os.path.join(rows.preparation.folder, UUIDS), 100)
    same(rows, table())
    deadline = time.monotonic() + 20
    while rows.packed is None and time.monotonic() < deadline:
        time.sleep(0.01)
    assert rows.packed is not None
    same(rows, table())


def test_it_can_be_stopped_and_gone_on_with(lookup: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("h5explorer_py.lookup.parquet.BATCH_ROWS", 500)
    monkeypatch.setattr(convert, "SAVE_ROWS", 1_000)
    monkeypatch.setattr(preparation, "_BREATH_SECONDS", 0.05)
    rows = rows_of(lookup, tmp_path / "cache")
    preparing = rows.preparation
    assert preparing is not None
    seen = []
    while preparing.progress.rows < 3_000:
        seen.append(preparing.progress)
        growing = preparing.growing
        if growing is not None and growing.rows >= 500:
            assert rows.keys(400, 500).to_pydict() == table().slice(400, 100).to_pydict()
        time.sleep(0.005)
    preparing.stop()
    stopped = ready(rows)
    assert stopped.phase is Phase.STOPPED
    assert rows.packed is None
    same(rows, table())
    monkeypatch.setattr(preparation, "_BREATH_SECONDS", 0.0)
    preparing.begin()
    assert ready(rows).phase is Phase.READY
    same(rows, table())
    fractions = [each.fraction for each in seen]
    assert fractions == sorted(fractions)
    assert 0 < fractions[-1] < 0.6


def test_one_who_asks_for_it_just_when_it_stops_gets_it(
    lookup: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lookup_rows, "BEGIN_SECONDS", 60.0)
    monkeypatch.setattr("h5explorer_py.lookup.parquet.BATCH_ROWS", 500)
    rows = rows_of(lookup, tmp_path / "cache")
    preparing = rows.preparation
    assert preparing is not None
    leave, save = Claim.leave, PackedKeys.write
    asked = []

    def stopped(*what: Any) -> None:
        if not asked:
            preparing.stop()
        save(*what)

    def asked_again(claim: Claim) -> None:
        leave(claim)
        if not asked:
            asked.append(preparing.progress.phase)
            preparing.begin()

    monkeypatch.setattr(PackedKeys, "write", stopped)
    monkeypatch.setattr(Claim, "leave", asked_again)
    preparing.begin()
    assert ready(rows).phase is Phase.READY
    assert asked == [Phase.PACKING]
    same(rows, table())


def test_nobody_waits_for_one_that_was_closed_before_it_began(
    lookup: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lookup_rows, "BEGIN_SECONDS", 60.0)
    rows = rows_of(lookup, tmp_path / "cache")
    assert rows.preparation is not None
    rows.close()
    rows.preparation.begin()
    assert rows.preparation.wait(5)


def test_asking_for_it_often_does_it_once(lookup: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookup_rows, "BEGIN_SECONDS", 60.0)
    done = []
    run = preparation.Preparation.run
    monkeypatch.setattr(preparation.Preparation, "run", lambda self: (done.append(self), run(self))[1])
    rows = rows_of(lookup, tmp_path / "cache")
    assert rows.preparation is not None
    for _ in range(20):
        rows.preparation.begin()
    assert ready(rows).phase is Phase.READY
    rows.preparation.begin()
    other = rows_of(table(3_000).slice(0, 3_000), tmp_path / "cache")
    assert other.preparation is None
    assert done == [rows.preparation]


def test_where_no_thread_can_be_started_it_is_said(
    lookup: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lookup_rows, "BEGIN_SECONDS", 60.0)
    rows = rows_of(lookup, tmp_path / "cache")
    assert rows.preparation is not None
    deadline = time.monotonic() + 10
    while any(thread.name == "h5explorer-packing" for thread in threading.enumerate()):
        assert time.monotonic() < deadline
        time.sleep(0.01)

    def none(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", none)
        rows.preparation.begin()
    progress = ready(rows)
    assert (progress.phase, "thread" in progress.message) == (Phase.FAILED, True)
    same(rows, table())
    rows.preparation.begin()
    assert ready(rows).phase is Phase.READY


def test_one_whose_work_is_taken_over_waits_for_the_other(
    lookup: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claims, "FRESH_SECONDS", 0.2)
    monkeypatch.setattr("h5explorer_py.lookup.parquet.BATCH_ROWS", 500)
    monkeypatch.setattr(preparation, "_BREATH_SECONDS", 0.05)
    monkeypatch.setattr(preparation, "_LOOK_SECONDS", 0.02)
    rows = rows_of(lookup, tmp_path / "cache")
    preparing = rows.preparation
    assert preparing is not None
    while preparing.progress.rows < 1_000:
        time.sleep(0.005)
    sign = os.path.join(preparing.folder, OWNER)
    with open(sign, "w", encoding="utf-8") as file:
        file.write('{"host": "elsewhere", "boot": "", "pid": 1, "started": "", "token": "another"}')
    deadline = time.monotonic() + 10
    while "Another kernel" not in preparing.progress.message:
        assert time.monotonic() < deadline
        time.sleep(0.005)
    same(rows, table())
    assert ready(rows).phase is Phase.READY  # the other has fallen silent
    same(rows, table())


def test_uuids_are_found_while_it_is_packed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("h5explorer_py.lookup.parquet.BATCH_ROWS", 500)
    monkeypatch.setattr(preparation, "_BREATH_SECONDS", 0.02)
    monkeypatch.setattr(finding, "INDEXED_ROWS", 0)
    uuids: list[str | None] = table().column("uuid").to_pylist()
    nothing = "00000000-0000-0000-0000-000000000000"
    uuids[7], uuids[8], uuids[9], uuids[10] = None, "no uuid", nothing, None
    uuids[20] = uuids[400] = uuids[5_900] = uuids[3]
    uuids[5_990] = "no uuid"
    path = tmp_path / "odd.parquet"
    pq.write_table(table().set_column(0, "uuid", pa.array(uuids)), path)
    rows = rows_of(path, tmp_path / "cache")
    preparing = rows.preparation
    assert preparing is not None
    scanned_from: list[int] = []
    scan = rows.lookup.scan
    monkeypatch.setattr(rows.lookup, "scan", lambda names, start=0: (scanned_from.append(start), scan(names, start))[1])
    preparing.begin()
    seen = set()
    while rows.packed is None:
        growing = preparing.growing
        seen.add(0 if growing is None else growing.rows)
        for key in (uuids[3], uuids[300], uuids[5_950], "no uuid", nothing, "0000", uuids[9].replace("0", "1")):
            assert key is not None
            assert rows.of_key(key) == [row for row, each in enumerate(uuids) if each == key]
    assert seen - {0, len(uuids)}
    assert max(scanned_from) > 0
    assert ready(rows).phase is Phase.READY


def test_closing_ends_it(lookup: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("h5explorer_py.lookup.parquet.BATCH_ROWS", 100)
    monkeypatch.setattr(preparation, "_BREATH_SECONDS", 0.05)
    rows = rows_of(lookup, tmp_path / "cache")
    preparing = rows.preparation
    assert preparing is not None
    while preparing.progress.rows < 500:
        time.sleep(0.005)
    rows.close()
    assert preparing.wait(10)
    assert preparing.progress.phase is Phase.STOPPED
    deadline = time.monotonic() + 10
    while any(thread.name == "h5explorer-packing" for thread in threading.enumerate()):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert not list((tmp_path / "cache" / "lookups").rglob(OWNER))


def test_two_at_a_time_do_it_once(lookup: Path, tmp_path: Path) -> None:
    both = [rows_of(lookup, tmp_path / "cache") for _ in range(2)]
    for rows in both:
        assert ready(rows).phase is Phase.READY
        same(rows, table())


def test_while_another_kernel_is_at_it_it_is_waited_for(
    lookup: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preparation, "_LOOK_SECONDS", 0.02)
    other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        rows = rows_of(lookup, tmp_path / "elsewhere")
        assert rows.preparation is not None
        ready(rows)
        first = rows_of(lookup, tmp_path / "cache")
        assert first.preparation is not None
        ready(first)
        folder = tmp_path / "cache" / "lookups" / os.path.basename(first.preparation.folder)
        first.close()
        (folder / HEADER).unlink()
        own = Owner.own()
        owner = Owner(own.host, own.boot, other.pid, started_at(other.pid) or "")
        (folder / OWNER).write_text(json.dumps(owner.to_json()))
        second = rows_of(lookup, tmp_path / "cache")
        assert second.preparation is not None
        deadline = time.monotonic() + 10
        while "Another kernel" not in second.preparation.progress.message:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        same(second, table())
        other.kill()
        other.wait()
        assert ready(second).phase is Phase.READY
        same(second, table())
    finally:
        other.kill()
        other.wait()


@pytest.mark.parametrize("sign", ['{"host": "elsewhere", "boot": "", "pid": 1, "started": ""}', "", "[]"])
def test_the_sign_of_one_that_died_long_ago_does_not_hold_it_up(lookup: Path, tmp_path: Path, sign: str) -> None:
    first = rows_of(lookup, tmp_path / "cache")
    assert first.preparation is not None
    ready(first)
    folder = first.preparation.folder
    first.close()
    os.unlink(os.path.join(folder, HEADER))
    with open(os.path.join(folder, OWNER), "w", encoding="utf-8") as file:
        file.write(sign)
    os.utime(os.path.join(folder, OWNER), (time.time() - 600, time.time() - 600))
    rows = rows_of(lookup, tmp_path / "cache")
    assert ready(rows).phase is Phase.READY


def test_a_folder_that_cannot_be_written_is_said_and_all_goes_on(lookup: Path, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("no folder")
    rows = rows_of(lookup, tmp_path / "cache")
    progress = ready(rows)
    assert progress.phase is Phase.FAILED
    assert "cannot be written" in progress.message
    assert "H5EXPLORER_CACHE" in progress.message
    same(rows, table())
    (tmp_path / "cache").unlink()
    assert rows.preparation is not None
    rows.preparation.begin()
    assert ready(rows).phase is Phase.READY


def test_a_disk_without_room_is_said_before_it_is_filled(
    lookup: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.statvfs(tmp_path)
    full = os.statvfs_result((*tuple(real)[:4], 10, *tuple(real)[5:]))
    monkeypatch.setattr(preparation.os, "statvfs", lambda _: full)
    rows = rows_of(lookup, tmp_path / "cache")
    progress = ready(rows)
    assert progress.phase is Phase.FAILED
    assert "GB are needed" in progress.message
    same(rows, table())


def test_a_disk_that_fills_up_meanwhile_is_said(lookup: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("h5explorer_py.lookup.packed.keys.PackedKeys.save", full)
    rows = rows_of(lookup, tmp_path / "cache")
    progress = ready(rows)
    assert progress.phase is Phase.FAILED
    assert "No space left on device" in progress.message
    same(rows, table())


def test_a_lookup_that_vanishes_meanwhile_is_said(
    lookup: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lookup_rows, "BEGIN_SECONDS", 60.0)
    rows = rows_of(lookup, tmp_path / "cache")
    assert rows.preparation is not None
    lookup.unlink()
    rows.preparation.begin()
    assert ready(rows).phase is Phase.FAILED
    with pytest.raises(errors.LookupChangedError):
        rows.keys(0, 10)


def test_a_packed_lookup_whose_file_has_changed_is_not_believed(lookup: Path, tmp_path: Path) -> None:
    rows = rows_of(lookup, tmp_path / "cache")
    ready(rows)
    pq.write_table(table(ROWS, 2), lookup)
    for use in (
        lambda: rows.keys(0, 10),
        lambda: rows.take(np.array([3, 1])),
        lambda: rows.of_key(table()["uuid"][0].as_py()),
        lambda: rows.next_match(parse("shard_3"), 0, ROWS, lambda: None),
    ):
        with pytest.raises(errors.LookupChangedError):
            use()


def test_single_rows(lookup: Path, tmp_path: Path) -> None:
    rows = rows_of(lookup, tmp_path / "cache")
    chosen = np.array([5, 5_999, 0, 1_024, 1_023, 5])
    expected = table().take(pa.array(chosen)).to_pydict()
    assert LookupRows(open_lookup(str(lookup), COLUMNS)).take(chosen).to_pydict() == expected
    ready(rows)
    assert rows.take(chosen).to_pydict() == expected
    assert rows.take(np.empty(0, np.int64)).num_rows == 0


def test_what_is_kept_is_listed_and_removed(lookup: Path, tmp_path: Path) -> None:
    assert store.kept_lookups(str(tmp_path / "cache")) == []
    rows = rows_of(lookup, tmp_path / "cache")
    size = ready(rows).bytes
    (kept,) = store.kept_lookups(str(tmp_path / "cache"))
    assert (kept.lookup, kept.files, kept.rows, kept.lookup_rows) == (str(lookup), 1, ROWS, ROWS)
    assert (kept.bytes, kept.current) == (size, True)
    os.utime(lookup)
    assert not store.kept_lookups(str(tmp_path / "cache"))[0].current
    (tmp_path / "cache" / "lookups" / "odd").mkdir()
    assert {each.lookup for each in store.kept_lookups(str(tmp_path / "cache"))} == {str(lookup), ""}
    for each in store.kept_lookups(str(tmp_path / "cache")):
        assert store.remove(each)
    assert store.kept_lookups(str(tmp_path / "cache")) == []
    assert rows.packed is not None
    assert rows.packed.keys.keys(0, 5).num_rows == 5  # its files are open


def test_one_that_is_being_packed_is_not_removed(tmp_path: Path) -> None:
    folder = tmp_path / "cache" / "lookups" / "some-1"
    folder.mkdir(parents=True)
    (folder / OWNER).write_text(json.dumps({"host": "elsewhere", "boot": "", "pid": 1, "started": ""}))
    (kept,) = store.kept_lookups(str(tmp_path / "cache"))
    assert not store.remove(kept)
    assert folder.exists()


def test_where_the_cache_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("H5EXPLORER_CACHE", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(store.sys, "platform", "linux")
    assert store.cache_root() == str(tmp_path / ".cache" / "h5explorer")
    monkeypatch.setattr(store.sys, "platform", "darwin")
    assert store.cache_root() == str(tmp_path / "Library" / "Caches" / "h5explorer")
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert store.cache_root() == str(tmp_path / "Library" / "Caches" / "h5explorer")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert store.cache_root() == str(tmp_path / "xdg" / "h5explorer")
    monkeypatch.setenv("H5EXPLORER_CACHE", "~/own")
    assert store.cache_root() == str(tmp_path / "own")


def test_rows_of_a_giant_group_come_with_the_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("h5explorer_py.lookup.parquet.LARGEST_GROUP", 1_000)
    monkeypatch.setattr("h5explorer_py.lookup.parquet.STREAMED_ROWS", 1_024)
    monkeypatch.setattr("h5explorer_py.lookup.parquet.BATCH_ROWS", 500)
    monkeypatch.setattr(preparation, "_BREATH_SECONDS", 0.05)
    pq.write_table(table(), tmp_path / "lookup.parquet", row_group_size=ROWS)
    rows = rows_of(tmp_path / "lookup.parquet", tmp_path / "cache")
    assert rows.keys(0, 900).to_pydict() == table().slice(0, 900).to_pydict()
    with pytest.raises(errors.NotReadyError, match="when the index has come so far") as caught:
        rows.keys(5_000, 5_100)
    assert caught.value.details["rows"] >= 1_000
    preparing = rows.preparation
    assert preparing is not None
    while preparing.progress.rows < 3_000:
        time.sleep(0.005)
    assert rows.keys(2_800, 2_900).to_pydict() == table().slice(2_800, 100).to_pydict()
    preparing.stop()
    preparing.wait(10)
    assert rows.keys(5_000, 5_100).to_pydict() == table().slice(5_000, 100).to_pydict()  # without it, slowly
    monkeypatch.setattr(preparation, "_BREATH_SECONDS", 0.0)
    preparing.begin()
    assert ready(rows).phase is Phase.READY
    same(rows, table())
