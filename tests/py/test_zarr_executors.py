"""The same conversion on one process, several, and a cluster that loses one: the same store, byte for byte."""

from __future__ import annotations

import os
import resource
import signal
import struct
import subprocess
import sys
import textwrap
import threading
import time
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import zarr
from PIL import Image as pil

from h5explorer_py.bulk.workers import Workers
from h5explorer_py.making.convert import convert
from tests.py.kernels import kernel
from tests.py.pictures import numbers, saved
from tests.py.support import ROOT, SHARED, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

COUNT = 90


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("pictures")
    for number in range(COUNT):
        picture = pil.fromarray(numbers((30, 40, 3), "uint8", number))
        if number % 10 == 3:
            (made / f"p{number:03d}.png").write_bytes(saved(picture, "PNG")[:200])
        else:
            picture.resize((600, 450)).save(made / f"p{number:03d}.jpg")
    return made


def made(folder: Path, where: Path, **running: Any) -> dict[str, bytes]:
    """Convert, and give the files of the store and its rows."""
    report = convert(folder, where / "x.zarr", resize=(32, 48), shard_size=7, progress=False, **running)
    assert (report.images, report.failed) == (COUNT, 9)
    found = {str(path.relative_to(where)): path.read_bytes() for path in where.rglob("*") if path.is_file()}
    found.pop("x_metadata.parquet")
    found.pop("x.zarr/zarr.json")  # which names the place and has a mark of its own
    return {**found, "rows": repr(pq.read_table(where / "x_metadata.parquet").to_pylist()).encode()}


