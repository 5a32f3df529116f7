"""Writing 20,000 photographs as shards by two workers, against copying their folder to the same disk by ``cp -r``.

Prints JSON: seconds of several turns, of which the least counts, of wall clock and of processors; and their ratios.
Workers are started before, and have imported what they need.
"""

from __future__ import annotations

import io
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import wait
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image as pil
from skimage import data as photographs

from h5explorer_py.bulk.workers import Workers
from h5explorer_py.making.job import Context, JobOptions
from h5explorer_py.making.shards.write import ShardsOptions, write_shards

if TYPE_CHECKING:
    from collections.abc import Callable

PICTURES = 20_000
WORKERS = 2
TURNS = 5
_DIFFERENT = 200
_NAMES = ("astronaut", "chelsea", "coffee", "rocket", "retina")


def write_photographs(folder: Path, count: int) -> int:
    """Write crops of photographs of about 44 kB, each with a number of its own in a comment; return their bytes."""
    random = np.random.default_rng(7)
    whole = [pil.fromarray(getattr(photographs, name)()).convert("RGB") for name in _NAMES]
    encoded = []
    for number in range(_DIFFERENT):
        picture = whole[number % len(whole)]
        width, height = (int(side * random.uniform(0.6, 1)) for side in picture.size)
        left, top = random.integers(0, picture.width - width + 1), random.integers(0, picture.height - height + 1)
        scale = 500 / max(width, height)
        crop = picture.crop((left, top, left + width, top + height)).resize((int(width * scale), int(height * scale)))
        file = io.BytesIO()
        crop.save(file, "JPEG", quality=92)
        encoded.append(file.getvalue())
    folder.mkdir()
    total = 0
    for number in range(count):
        data = encoded[number % _DIFFERENT]
        total += (folder / f"photograph_{number:06d}.jpg").write_bytes(
            data[:2] + b"\xff\xfe\0\x0c" + b"%010d" % number + data[2:]
        )
    return total


def _processors() -> float:
    """Return the seconds of processors that this process and those that have ended below it took."""
    took = (resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN))
    return sum(each.ru_utime + each.ru_stime for each in took)


def _below() -> float:
    """Return the seconds of processors that the processes below this one took that run still."""
    ticks = 0
    for child in Path(f"/proc/{os.getpid()}/task").glob("*/children"):
        for pid in child.read_text().split():
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def _timed(work: Callable[[], object]) -> tuple[float, float]:
    begun, spent = time.perf_counter(), _processors() + _below()
    work()
    return time.perf_counter() - begun, _processors() + _below() - spent


def measure(folder: Path) -> dict[str, float]:
    source = folder / "photographs"
    total = write_photographs(source, PICTURES)
    copied: list[tuple[float, float]] = []
    made: list[tuple[float, float]] = []
    with Workers(WORKERS) as workers:

        def convert(output: Path) -> None:
            report = write_shards([source], output, JobOptions(), ShardsOptions(), Context(workers))
            assert (report.images, report.failed, report.bytes_written) == (PICTURES, 0, total)

        small = folder / "small"
        small.mkdir()
        for path in sorted(source.iterdir())[:WORKERS]:
            shutil.copy(path, small)
        few = [
            workers.submit(__import__, name)
            for name in ("h5explorer_py.making.shards.task", "pyarrow.parquet")
            for _ in range(WORKERS)
        ]
        wait(few)
        options = ShardsOptions(images_per_shard=1)
        write_shards([small], folder / "first", JobOptions(), options, Context(workers))
        for turn in range(TURNS):
            copied.append(_timed(lambda: subprocess.run(["cp", "-r", source, folder / "copy"], check=True)))
            made.append(_timed(lambda turn=turn: convert(folder / f"shards {turn}")))
            shutil.rmtree(folder / "copy")
            shutil.rmtree(folder / f"shards {turn}")
            os.sync()
    (copy, copy_spent), (ours, spent) = (tuple(map(min, zip(*each, strict=True))) for each in (copied, made))
    return {
        "kilobytes a picture": total / PICTURES / 1e3,
        "cp -r, s": copy,
        "shards, s": ours,
        "cp -r, s of processors": copy_spent,
        "shards, s of processors": spent,
        "pictures a second": PICTURES / ours,
        "shards / cp -r": ours / copy,
        "shards / cp -r, processors": spent / copy_spent,
    }


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(dir=sys.argv[1] if len(sys.argv) > 1 else None) as folder:
        print(json.dumps(measure(Path(folder))))
