"""The commands that take rows out of a data set, as a person runs them."""

from __future__ import annotations

import csv
import os
import shutil
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from h5explorer_py.cli import main
from h5explorer_py.dataset import Dataset
from h5explorer_py.lookup.open import open_lookup
from h5explorer_py.lookup.packed import store
from h5explorer_py.lookup.packed.packed import PackedLookup
from h5explorer_py.lookup.rows import LookupRows
from tests.fixtures.datasets import key
from tests.py.support import COLUMNS, ROOT, python
from tests.py.test_extract import is_faithful

if TYPE_CHECKING:
    from pathlib import Path

HIDDEN = ".h5explorer.json"


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def uuids_of(out: Path) -> list[str]:
    return pq.read_table(out / "lookup.parquet").column("uuid").to_pylist()


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


# Extract


@pytest.mark.parametrize(
    ("options", "rows"),
    [
        (["--rows", "0:300"], range(300)),
        (["--rows", "10:13"], [10, 11, 12]),
        (["--rows", ":2", "7", "298:300"], [0, 1, 7, 298, 299]),
        (["--rows", "5", "--rows", "3:5", "--images-per-shard", "1"], [5, 3, 4]),
        (["--rows", "4:4"], []),
    ],
)
def test_rows_are_extracted(
    contract: Path, out: Path, options: list[str], rows: list[int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["extract", str(contract / "lookup.parquet"), str(out), *options]) == 0
    is_faithful(contract / "lookup.parquet", rows, out)
    told = capsys.readouterr()
    assert told.out == f"{out / 'lookup.parquet'}\n"
    assert told.err.startswith(f"Rows: {len(rows):,} of {len(rows):,}. Images: {len(rows):,} (")


def test_what_cannot_be_read_is_told_and_ends_with_3(
    contract: Path, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["extract", str(contract / "lookup.parquet"), str(out)]) == 3
    told = capsys.readouterr()
    assert told.out == f"{out / 'lookup.parquet'}\n"
    assert "Rows: 312 of 323." in told.err
    assert "Rows left out, as their image could not be read: 11." in told.err
    assert "with their image alone: 2." in told.err
    assert f"  row 300, image: There is no file {contract / 'absent_images.h5'}.\n" in told.err
    assert "... and 3 more" in told.err
    with open(out / "failures.csv", newline="", encoding="utf-8") as file:
        assert len(list(csv.reader(file))) == 14


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_uuids_of_a_file(contract: Path, tmp_path: Path, ends: str, capsys: pytest.CaptureFixture[str]) -> None:
    wanted = [key(200), "nope", key(3), "", key(200), "\u00e4", key(7)]
    (tmp_path / "uuids.txt").write_bytes("\ufeff".encode() + ends.join(wanted).encode() + b"\n\xff\n")
    arguments = [str(contract / "lookup.parquet"), str(tmp_path / "out"), "--uuids", str(tmp_path / "uuids.txt")]
    assert main(["extract", *arguments]) == 3
    told = capsys.readouterr()
    assert "Uuids that are not in the lookup: 3.\n  'nope'\n  '\\xe4'\n  '\\udcff'\n" in told.err
    assert "Rows whose uuid a row above them has: 1." in told.err
    is_faithful(contract / "lookup.parquet", [200, 3, 200, 7], tmp_path / "out")


def test_uuids_of_the_standard_input(contract: Path, out: Path) -> None:
    command = [sys.executable, "-m", "h5explorer_py", "extract", str(contract), str(out), "--uuids", "-"]
    done = subprocess.run(
        command, input=f"{key(5)}\n{key(250)}\n", capture_output=True, text=True, cwd=ROOT, timeout=60, check=False
    )
    assert (done.returncode, done.stdout) == (0, f"{out / 'lookup.parquet'}\n")
    assert uuids_of(out) == [key(5), key(250)]


def test_data_that_has_moved(contract: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = pq.read_table(contract / "lookup.parquet").slice(0, 150)
    paths = [f"/old=place/{path}" for path in table.column("filepath").to_pylist()]
    lookup = str(tmp_path / "l.parquet")
    pq.write_table(table.set_column(1, "where", [paths]).rename_columns(["id", "where"]), lookup)
    (tmp_path / "a=b").symlink_to(contract)
    named = ["--uuid-column", "id", "--filepath-column", "where"]
    assert main(["extract", lookup, str(tmp_path / "0"), *named]) == 3
    for at, root in enumerate(([str(contract)], [str(tmp_path / "a=b")]), 1):
        assert main(["extract", lookup, str(tmp_path / str(at)), *named, "--root", *root]) == 0
        assert pq.read_table(tmp_path / str(at) / "lookup.parquet").column("id").to_pylist()[149] == key(149)
    table = table.set_column(1, "filepath", [[path.replace("=", "/") for path in paths]])
    pq.write_table(table, lookup)
    assert main(["extract", lookup, str(tmp_path / "3"), "--root", f"/old/place={contract}", "/x=/y"]) == 0
    assert main(["extract", lookup, str(tmp_path / "4"), "--root", f"/old/place={contract}", "/x"]) == 1
    assert "--root takes one folder" in capsys.readouterr().err
    assert not (tmp_path / "4").exists()


def test_a_target_that_is_there(contract: Path, out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["extract", str(contract / "lookup.parquet"), str(out), "--rows"]
    assert main([*command, "0:3"]) == 0
    assert main([*command, "3:5"]) == 1
    assert "is there already" in capsys.readouterr().err
    assert uuids_of(out) == [key(0), key(1), key(2)]
    assert main([*command, "3:5", "--overwrite"]) == 0
    assert uuids_of(out) == [key(3), key(4)]
    (out / "mine").write_text("mine")
    assert main([*command, "0:3", "--overwrite"]) == 1
    assert "mine" in capsys.readouterr().err
    assert "mine" in names(out)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["LOOKUP", "OUT", "--rows", "0:324"], "There are 323 rows"),
        (["LOOKUP", "OUT", "--rows", "400:"], "There are 323 rows"),
        (["LOOKUP", "OUT", "--uuids", "absent.txt"], "absent.txt cannot be read: no such file"),
        (["absent.parquet", "OUT"], "There is no file"),
        (["LOOKUP", "OUT", "--uuid-column", "id"], "no column 'id'"),
        (["LOOKUP", "LOOKUP/out"], "cannot be written"),
    ],
)
def test_what_cannot_be_done(
    contract: Path, out: Path, arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    lookup = str(contract / "lookup.parquet")
    given = [each.replace("LOOKUP", lookup).replace("OUT", str(out)) for each in arguments]
    assert main(["extract", *given]) == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("h5explorer: ")
    assert says in told.err
    assert "Traceback" not in told.err
    assert names(out.parent) == []


@pytest.mark.parametrize("command", ["extract", "export"])
@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--rows", "a:b"], "'a:b' is no range of rows"),
        (["--rows", "5:3"], "ends before it begins"),
        (["--rows=-1:3"], "is no range"),
        (["--rows", ""], "is no range"),
        (["--rows", "1:2:3"], "is no range"),
        (["--rows", "\u0663"], "is no range"),
        (["--rows"], "expected at least one"),
        (["--rows", "0:1", "--uuids", "-"], "not allowed with"),
        (["--row", "1"], "unrecognized"),
    ],
)
def test_what_is_not_understood(
    command: str, options: list[str], says: str, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main([command, "l.parquet", f"{out}.csv", *options])
    assert caught.value.code == 2
    told = capsys.readouterr()
    known = "h5explorer" if says == "unrecognized" else f"h5explorer {command} LOOKUP OUT"
    assert told.err.startswith(f"usage: {known}")
    assert says in told.err


@pytest.mark.parametrize("number", ["0", "-1", "x", "1.5"])
def test_images_per_shard_is_a_number(out: Path, number: str) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["extract", "l.parquet", str(out), f"--images-per-shard={number}"])
    assert caught.value.code == 2


