"""The sample data set, and the command that makes it."""

from __future__ import annotations

import hashlib
import io
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import h5py
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest
from PIL import Image as pil

from h5explorer_py import __version__
from h5explorer_py.cli import main
from h5explorer_py.demo import photographs
from h5explorer_py.images.sniff import format_of, is_truncated

if TYPE_CHECKING:
    from collections.abc import Callable

    from h5explorer_py import Explorer

COMMAND = Path(sys.executable).with_name("h5explorer")


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(COMMAND), *arguments], capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo") / "data"
    done = command("demo", str(folder))
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{folder / 'lookup.parquet'}\n", "")
    return folder


def test_the_files_are_those_of_four_shards(demo: Path) -> None:
    shards = [f"photographs_{number:03}" for number in range(4)]
    files = [f"{shard}{suffix}" for shard in shards for suffix in ("_images.h5", "_metadata.parquet")]
    assert sorted(path.name for path in demo.iterdir()) == sorted([*files, "lookup.parquet", "lookup.csv"])


@pytest.mark.parametrize("number", range(4))
def test_every_shard_has_250_photographs_and_their_records(demo: Path, number: int) -> None:
    records = pq.read_table(demo / f"photographs_{number:03}_metadata.parquet").to_pylist()
    with h5py.File(demo / f"photographs_{number:03}_images.h5", "r") as file:
        images = {name: dataset[()].tobytes() for name, dataset in file["images"].items()}
    assert len(records) == len(images) == 250
    for record in records:
        data = images[record["uuid"]]
        with pil.open(io.BytesIO(data)) as opened:
            opened.load()
            assert (opened.format, *opened.size) == (record["format"], record["width"], record["height"])
        assert record["bytes"] == len(data)
        assert record["sha256"] == hashlib.sha256(data).digest()
        assert not is_truncated(data, format_of(data))


def test_formats_and_types_are_of_several_kinds(demo: Path) -> None:
    tables = [pq.read_table(path) for path in sorted(demo.glob("*_metadata.parquet"))]
    table = pa.concat_tables(tables, promote_options="permissive")
    assert table.num_columns >= 12
    assert len({str(field.type) for field in table.schema}) >= 8
    assert set(table.column("format").to_pylist()) == {"JPEG", "PNG", "WEBP"}
    assert len(set(table.column("sha256").to_pylist())) == 1000
    assert table.column("note").null_count > 0
    assert len({*table.column("source").to_pylist()}) == len(photographs.SOURCES)


def test_the_two_lookups_are_the_same(demo: Path) -> None:
    parquet = pq.read_table(demo / "lookup.parquet")
    text = pa_csv.read_csv(demo / "lookup.csv")
    assert parquet.num_rows == 1000
    assert parquet.column_names == text.column_names == ["uuid", "filepath"]
    assert parquet.to_pylist() == text.to_pylist()
    assert len(set(parquet.column("uuid").to_pylist())) == 1000
    counts = parquet.column("filepath").value_counts().to_pylist()
    assert {each["values"]: each["counts"] for each in counts} == {
        f"photographs_{number:03}": 250 for number in range(4)
    }
    keys = {key for path in demo.glob("*_metadata.parquet") for key in pq.read_table(path).column("uuid").to_pylist()}
    assert keys == set(parquet.column("uuid").to_pylist())


@pytest.mark.parametrize("name", ["lookup.parquet", "lookup.csv", ""])
def test_the_explorer_shows_it(demo: Path, explorer: Callable[..., Explorer], name: str) -> None:
    ex = explorer(demo / name)
    assert ex.stats == {"records": 1000, "filepaths": 4}
    for row in (0, 500, 999):
        record = ex.metadata(row)
        assert hashlib.sha256(ex.image(row).data).digest() == record["sha256"]
        assert ex.image(record["uuid"]).to_numpy().shape[:2] == (record["height"], record["width"])


def test_the_same_bytes_come_out_every_time_beside_what_is_there(demo: Path, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    assert main(["demo", str(tmp_path)]) == 0
    assert (tmp_path / "notes.txt").read_text() == "mine"
    for path in demo.iterdir():
        if path.suffix != ".h5":
            assert (tmp_path / path.name).read_bytes() == path.read_bytes(), path.name
            continue
        with h5py.File(path, "r") as first, h5py.File(tmp_path / path.name, "r") as second:
            assert list(first["images"]) == list(second["images"])
            assert all(
                first["images"][key][()].tobytes() == second["images"][key][()].tobytes() for key in first["images"]
            )


# The command


def test_the_version() -> None:
    assert command("--version").stdout == f"{__version__}\n"
    done = subprocess.run(
        [sys.executable, "-m", "h5explorer_py", "--version"], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout == f"{__version__}\n"


def test_help_names_the_commands() -> None:
    done = command("--help")
    assert done.returncode == 0
    assert "demo" in done.stdout
    assert "DIR" in command("demo", "--help").stdout


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "COMMAND"),
        (["demo"], "DIR"),
        (["demo", "a", "b"], "unrecognized arguments: b"),
        (["show", "x"], "invalid choice: 'show'"),
        (["demo", "--force", "x"], "--force"),
        (["--vers"], "--vers"),
    ],
)
def test_what_is_not_understood_is_told_with_the_usage(
    arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("usage: h5explorer")
    assert says in told.err


def test_a_folder_that_cannot_be_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    assert main(["demo", str(tmp_path / "file")]) == 1
    assert main(["demo", str(tmp_path / "file" / "below")]) == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert all(line.startswith("h5explorer: ") for line in told.err.splitlines())
    assert str(tmp_path / "file") in told.err
    assert "Traceback" not in told.err
    assert "Errno" not in told.err


def test_without_its_pictures_the_command_names_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "skimage", None)
    assert main(["demo", str(tmp_path)]) == 1
    assert 'pip install "h5explorer[demo]"' in capsys.readouterr().err
