"""The commands of the cache, as a person runs them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any
from uuid import UUID

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from h5explorer_py import scratch
from h5explorer_py.cli import main
from h5explorer_py.lookup.open import open_lookup
from h5explorer_py.lookup.packed import store
from h5explorer_py.lookup.packed.layout import OWNER, Header
from h5explorer_py.lookup.packed.packed import PackedLookup
from h5explorer_py.scratch import left_behind, temporary_folder
from tests.py.support import COLUMNS, ROOT, python

if TYPE_CHECKING:
    from pathlib import Path

ROWS = 3_000


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(store, "SMALLEST", 1_000)
    monkeypatch.setenv("H5EXPLORER_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def write(path: Path, rows: int = ROWS, **names: str) -> Path:
    random = np.random.default_rng(rows)
    uuids = [str(UUID(bytes=random.bytes(16))) for _ in range(rows)]
    columns = {names.get("uuid", "uuid"): uuids, names.get("filepath", "filepath"): ["s", "t"] * (rows // 2)}
    pq.write_table(pa.table(columns), path)
    return path


def listed(capsys: pytest.CaptureFixture[str], *options: str) -> Any:
    capsys.readouterr()
    assert main(["cache", "list", "--json", *options]) == 0
    return json.loads(capsys.readouterr().out)


def test_a_lookup_is_built_listed_and_cleared(tmp_path: Path, cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lookup = write(tmp_path / "l.parquet")
    assert main(["cache", "build", str(lookup)]) == 0
    told = capsys.readouterr()
    folder = told.out.rstrip("\n")
    size = sum(path.stat().st_size for path in (cache / "lookups").rglob("*") if path.is_file())
    assert told.err == f"Rows: 3,000. Size: {size / 1e6:.1f} MB.\n"
    source = open_lookup(lookup, COLUMNS)
    origin = store.origin_of(source)
    assert origin is not None
    packed = PackedLookup(folder, origin)
    assert packed.keys.keys(0, ROWS).equals(source.keys(0, ROWS))
    packed.close()
    source.close()

    assert main(["cache", "list"]) == 0
    header, row, total = capsys.readouterr().out.splitlines()
    assert header.split() == ["lookup", "rows", "packed", "size", "last", "used", "state", "folder"]
    assert row.split()[:3] == [str(lookup), "3,000", "ready"]
    assert row.split()[-2:] == ["current", folder]
    assert total == f"1 lookup, {size / 1e6:.1f} MB, in {cache}"
    found = listed(capsys)
    (each,) = found["lookups"]
    used = each.pop("used")
    assert abs(time.time() - time.mktime(time.strptime(used[:19], "%Y-%m-%dT%H:%M:%S")) + time.timezone) < 100
    assert found == {
        "root": str(cache),
        "bytes": size,
        "limit": None,
        "lookups": [
            {
                "lookup": str(lookup),
                "files": 1,
                "rows": ROWS,
                "packed_rows": ROWS,
                "packed": "ready",
                "bytes": size,
                "current": True,
                "folder": folder,
            }
        ],
    }
    assert main(["cache", "clear", str(lookup)]) == 0
    told = capsys.readouterr()
    assert (told.out, told.err) == (f"{folder}\n", f"Removed: 1 lookup, {size / 1e6:.1f} MB.\n")
    assert not os.path.exists(folder)
    assert main(["cache", "list"]) == 0
    assert capsys.readouterr().out == f"0 lookups, 0.0 MB, in {cache}\n"


def test_another_folder_and_other_columns(tmp_path: Path, cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lookup = write(tmp_path / "l.parquet", uuid="id", filepath="where")
    other = str(tmp_path / "other")
    columns = ["--uuid-column", "id", "--filepath-column", "where"]
    assert main(["cache", "build", str(lookup), *columns, "--cache", other]) == 0
    assert listed(capsys)["lookups"] == []
    (each,) = listed(capsys, "--cache", other)["lookups"]
    header = Header.read(each["folder"])
    assert header is not None
    assert (header.uuid_column, header.filepath_column) == ("id", "where")
    assert main(["cache", "clear", "--all"]) == 0
    assert len(listed(capsys, "--cache", other)["lookups"]) == 1
    assert main(["cache", "clear", "--all", "--cache", other]) == 0
    assert listed(capsys, "--cache", other)["lookups"] == []
    assert not cache.exists()


def test_stale_ones_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = ["gone", "changed", "same"]
    for name in names:
        assert main(["cache", "build", str(write(tmp_path / f"{name}.parquet"))]) == 0
    (tmp_path / "gone.parquet").unlink()
    os.utime(tmp_path / "changed.parquet", (1, 1))
    states = {each["lookup"]: each["current"] for each in listed(capsys)["lookups"]}
    assert states == {str(tmp_path / f"{name}.parquet"): name == "same" for name in names}
    assert main(["cache", "list"]) == 0
    assert capsys.readouterr().out.count(" stale ") == 2
    assert main(["cache", "clear", "--stale"]) == 0
    assert capsys.readouterr().err.startswith("Removed: 2 lookups, ")
    assert [each["lookup"] for each in listed(capsys)["lookups"]] == [str(tmp_path / "same.parquet")]


def test_what_to_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path / "l.parquet")
    assert main(["cache", "build", str(tmp_path / "l.parquet")]) == 0
    with pytest.raises(SystemExit) as caught:
        main(["cache", "clear"])
    assert caught.value.code == 2
    assert "Name lookups, or say --stale or --all." in capsys.readouterr().err
    assert main(["cache", "clear", str(tmp_path / "other.parquet")]) == 1
    assert f"Nothing is kept of {tmp_path / 'other.parquet'}." in capsys.readouterr().err
    assert len(listed(capsys)["lookups"]) == 1
    for arguments in ([], ["build"], ["shrink"]):
        with pytest.raises(SystemExit) as caught:
            main(["cache", *arguments])
        assert caught.value.code == 2


def test_the_parts_of_a_lookup_and_folders_name_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shards = tmp_path / "shards"
    shards.mkdir()
    for number in range(2):
        pq.write_table(
            pa.table({"uuid": [f"{number} {row}" for row in range(900)]}), shards / f"s{number}_metadata.parquet"
        )
        (shards / f"s{number}_images.h5").write_bytes(b"")
    for name in (str(shards), str(shards / "s1_metadata.parquet"), None):
        assert main(["cache", "build", str(shards)]) == 0
        (each,) = listed(capsys)["lookups"]
        assert (each["files"], each["rows"]) == (2, 1_800)
        assert main(["cache", "list"]) == 0
        assert "s0_metadata.parquet and 1 more" in capsys.readouterr().out
        assert main(["cache", "clear", name or each["folder"]]) == 0
        assert listed(capsys)["lookups"] == []


def test_what_is_being_packed_stays(tmp_path: Path, cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path / "a.parquet")
    assert main(["cache", "build", str(tmp_path / "a.parquet")]) == 0
    folder = cache / "lookups" / "some-1"
    folder.mkdir(parents=True)
    (folder / OWNER).write_text(json.dumps({"host": "elsewhere", "process": 1}))
    assert {each["packed"] for each in listed(capsys)["lookups"]} == {"packing", "ready"}
    assert main(["cache", "clear", "--all"]) == 1
    told = capsys.readouterr()
    assert f"{folder} stays: it is just being packed." in told.err
    assert "Removed: 1 lookup" in told.err
    assert [each["folder"] for each in listed(capsys)["lookups"]] == [str(folder)]


def test_how_far_it_is(tmp_path: Path, cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path / "a.parquet")
    assert main(["cache", "build", str(tmp_path / "a.parquet")]) == 0
    (each,) = listed(capsys)["lookups"]
    header = Header.read(each["folder"])
    assert header is not None
    header.changed(rows=1_000).write(each["folder"])
    assert listed(capsys)["lookups"][0]["packed"] == "33%"
    header.write(each["folder"])
    os.unlink(os.path.join(each["folder"], "uuid-index.bin"))
    assert listed(capsys)["lookups"][0]["packed"] == "not indexed"
    os.unlink(os.path.join(each["folder"], "header.json"))
    assert listed(capsys)["lookups"][0]["packed"] == "unknown"
    assert main(["cache", "clear", "--stale"]) == 0
    assert listed(capsys)["lookups"] == []


def test_names_cannot_forge_lines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lookup = write(tmp_path / "a\n\x1b[31mb.parquet")
    assert main(["cache", "build", str(lookup)]) == 0
    capsys.readouterr()
    assert main(["cache", "list"]) == 0
    out = capsys.readouterr().out
    assert len(out.splitlines()) == 3
    assert "a\\n\\x1b[31mb.parquet" in out


def test_small_lookups_need_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cache", "build", str(write(tmp_path / "l.parquet", 100))]) == 0
    assert "l.parquet has 100 rows" in capsys.readouterr().err
    assert listed(capsys)["lookups"] == []


def test_failures_are_sentences(tmp_path: Path, cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cache", "build", str(tmp_path / "absent.parquet")]) == 1
    assert "absent.parquet" in capsys.readouterr().err
    cache.write_text("no folder")
    assert main(["cache", "build", str(write(tmp_path / "l.parquet"))]) == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert "cannot be written" in told.err
    assert listed(capsys)["lookups"] == []


SLOW = """
import sys
from h5explorer_py.cli import main, progress
from h5explorer_py.lookup import parquet
from h5explorer_py.lookup.packed import convert, preparation, store
store.SMALLEST, convert.SAVE_ROWS, preparation._BREATH_SECONDS = 1_000, 500, 0.3
parquet.BATCH_ROWS = 500
progress._LOG_SECONDS = 0.0
sys.exit(main(sys.argv[1:]))
"""


def test_an_interrupted_build_is_gone_on_with(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lookup = write(tmp_path / "l.parquet", 20_000)
    command = [sys.executable, "-c", SLOW, "cache", "build", str(lookup)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith("Packing: ") and int(line[9:-2]) >= 10:
            break
    process.send_signal(signal.SIGINT)
    said, told = process.communicate(timeout=60)
    assert (process.returncode, said) == (130, "")
    assert "that is kept, and gone on with the next time." in told
    assert "Traceback" not in told
    (each,) = listed(capsys)["lookups"]
    assert 0 < each["packed_rows"] < 20_000
    assert each["packed"].endswith("%")
    begun = os.stat(os.path.join(each["folder"], "uuid.bin"))
    assert main(["cache", "build", str(lookup)]) == 0
    (each,) = listed(capsys)["lookups"]
    assert (each["packed_rows"], each["packed"]) == (20_000, "ready")
    assert os.stat(os.path.join(each["folder"], "uuid.bin")).st_ino == begun.st_ino


# Temporary files


def test_only_what_no_process_needs_is_old(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = cache / "scratch"
    folder.mkdir(parents=True)
    mine = temporary_folder(str(folder))
    code = (
        "import os, sys; from h5explorer_py.scratch import temporary_folder;"
        "made = temporary_folder(sys.argv[1]); print(made.name, flush=True); os._exit(0)"
    )
    dead = python(code, str(folder)).stdout.strip()
    (folder / "duckdb_temp_1").write_bytes(b"fresh")
    (folder / "duckdb_temp_2").write_bytes(b"old")
    os.utime(folder / "duckdb_temp_2", (1, 1))
    assert left_behind(str(cache)) == sorted([dead, str(folder / "duckdb_temp_2")])
    assert main(["cache", "clear", "--stale"]) == 0
    assert sorted(path.name for path in folder.iterdir()) == sorted([os.path.basename(mine.name), "duckdb_temp_1"])
    assert left_behind(str(cache)) == []
    mine.cleanup()
    monkeypatch.setattr(scratch, "_OLD_SECONDS", -1)
    assert left_behind(str(cache)) == [str(folder / "duckdb_temp_1")]
    assert left_behind(str(cache / "absent")) == []