SLOW = """
import os, sys, time
from h5explorer_py.bulk import gather
read = gather.read_places
seconds = float(sys.argv.pop())
def slow(*given):
    os.write(2, b"reading\\n")  # at once: several threads say so
    time.sleep(seconds)
    return read(*given)
gather.read_places = slow
from h5explorer_py.cli import main
sys.exit(main(sys.argv[1:]))
"""


def test_an_interrupt_leaves_nothing(contract: Path, out: Path) -> None:
    command = [
        sys.executable,
        "-c",
        SLOW,
        "extract",
        str(contract / "lookup.parquet"),
        str(out),
        "--rows",
        "0:300",
        "2",
    ]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert process.stderr is not None
    assert process.stderr.readline() == "reading\n"
    process.send_signal(signal.SIGINT)
    said, told = process.communicate(timeout=30)
    assert process.returncode == 130
    assert said == ""
    assert "interrupted; nothing was written." in told
    assert "Traceback" not in told
    assert names(out.parent) == []


def test_a_terminal_shows_how_far_it_is(contract: Path, out: Path) -> None:
    import pty

    ours, theirs = pty.openpty()
    code = SLOW.replace("from h5explorer_py.cli import main", "from h5explorer_py.cli import main, progress").replace(
        "sys.exit", "progress._TERMINAL_SECONDS = 0\nsys.exit"
    )
    command = [
        sys.executable,
        "-c",
        code,
        "extract",
        str(contract / "lookup.parquet"),
        str(out),
        "--rows",
        "0:250",
        "0",
    ]
    process = subprocess.Popen(command, stderr=theirs, stdout=subprocess.DEVNULL, cwd=ROOT)
    os.close(theirs)
    told = b""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            part = os.read(ours, 65_536)
        except OSError:  # how Linux tells that the other side is closed
            break
        if not part:
            break
        told += part
    os.close(ours)
    assert process.wait(30) == 0, told
    assert b"\r250 of 250 rows\x1b[K" in told
    assert told.rindex(b"\r\x1b[K") < told.index(b"Rows: 250 of 250.")


