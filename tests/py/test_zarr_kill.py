"""A conversion that is killed leaves what was there before, and the next one completes."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
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

from h5explorer_py.making.zarr.journal import NAME
from h5explorer_py.zarr import convert
from h5explorer_py.zarr.describe import described_store
from h5explorer_py.zarr.display import sample_pictures
from tests.py.support import ROOT, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

COUNT = 200
SHARDS = 13
MOMENTS = [int(text) for text in os.environ.get("H5EXPLORER_KILL_MOMENTS", "0 3 9 13").split()]
"""Files of pictures after which a run is killed; 0 is as soon as there is anything."""


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two folders of pictures, and a store of the first."""
    made = tmp_path_factory.mktemp("killed")
    for name, seed in (("first", 1), ("second", 2)):
        (made / name).mkdir()
        random = np.random.default_rng(seed)
        for number in range(COUNT):
            values = random.integers(0, 256, (24, 32, 3), np.uint8)
            picture = pil.fromarray(values).resize((640, 480), pil.Resampling.NEAREST)
            picture.save(made / name / f"{name}{number:03d}.png", compress_level=1)
    convert(made / "store" / "x.zarr", made / "first", **OPTIONS)
    return made


OPTIONS: Any = {"resize": (48, 64), "shard_size": 16, "num_parallel_workers": 2, "progress": False}
JOBS: dict[str, tuple[str, list[str]]] = {
    "convert": ("first", []),
    "overwrite": ("second", ["--overwrite"]),
    "append": ("second", ["--append"]),
}


def command(folders: Path, where: Path, job: str) -> list[str]:
    source, options = JOBS[job]
    line = [sys.executable, "-m", "h5explorer_py", "convert", str(folders / source), "--out", str(where / "x.zarr")]
    return [*line, "--resize", "48,64", "--shard-size", "16", "--workers", "2", "--quiet", *options]


def begin(folders: Path, where: Path, job: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(command(folders, where, job), cwd=ROOT, start_new_session=True)


def state(where: Path) -> tuple[Any, Any, dict[str, str]]:
    """What a store holds: pixels, rows, and the files of both."""
    pixels = np.asarray(zarr.open_group(where / "x.zarr", mode="r")["images"][:])
    rows = pq.read_table(where / "x_metadata.parquet").to_pylist()
    files = {
        str(path.relative_to(where)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(where.rglob("*"))
        if path.is_file() and path.suffix != ".parquet" and path.parent.name != "x.zarr"
    }
    return pixels, rows, files


def names_in(where: Path) -> list[str]:
    return sorted(str(path.relative_to(where)) for path in where.rglob("*"))


@pytest.fixture(scope="module")
def undisturbed(folders: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Any]:
    """Give the state after each job that nobody kills, and its names."""
    known: dict[str, Any] = {}

    def of(job: str) -> Any:
        if job not in known:
            where = prepared(folders, tmp_path_factory.mktemp("whole"), job)
            assert begin(folders, where, job).wait(120) == 0
            known[job] = state(where), names_in(where)
        return known[job]

    return of


def prepared(folders: Path, where: Path, job: str) -> Path:
    where.mkdir(exist_ok=True)
    if job != "convert":
        shutil.copytree(folders / "store", where, dirs_exist_ok=True)
    return where


def written(where: Path, job: str) -> int:
    """How many files of pictures a run has written so far; -1 as long as there is no trace of it."""
    if job == "append":
        made = list((where / "x.zarr" / "images" / "c").glob("*/0/0/0"))
        return len(made) - SHARDS if (where / "x.zarr" / NAME).exists() else -1
    content = list(where.glob(".x.zarr.*.h5explorer"))
    return len(list(content[0].glob("content/images/c/*/0/0/0"))) if content else -1


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("job", list(JOBS))
def test_killed(folders: Path, undisturbed: Callable[[str], Any], tmp_path: Path, job: str, moment: int) -> None:
    whole, whole_names = undisturbed(job)
    where = prepared(folders, tmp_path / "work", job)
    before = None if job == "convert" else state(where)
    process = begin(folders, where, job)
    most = moment - (job == "append")  # the first file of an append was there before
    wait_for(lambda: written(where, job) >= most or process.poll() is not None, 60)
    time.sleep(np.random.default_rng().uniform(0, 0.02))
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    done = process.wait(30) == 0
    if before is None:
        assert not (where / "x.zarr").exists() or is_same(state(where), whole)
        done = (where / "x.zarr").exists()
    elif (where / "x.zarr").exists():
        pixels, rows, _ = state(where)
        done = is_same(state(where), whole)
        if not done:
            np.testing.assert_array_equal(pixels, before[0])
            assert rows[: len(before[1])] == before[1] or "is of another store" in str(
                described_store(str(where / "x.zarr")).notices
            )
    if done and job == "append":
        return
    assert begin(folders, where, job).wait(120) == (1 if done and job == "convert" else 0)
    pixels, rows, files = state(where)
    np.testing.assert_array_equal(pixels, whole[0])
    assert rows == whole[1]
    assert files == whole[2]
    assert names_in(where) == whole_names


def is_same(one: Any, other: Any) -> bool:
    """Compare pixels and rows: what was put aside may still be there."""
    return np.array_equal(one[0], other[0]) and bool(one[1] == other[1])


def test_what_was_killed_while_it_was_replacing_is_put_back(folders: Path, tmp_path: Path) -> None:
    """A store that has been moved aside, as the new one was about to take its place, is back with the next run."""
    where = prepared(folders, tmp_path / "work", "overwrite")
    old = state(where)
    code = (
        "import os, signal, sys\n"
        "from h5explorer_py.cli import main\n"
        "rename = os.rename\n"
        "def killed(source, target):\n"
        "    if str(source).endswith('content') and str(target).endswith('x.zarr'):\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        "    rename(source, target)\n"
        "os.rename = killed\n"
        "main(sys.argv[1:])\n"
    )
    line = command(folders, where, "overwrite")
    assert subprocess.run([sys.executable, "-c", code, *line[3:]], cwd=ROOT, timeout=60, check=False).returncode == -9
    done = subprocess.run(command(folders, where, "convert"), cwd=ROOT, timeout=60, check=False, capture_output=True)
    assert done.returncode == 1
    assert b"is there already" in done.stderr
    np.testing.assert_array_equal(state(where)[0], old[0])


def test_labels_of_another_store_are_not_taken(folders: Path, tmp_path: Path) -> None:
    """Between the moves of the table and of the store itself, the table that is there is not of the store that is."""
    where = prepared(folders, tmp_path / "work", "overwrite")
    code = (
        "import os, signal, sys\n"
        "from h5explorer_py.bulk.aside import Aside\n"
        "from h5explorer_py.cli import main\n"
        "publish = Aside.publish\n"
        "def killed(self):\n"
        "    if self.target.endswith('.zarr'):\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        "    publish(self)\n"
        "Aside.publish = killed\n"
        "main(sys.argv[1:])\n"
    )
    line = command(folders, where, "overwrite")
    assert subprocess.run([sys.executable, "-c", code, *line[3:]], cwd=ROOT, timeout=60, check=False).returncode == -9
    facts = described_store(str(where / "x.zarr"))
    assert facts.rows == 0
    assert any("is of another store" in each for each in facts.notices)
    assert all(name.isdecimal() for name, _ in sample_pictures(str(where / "x.zarr"), 3, seed=1))
    assert begin(folders, where, "overwrite").wait(60) == 0
    assert described_store(str(where / "x.zarr")).rows == COUNT
