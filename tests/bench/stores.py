"""Photographs to a Zarr store, beside the method of images_to_zarr and beside Pillow's decoding and resizing alone.

``python -m tests.bench.stores FOLDER [COUNT [TURNS]]`` prints JSON: medians of several turns in alternating order, and
of the ratios within a turn.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import sys
from pathlib import Path

from tests.bench.photographs import COUNT, make_photographs
from tests.bench.trees import Taken, take

TURNS = 3
WORKERS = 2

OURS = """
import sys
from h5explorer_py.cli import main
folder, out, side, workers = sys.argv[1:]
sys.exit(main(["convert", folder, "--out", out, "--resize", f"{side},{side}", "--workers", workers, "--quiet"]))
"""

THEIRS = """
import os, sys
from concurrent.futures import ThreadPoolExecutor
import numpy as np
import zarr
from PIL import Image
from skimage.transform import resize
folder, out, side, workers = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
paths = sorted(os.path.join(folder, name) for name in os.listdir(folder))
group = zarr.open_group(os.path.join(out, "images.zarr"), mode="w")
lz4 = zarr.codecs.BloscCodec(cname="lz4", clevel=1)
shape, chunks = (len(paths), 3, side, side), (1, 3, min(side, 256), min(side, 256))
array = group.create_array("images", shape=shape, chunks=chunks, dtype="uint8", compressors=lz4)
size = max(50, min(500, len(paths) // workers))
def convert(start):
    batch = np.zeros((len(paths[start:start + size]), *shape[1:]), np.uint8)
    for at, path in enumerate(paths[start:start + size]):
        with Image.open(path) as opened:
            values = np.asarray(opened.convert("RGB"))
        small = resize(values, (side, side, 3), order=1, preserve_range=True).astype(np.uint8)
        batch[at] = small.transpose(2, 0, 1)
    array[start:start + len(batch)] = batch
with ThreadPoolExecutor(workers) as threads:
    list(threads.map(convert, range(0, len(paths), size)))
"""

PILLOW = """
import multiprocessing, os, sys
import numpy as np
from PIL import Image
side = int(sys.argv[3])
def one(path):
    with Image.open(path) as opened:
        return int(np.asarray(opened.convert("RGB").resize((side, side), Image.Resampling.BILINEAR))[0, 0, 0])
folder = sys.argv[1]
paths = sorted(os.path.join(folder, name) for name in os.listdir(folder))
with multiprocessing.get_context("fork").Pool(int(sys.argv[4])) as pool:
    sum(pool.imap_unordered(one, paths, 32))
"""

WAYS = {"ours": OURS, "images_to_zarr's method": THEIRS, "Pillow alone": PILLOW}


def run(code: str, photographs: str, out: Path, side: int) -> tuple[Taken, int]:
    """Run a way once; return what it took, and how many files it wrote."""
    shutil.rmtree(out, ignore_errors=True)
    taken = take([sys.executable, "-c", code, photographs, str(out), str(side), str(WORKERS)])
    return taken, sum(len(names) for _, _, names in os.walk(out))


def measure(folder: Path, count: int, turns: int) -> dict[str, float]:
    """Measure all ways; the first turn does not count."""
    photographs = make_photographs(folder, count)
    figures: dict[str, float] = {}
    for side in (256, 512):
        found: dict[str, list[tuple[Taken, int]]] = {name: [] for name in WAYS}
        for turn in range(turns + 1):
            for name in list(WAYS)[:: 1 if turn % 2 else -1]:
                found[name].append(run(WAYS[name], photographs, folder / "out", side))
                print(side, name, *(f"{value:.1f}" for value in found[name][-1][0]), file=sys.stderr)
        seconds = {name: [taken.seconds for taken, _ in runs[1:]] for name, runs in found.items()}
        for name, runs in found.items():
            figures[f"{side}: {name}, images a second"] = count / statistics.median(seconds[name])
            figures[f"{side}: {name}, MB (shared pages once)"] = max(taken.pss for taken, _ in runs)
            figures[f"{side}: {name}, MB (sum of all)"] = max(taken.rss for taken, _ in runs)
            figures[f"{side}: {name}, files"] = runs[-1][1]
        for name in list(WAYS)[1:]:
            ratios = [ours / theirs for ours, theirs in zip(seconds["ours"], seconds[name], strict=True)]
            figures[f"{side}: time of ours / {name}"] = statistics.median(ratios)
        theirs = figures[f"{side}: images_to_zarr's method, MB (shared pages once)"]
        figures[f"{side}: memory of ours / images_to_zarr's method"] = (
            figures[f"{side}: ours, MB (shared pages once)"] / theirs
        )
    shutil.rmtree(folder / "out", ignore_errors=True)
    return figures


def main() -> None:
    count, turns = (int(given) for given in (*sys.argv[2:], *(COUNT, TURNS)[len(sys.argv) - 2 :]))
    print(json.dumps(measure(Path(sys.argv[1]), count, turns), indent=2))


if __name__ == "__main__":
    main()