# Filter and sort


def by_uuid(rows: range) -> list[int]:
    return sorted(rows, key=key)


@pytest.mark.parametrize(
    ("options", "rows"),
    [
        (["--filter", "filepath = 'shard_001'"], [*range(100, 200)]),
        (["--filter", "alpha_last BETWEEN 5 AND 7 OR alpha_last = 250"], [5, 6, 7, 250]),
        (["--filter", "filepath LIKE 'shard%'", "--sort", "uuid"], by_uuid(range(300))),
        (
            ["--filter", "filepath = 'shard_002'", "--sort", "flag:desc", "--sort", "uuid:asc", "--rows", ":3", "99"],
            [*by_uuid(range(200, 300, 2))[:3], by_uuid(range(201, 300, 2))[-1]],
        ),
        (["--filter", "false"], []),
    ],
)
@pytest.mark.parametrize("command", ["extract", "export"])
def test_rows_are_chosen_by_a_condition(
    contract: Path, tmp_path: Path, command: str, options: list[str], rows: list[int]
) -> None:
    target = tmp_path / ("o.parquet" if command == "export" else "o")
    assert main([command, str(contract / "lookup.parquet"), str(target), *options]) == 0
    if command == "extract":
        is_faithful(contract / "lookup.parquet", rows, target)
    else:
        assert pq.read_table(target)["uuid"].to_pylist() == [key(row) for row in rows]