@pytest.fixture(scope="module")
def alone(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    return made(folder, tmp_path_factory.mktemp("alone"), workers=1)


def test_several_processes(folder: Path, tmp_path: Path, alone: dict[str, bytes]) -> None:
    assert made(folder, tmp_path, workers=3) == alone
    assert len([name for name in alone if "/c/" in name]) == -(-COUNT // 7)


def test_a_cluster_that_loses_one(folder: Path, tmp_path: Path, alone: dict[str, bytes]) -> None:
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=3, threads_per_worker=1, processes=True, dashboard_address=None, silence_logs=50
    ) as cluster:
        victim = cluster.workers[0].process.pid
        killed = threading.Event()

        def kill() -> None:
            wait_for(lambda: list(tmp_path.glob(".x.zarr.*/content/images/c/*/0/0/0")), 60)
            os.kill(victim, signal.SIGKILL)
            killed.set()

        thread = threading.Thread(target=kill)
        thread.start()
        found = made(folder, tmp_path, scheduler=cluster)
        thread.join()
    assert killed.is_set()
    assert found == alone


def test_what_a_lost_process_left_is_not_in_the_store(folder: Path, tmp_path: Path, alone: dict[str, bytes]) -> None:
    """A worker that is killed in the middle of a file leaves a part of it, which is not to stay."""
    stop = threading.Event()

    def kill() -> None:
        while not stop.is_set():
            for path in tmp_path.glob(".x.zarr.*/content/images/c/*/0/0/*.partial"):
                for worker in children():
                    if any(os.readlink(each) == str(path) for each in links(worker)):
                        os.kill(worker, signal.SIGKILL)
                        stop.set()
                        return
            time.sleep(0.001)

    thread = threading.Thread(target=kill)
    thread.start()
    try:
        found = made(folder, tmp_path, workers=2)
    finally:
        was_killed = stop.is_set()
        stop.set()
        thread.join()
    assert was_killed
    assert found == alone


def children() -> list[int]:
    paths = Path(f"/proc/{os.getpid()}/task").glob("*/children")
    return [int(pid) for path in paths for pid in path.read_text().split()]


def links(pid: int) -> Iterator[str]:
    try:
        names = os.listdir(f"/proc/{pid}/fd")
    except OSError:
        return
    for name in names:
        path = f"/proc/{pid}/fd/{name}"
        if os.path.islink(path):
            yield path


def test_memory_that_runs_out_is_one_pictures_error(tmp_path: Path) -> None:
    (tmp_path / "pictures").mkdir()
    for name, side in (("a", 50), ("b", 9_000), ("c", 50)):
        pil.new("RGB", (side, side), (5, 6, 7)).save(tmp_path / "pictures" / f"{name}.png", compress_level=1)
    with Workers(1, memory=350 << 20) as workers:
        report = convert(tmp_path / "pictures", tmp_path / "x.zarr", resize=(8, 8), scheduler=workers, progress=False)
    assert report.failed == 1
    assert report.failures[0].name == "b.png"
    assert "memory" in report.failures[0].reason
    found = np.asarray(zarr.open_group(tmp_path / "x.zarr")["images"][:, :, 0, 0])
    assert found.tolist() == [[5, 6, 7], [0, 0, 0], [5, 6, 7]]


def bomb(side: int) -> bytes:
    """A PNG of so many pixels squared, a million times as large decoded; made in little memory."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    packed = zlib.compressobj(9)
    data = b"".join(packed.compress(bytes(side + 1)) for _ in range(side)) + packed.flush()
    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def test_a_bomb_is_refused_with_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "pictures").mkdir()
    pil.new("L", (20, 20)).save(tmp_path / "pictures" / "a.png")
    (tmp_path / "pictures" / "bomb.png").write_bytes(bomb(30_000))
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    report = convert(tmp_path / "pictures", tmp_path / "x.zarr", resize=(8, 8), workers=1, progress=False)
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss <= max(before, 300_000)
    assert report.failed == 1
    assert report.failures[0].reason == "The picture has 30,000 × 30,000 pixels, more than is decoded."


HOSTILE = SHARED / "corpora" / "images"


@pytest.mark.skipif(not HOSTILE.is_dir(), reason="the hostile files are not beside the checkout")
def test_hostile_files_end_no_conversion(tmp_path: Path) -> None:
    report = convert(HOSTILE, tmp_path / "x.zarr", resize=(16, 16), workers=2, progress=False)
    assert report.images + len(report.left_out) == len(os.listdir(HOSTILE))
    errors = pq.read_table(tmp_path / "x_metadata.parquet")["error"].to_pylist()
    assert sum(map(bool, errors)) == report.failed
    assert all(each.reason.endswith(".") for each in report.failures)


SCRIPT = """
import sys
from h5explorer_py.making.convert import convert
report = convert(sys.argv[1], sys.argv[2], resize=(32, 48), workers=2, progress=False)
print(report.images, report.failed, flush=True)
"""


def test_a_script_without_a_guard(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(SCRIPT)
    done = subprocess.run(
        [sys.executable, "script.py", str(folder), "x.zarr"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.stdout == f"{COUNT} 9\n", done.stderr
    assert zarr.open_group(tmp_path / "x.zarr")["images"].shape == (COUNT, 3, 32, 48)


def test_a_cell_of_a_notebook(folder: Path, tmp_path: Path) -> None:
    opened = kernel()
    try:
        cell = opened.start(
            textwrap.dedent(f"""
            from h5explorer_py.making import watching
            watching._CELL_SECONDS = 0.0
            from h5explorer_py.zarr import convert, display_sample_images, inspect
            where = convert({str(tmp_path / "out")!r}, {str(folder)!r}, resize=(32, 48), num_parallel_workers=2,
                            shard_size=7)
            inspect(where)
            display_sample_images(where, num_samples=2)
            """)
        )
        wait_for(lambda: opened.ended(cell), 120)
        assert not opened.messages("error", cell)
        shown = [each["content"]["data"] for each in opened.messages("display_data", cell)]
        assert any("text/plain" in each and "headers" in each["text/plain"] for each in shown)
        assert any("image/png" in each for each in shown)
        updates = [each["content"]["data"]["text/plain"] for each in opened.messages("update_display_data", cell)]
        assert updates[-1].startswith(f"Converting: {COUNT} of {COUNT}")
        assert "9 could not be read" in updates[-1]
        assert f"Total images across all files: {COUNT}\n" in opened.printed(cell)
    finally:
        opened.close()
    assert zarr.open_group(tmp_path / "out" / "images.zarr")["images"].shape == (COUNT, 3, 32, 48)
