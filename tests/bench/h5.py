"""Photographs to one HDF5 file, and two such files to one, beside the ways of h5manager and of copying the bytes.

Prints JSON: ratios of medians of several turns that alternate, and the most memory of all processes.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from pathlib import Path

import h5py
import numpy as np
from PIL import Image as pil

from tests.bench.processes import Run, run
from tests.bench.thumbnails import mixed_set

PHOTOGRAPHS = 2_000
TURNS = 3
READS = 40
SIDE = 256
GIGABYTE = 10**9

OURS = f"""
import sys
from h5explorer_py.bulk.workers import Workers
from h5explorer_py.making.job import Context, JobOptions
from h5explorer_py.making.h5.write import H5Options, write_h5
with Workers(2) as workers:
    job = JobOptions(size=({SIDE}, {SIDE}))
    write_h5([sys.argv[1]], sys.argv[2], job, H5Options(overwrite=True), Context(workers))
"""

THEIRS = f"""
import os, sys
import h5py
import numpy as np
from PIL import Image
folder = sys.argv[1]
pictures = []
for name in sorted(os.listdir(folder)):
    with Image.open(os.path.join(folder, name)) as opened:
        small = opened.convert("RGB").resize(({SIDE}, {SIDE}), Image.Resampling.BILINEAR)
    pictures.append(np.asarray(small, np.int16))
with h5py.File(sys.argv[2], "w") as file:
    file.create_dataset("images", data=np.array(pictures, np.int16), compression="gzip", compression_opts=4)
"""

MERGE = """
import sys
from h5explorer_py.making.merging.merge import merge
merge(sys.argv[1:-1], sys.argv[-1], overwrite=True)
"""

COPY = """
import os, shutil, sys
with open(sys.argv[-1], "wb") as target:
    for path in sys.argv[1:-1]:
        with open(path, "rb") as source:
            shutil.copyfileobj(source, target, 1 << 20)
    target.flush()
    os.fsync(target.fileno())
"""


def make_photographs(folder: Path) -> Path:
    """Write photographs, of each of 200 ten crops that differ in their bytes."""
    done = folder / "photographs"
    if done.is_dir():
        return done
    made = folder / "making"
    made.mkdir(parents=True, exist_ok=True)
    pictures = mixed_set()
    for number in range(PHOTOGRAPHS):
        data = pictures[number % len(pictures)]
        suffix = "png" if data.startswith(b"\x89PNG") else "webp" if data.startswith(b"RIFF") else "jpg"
        (made / f"{number:05d}.{suffix}").write_bytes(data)
    made.rename(done)
    return done


def make_gigabyte(source: Path, path: Path) -> Path:
    """Write a file of a gigabyte with the packed pictures of another, again and again."""
    if path.exists():
        return path
    with h5py.File(source) as file:
        array = file["images"]
        chunks = [array.id.read_direct_chunk((place, 0, 0, 0))[1] for place in range(array.shape[0])]
    count = int(GIGABYTE / (sum(map(len, chunks)) / len(chunks)))
    with h5py.File(f"{path}.new", "w") as file:
        shape = (1, SIDE, SIDE, 3)
        made = file.create_dataset("images", (count, *shape[1:]), "u1", chunks=shape, compression="gzip")
        for place in range(count):
            made.id.write_direct_chunk((place, 0, 0, 0), chunks[place % len(chunks)])
    os.rename(f"{path}.new", path)
    return path


def read_seconds(path: Path, places: np.ndarray) -> float:
    """Take the time of opening a file and reading one picture."""
    seconds = []
    for place in places.tolist():
        begun = time.perf_counter()
        with h5py.File(path) as file:
            file["images"][place]
        seconds.append(time.perf_counter() - begun)
    return statistics.median(seconds)


def check(ours: Path, theirs: Path, folder: Path) -> None:
    """Raise where the files do not hold what Pillow makes of the photographs."""
    with h5py.File(ours) as one, h5py.File(theirs) as other:
        for place, path in enumerate(sorted(folder.iterdir())[:20]):
            with pil.open(path) as opened:
                truth = np.asarray(opened.convert("RGB").resize((SIDE, SIDE), pil.Resampling.BILINEAR))
            if not (one["images"][place] == truth).all() or not (other["images"][place] == truth).all():
                raise AssertionError(f"{path} is another picture")


def alternate(ours: tuple[object, ...], theirs: tuple[object, ...]) -> tuple[Run, Run]:
    """Run two ways in turns; return the medians."""
    runs = [(run(*ours), run(*theirs)) for _ in range(TURNS)]  # type: ignore[arg-type]
    medians = [Run(*(statistics.median(pair[way][part] for pair in runs) for part in range(2))) for way in range(2)]
    return medians[0], medians[1]


def measure(folder: Path) -> dict[str, float]:
    photographs = make_photographs(folder)
    ours, theirs = folder / "ours.h5", folder / "theirs.h5"
    mine, other = alternate((OURS, photographs, ours), (THEIRS, photographs, theirs))
    check(ours, theirs, photographs)
    places = np.random.default_rng(1).integers(0, PHOTOGRAPHS, READS)
    figures = {
        "photographs, images a second": PHOTOGRAPHS / mine.seconds,
        "photographs / h5manager's method, seconds": mine.seconds / other.seconds,
        "photographs, MB": mine.megabytes,
        "photographs / h5manager's method, MB": mine.megabytes / other.megabytes,
        "one image / h5manager's layout": read_seconds(ours, places) / read_seconds(theirs, places),
    }
    inputs = [make_gigabyte(ours, folder / f"gigabyte{number}.h5") for number in range(2)]
    merged, copied = alternate((MERGE, *inputs, folder / "merged.h5"), (COPY, *inputs, folder / "copied"))
    figures["merge of 2 GB, seconds"] = merged.seconds
    figures["merge of 2 GB / copying the bytes"] = merged.seconds / copied.seconds
    figures["merge of 2 GB, MB"] = merged.megabytes
    for name in ("merged.h5", "copied"):
        (folder / name).unlink()
    return figures


if __name__ == "__main__":
    print(json.dumps(measure(Path(sys.argv[1]))))
