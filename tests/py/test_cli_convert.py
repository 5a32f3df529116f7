"""``h5explorer convert`` and ``inspect`` as a person types them."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import zarr
from PIL import Image as pil

from h5explorer_py import errors
from h5explorer_py.cli import main
from h5explorer_py.making.convert import target_of
from tests.py.pictures import numbers, saved
from tests.py.support import ROOT, wait_for

if TYPE_CHECKING:
    from pathlib import Path

COMMAND = [sys.executable, "-m", "h5explorer_py", "convert"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "pictures"
    made.mkdir()
    for number in range(3):
        pil.fromarray(numbers((12, 10, 3), "uint8", number)).save(made / f"p{number}.png")
    return made


def pixels(store: Path) -> Any:
    return np.asarray(zarr.open_group(store, mode="r")["images"][:])


def truth(folder: Path, size: tuple[int, int] | None = None, method: int = 2) -> Any:
    opened = [pil.open(path) for path in sorted(folder.glob("*.png"))]
    shown = [image if size is None else image.resize(size[::-1], pil.Resampling(method)) for image in opened]
    return np.stack([np.asarray(image).transpose(2, 0, 1) for image in shown])


@pytest.mark.parametrize(
    ("output", "to", "otherwise", "expected"),
    [
        ("out", None, "zarr", ("zarr", "out")),
        ("out", None, "h5", ("h5", "out.h5")),
        ("v1.2_a", None, "h5", ("h5", "v1.2_a.h5")),
        ("v1.2_a", None, "zarr", ("zarr", "v1.2_a")),
        ("x.zarr", None, "h5", ("zarr", "x.zarr")),
        ("x.zarr/", None, "h5", ("zarr", "x.zarr/")),
        ("x.h5", None, "zarr", ("h5", "x.h5")),
        ("x.hdf5", None, "zarr", ("h5", "x.hdf5")),
        ("X.HDF5", None, "zarr", ("h5", "X.HDF5")),
        ("out", "shards", "h5", ("shards", "out")),
        ("out", "shards", "zarr", ("shards", "out")),
        ("v1.2", "zarr", "h5", ("zarr", "v1.2")),
        ("v1.2", "h5", "zarr", ("h5", "v1.2.h5")),
        ("x.h5", "h5", "zarr", ("h5", "x.h5")),
        ("x.zarr", "zarr", "h5", ("zarr", "x.zarr")),
        ("a.zarr/sub", None, "h5", ("h5", "a.zarr/sub.h5")),
        ("s3://bucket/x.zarr", None, "h5", ("zarr", "s3://bucket/x.zarr")),
        (".zarr", None, "zarr", ("zarr", ".zarr")),
        ("tmp/hotdog_64", None, "h5", ("h5", "tmp/hotdog_64.h5")),
    ],
)
def test_what_is_made_of_a_name(output: str, to: str | None, otherwise: Any, expected: tuple[str, str]) -> None:
    assert target_of(output, to, otherwise) == expected


@pytest.mark.parametrize(("output", "to"), [("x.h5", "zarr"), ("x.zarr", "h5"), ("x.hdf5", "shards"), ("x", None)])
def test_names_that_say_another_thing_are_refused(output: str, to: str | None) -> None:
    with pytest.raises(errors.UnsupportedError):
        target_of(output, to, None)


def test_the_long_line(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "m.csv").write_text("filename,label\np2.png,two\np0.png,zero\np1.png,one\n")
    more = tmp_path / "more" / "below"
    more.mkdir(parents=True)
    pil.fromarray(numbers((9, 7, 3), "uint8", 7)).save(more / "q.png")
    line = (
        f"convert {folder} {more.parent} --to zarr --metadata {tmp_path}/m.csv --out {tmp_path}/out --recursive "
        "--workers 1 --fits-ext 0 --chunk-shape 1,512,512 --compressor zstd --clevel 5 --resize 8,6 "
        "--interpolation-order 1 --overwrite"
    )
    for _ in range(2):
        assert main(line.split()) == 0
    told = capsys.readouterr()
    assert f"4 pictures in {tmp_path}/out/images.zarr (" in told.out
    assert "Each has 3 × 8 × 6 values of type uint8 (colour).\n" in told.out
    assert "Pictures that the metadata does not name: q.png.\n" in told.out
    assert told.err == ""
    np.testing.assert_array_equal(pixels(tmp_path / "out" / "images.zarr")[:3], truth(folder, (8, 6)))
    stored = zarr.open_group(tmp_path / "out" / "images.zarr")["images"]
    assert stored.chunks == (1, 3, 8, 6)
    assert stored.compressors[0].level == 5
    table = pq.read_table(tmp_path / "out" / "images_metadata.parquet")
    assert table["label"].to_pylist() == ["zero", "one", "two", None]
    assert main(line.replace("--overwrite", "--append").split()) == 0
    assert pixels(tmp_path / "out" / "images.zarr").shape == (8, 3, 8, 6)


def test_square_by_dim(folder: Path, tmp_path: Path) -> None:
    line = f"convert {folder} --output {tmp_path}/set.zarr --dim 5 --interpolation-order 0 --workers 1 --quiet"
    assert main(line.split()) == 0
    np.testing.assert_array_equal(pixels(tmp_path / "set.zarr"), truth(folder, (5, 5), 0))


@pytest.mark.parametrize(
    "options",
    [
        "",
        "--out a --output b",
        "--out",
        "--out=",
        "--ou a",
        "--out a --overw",
        "--out a --recurs",
        "--out a --overwrite --append",
        "--out a --resize 8",
        "--out a --resize 8,0",
        "--out a --resize 8,6 --dim 5",
        "--out a --dim 0",
        "--out a --dim five",
        "--out a --chunk-shape 1,2",
        "--out a --chunk-shape 0,2,2",
        "--out a --chunk-shape 1,2,2,2,2",
        "--out a --compressor bz2",
        "--out a --clevel 0",
        "--out a --clevel 10",
        "--out a --interpolation-order 6",
        "--out a --fits-ext ,",
        "--out a --shard-size 0",
        "--out a --shard-size lots",
        "--out a --workers 0",
        "--out a --workers 2 --scheduler tcp://127.0.0.1:1",
        "--out a --dtype complex64",
        "--out a --channels 5",
        "--out a --on-error ignore",
        "--out a --fit squeeze",
        "--out a --to tiff",
    ],
)
def test_what_is_not_understood_ends_with_2(
    folder: Path, tmp_path: Path, options: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        main(["convert", str(folder), *options.split()])
    assert ended.value.code == 2
    assert ": error: " in capsys.readouterr().err
    assert os.listdir(tmp_path) == ["pictures"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("absent --out a", "absent is not there"),
        (". --out a --metadata absent.csv", "absent.csv cannot be read"),
        (". --out a --scheduler tcp://127.0.0.1:1", "cannot be reached"),
        (". --out a.h5 --to zarr", "a.h5 is named as what h5 makes"),
        (". --out a --log absent/x.log", "absent/x.log cannot be written"),
        ("mixed --out a", "differ in size"),
        (". --out pictures.txt/a", "pictures.txt"),
    ],
)
def test_what_is_refused_ends_with_1(
    folder: Path, tmp_path: Path, options: str, said: str, monkeypatch: pytest.MonkeyPatch, capfd: Any
) -> None:
    (tmp_path / "mixed").mkdir()
    for number in range(2):
        pil.new("L", (4 + number, 4)).save(tmp_path / "mixed" / f"{number}.png")
    (tmp_path / "pictures.txt").write_text("a file")
    monkeypatch.chdir(tmp_path)
    source, *rest = options.split()
    workers = [] if "--scheduler" in rest else ["--workers", "1"]
    assert main(["convert", str(folder) if source == "." else source, *rest, *workers]) == 1
    told = capfd.readouterr()
    assert said in told.err
    assert "Traceback" not in told.err
    assert sorted(os.listdir(tmp_path)) == ["mixed", "pictures", "pictures.txt"]


def test_items_that_cannot_be_read_end_with_3(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(30):
        (folder / f"z{number:02d}.png").write_bytes(b"")
    line = f"convert {folder} --out {tmp_path}/x.zarr --workers 1"
    assert main(line.split()) == 3
    told = capsys.readouterr()
    assert "Pictures that could not be read: 30.\n" in told.out
    assert told.out.count("The file is empty") == 0
    assert told.err.count("The file is empty") == 20
    assert "h5explorer: and 10 more\n" in told.err
    assert main([*line.split(), "--overwrite", "--quiet"]) == 3
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.count("The file is empty") == 20
    assert main([*line.split(), "--overwrite", "--on-error", "skip"]) == 3
    np.testing.assert_array_equal(pixels(tmp_path / "x.zarr"), truth_of_three(folder))
    assert main([*line.split(), "--overwrite", "--on-error", "stop"]) == 1
    np.testing.assert_array_equal(pixels(tmp_path / "x.zarr"), truth_of_three(folder))


def truth_of_three(folder: Path) -> Any:
    return np.stack([np.asarray(pil.open(folder / f"p{n}.png")).transpose(2, 0, 1) for n in range(3)])


def test_the_log(folder: Path, tmp_path: Path) -> None:
    (folder / "bad\x1b.png").write_bytes(b"no picture")
    line = f"convert {folder} --out {tmp_path}/x.zarr --workers 1 --quiet --log {tmp_path}/x.log"
    assert main(line.split()) == 3
    assert main(line.split()) == 1
    text = (tmp_path / "x.log").read_text()
    for said in ("INFO Looking at headers: 4 pictures", "INFO Converting: 4 pictures", "INFO 4 pictures in "):
        assert text.count(said) == 1
    assert re.search(r"WARNING .*bad\\x1b\.png: This is no picture", text)
    assert re.search(r"ERROR .*x\.zarr is there already", text)
    assert all(re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} [A-Z]+ ", each) for each in text.splitlines())


def slow_folder(tmp_path: Path, count: int = 160) -> Path:
    """Pictures that take a while: each is of 4 million pixels."""
    made = tmp_path / "slow"
    made.mkdir()
    data = saved(pil.fromarray(numbers((200, 200), "uint8")).resize((2_000, 2_000)), "PNG")
    for number in range(count):
        (made / f"p{number:03d}.png").write_bytes(data)
    (made / "a_bad.png").write_bytes(b"")
    return made


def read_all(terminal: int, process: subprocess.Popen[bytes], seconds: float = 120) -> str:
    said, deadline = b"", time.monotonic() + seconds
    while time.monotonic() < deadline:
        if select.select([terminal], [], [], 0.2)[0]:
            try:
                some = os.read(terminal, 65_536)
            except OSError:  # the other end is closed
                break
            if not some:
                break
            said += some
        elif process.poll() is not None:
            break
    return said.decode()


def test_a_terminal_is_told_how_far_it_is(tmp_path: Path) -> None:
    made = slow_folder(tmp_path)
    ours, theirs = pty.openpty()
    options = ["--out", str(tmp_path / "x.zarr"), "--resize", "16,16", "--workers", "2", "--shard-size", "8"]
    process = subprocess.Popen([*COMMAND, str(made), *options], stdout=theirs, stderr=theirs, cwd=ROOT)
    os.close(theirs)
    said = read_all(ours, process)
    os.close(ours)
    assert process.wait(60) == 3
    assert re.search(r"\rConverting: \d+ of 161, \d+ a second, \d+ s left, 1 could not be read\x1b\[K", said)
    assert said.index("161 pictures in ") > said.rindex("\r\x1b[K")


def test_ctrl_c_leaves_nothing(tmp_path: Path) -> None:
    made = slow_folder(tmp_path)
    before = sorted(os.listdir(tmp_path))
    options = ["--out", str(tmp_path / "x.zarr"), "--resize", "16,16", "--workers", "2", "--shard-size", "4"]
    process = subprocess.Popen(
        [*COMMAND, str(made), *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT, text=True
    )
    wait_for(lambda: len(list(tmp_path.glob(".x.zarr.*/content/images/c/*/0/0/0"))) > 2, 60)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "interrupted; nothing was written." in err
    assert "Traceback" not in err
    assert out == ""
    assert sorted(os.listdir(tmp_path)) == before


def test_what_is_printed_where(folder: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [*COMMAND, str(folder), "--out", str(tmp_path / "x.zarr"), "--workers", "1"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert lines[0].startswith(f"3 pictures in {tmp_path}/x.zarr (")
    assert lines[-1] == f"What is known of each is in {tmp_path}/x_metadata.parquet."
    shown = subprocess.run(
        [sys.executable, "-m", "h5explorer_py", "inspect", str(tmp_path / "x.zarr"), "--json"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=60,
        check=False,
    )
    assert (shown.returncode, shown.stderr) == (0, "")
    assert json.loads(shown.stdout)["images"] == 3


def test_a_value_that_fits_no_picture_is_no_traceback(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is only found out with the pictures at hand is of the same kind as what the options say."""
    from h5explorer_py.making.zarr import target as zarr_target

    def refuse(*_: Any) -> Any:
        raise ValueError("A chunk has three sizes.")

    monkeypatch.setattr(zarr_target, "layout_of", refuse)
    with pytest.raises(SystemExit) as ended:
        main(["convert", str(folder), "--out", str(tmp_path / "x.zarr"), "--workers", "1"])
    assert ended.value.code == 2
    assert "A chunk has three sizes." in capsys.readouterr().err
    assert os.listdir(tmp_path) == ["pictures"]