@pytest.mark.parametrize("command", ["extract", "export"])
@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--filter", "nowhere = 1"], "There is no column"),
        (["--filter", " "], "The condition is empty"),
        (["--filter", "uuid = "], "DuckDB does not understand the condition"),
        (["--filter", "true; DROP TABLE x"], "one expression"),
        (["--sort", "uuidd"], "The nearest is 'uuid'"),
        (["--sort", "uuid:up"], "There is no column 'uuid:up'"),
        (["--filter", "true", "--uuids", "-"], "does not go with"),
    ],
)
def test_conditions_that_are_not_understood_end_with_2(
    contract: Path, tmp_path: Path, command: str, options: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main([command, str(contract / "lookup.parquet"), str(tmp_path / "o.csv"), *options])
    assert caught.value.code == 2
    told = capsys.readouterr()
    assert says in told.err
    assert told.err.startswith("h5explorer: ")
    assert names(tmp_path) == []


def test_a_condition_that_cannot_be_computed_ends_with_1(
    contract: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = ["--filter", "CAST(uuid AS INTEGER) > 1"]
    assert main(["export", str(contract / "lookup.parquet"), str(tmp_path / "o.csv"), *wrong]) == 1
    assert "DuckDB cannot compute this: Could not convert string" in capsys.readouterr().err
    assert names(tmp_path) == []


def test_ranges_are_of_the_rows_that_are_kept(contract: Path, out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--filter", "filepath = 'shard_001'", "--rows", "50:101"]
    assert main(["extract", str(contract / "lookup.parquet"), str(out), *options]) == 1
    assert "There are 100 rows" in capsys.readouterr().err


def test_a_lookup_that_has_been_packed_is_used(contract: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "SMALLEST", 100)
    lookup, cache = str(contract / "lookup.parquet"), str(tmp_path / "cache")
    rows = LookupRows(open_lookup(lookup, COLUMNS), cache=cache)
    assert rows.preparation is not None
    rows.preparation.begin()
    assert rows.preparation.wait(30)
    rows.close()
    monkeypatch.setattr(PackedLookup, "made_for_now", None)  # would be called otherwise
    options = ["--filter", "alpha_last < 3", "--cache", cache]
    assert main(["export", lookup, str(tmp_path / "o.parquet"), *options]) == 0
    assert pq.read_table(tmp_path / "o.parquet")["uuid"].to_pylist() == [key(0), key(1), key(2)]


INTERRUPTED = """
import os, signal, sys, threading
from h5explorer_py.view import filtering
ask = filtering.run
def run(*given, **options):
    threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()
    return ask(*given, **options)
filtering.run = run
from h5explorer_py.cli import main
sys.exit(main(sys.argv[1:]))
"""


def test_an_interrupt_ends_a_query(tmp_path: Path) -> None:
    rows = 1_000_000
    pq.write_table(
        pa.table({"uuid": [str(row) for row in range(rows)], "filepath": ["s"] * rows}), tmp_path / "l.parquet"
    )
    slow = f"{'sha256(' * 30}uuid{')' * 30} > '8'"
    done = python(INTERRUPTED, "export", str(tmp_path / "l.parquet"), str(tmp_path / "o.csv"), "--filter", slow)
    assert (done.returncode, done.stdout) == (130, "")
    assert "interrupted; nothing was written." in done.stderr
    assert "Traceback" not in done.stderr
    assert names(tmp_path) == ["l.parquet"]


# Export


@pytest.mark.parametrize("suffix", [".parquet", ".csv", ".tsv.gz"])
def test_rows_are_exported(contract: Path, tmp_path: Path, suffix: str, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / f"o{suffix}"
    assert main(["export", str(contract / "lookup.parquet"), str(path), "--rows", "290:305", "3"]) == 0
    told = capsys.readouterr()
    assert told.out == f"{path}\n"
    assert (
        told.err == f"Rows: 16.\nIts filepaths start from {contract}: give that as root where the new file is opened.\n"
    )
    dataset = Dataset(path, COLUMNS, str(contract))
    expected = pq.read_table(contract / "lookup.parquet").take([*range(290, 305), 3]).to_pylist()
    found = dataset.keys(0, 16).to_pylist()
    if suffix == ".parquet":
        assert found == expected
    else:
        assert found == [{name: value or "" for name, value in row.items()} for row in expected]
    assert dataset.image(dataset.entry(15)).key == key(3)
    dataset.close()


def test_beside_the_source_filepaths_hold(contract: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copy(contract / "lookup.parquet", tmp_path / "lookup.parquet")
    assert main(["export", str(tmp_path / "lookup.parquet"), str(tmp_path / "o.csv")]) == 0
    assert capsys.readouterr().err == "Rows: 323.\n"
    assert main(["export", str(tmp_path / "lookup.parquet"), str(tmp_path / "o.csv")]) == 1
    assert main(["export", str(tmp_path / "lookup.parquet"), str(tmp_path / "o.csv"), "--overwrite"]) == 0
    assert main(["export", str(tmp_path / "lookup.parquet"), str(tmp_path / "o.xlsx")]) == 1
    assert "Name it .parquet" in capsys.readouterr().err
    assert names(tmp_path) == ["lookup.parquet", "o.csv"]


def test_uuids_are_exported(contract: Path, tmp_path: Path) -> None:
    (tmp_path / "uuids").write_text(f"{key(9)}\nnope\n")
    path = tmp_path / "o.csv"
    assert main(["export", str(contract / "lookup.parquet"), str(path), "--uuids", str(tmp_path / "uuids")]) == 3
    assert path.read_text() == f"uuid,filepath\n{key(9)},shard_000\n"
