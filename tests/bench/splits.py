"""Split data sets, against the package that they come from: 1 GB of uint16, (200, 25, 320, 320).

Prints JSON: milliseconds (medians of alternating rounds), and ours by the original's. ``SPLIT_DATASET_PYTHON`` names a
Python that has the original package (``split_dataset==0.4.4``, NumPy below 2). Without it, its way is followed with
h5py: a file a block, Blosc at level 9, and every access opens the files that it touches.

Run as ``python -m tests.bench.splits [FOLDER]``.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import h5py
import hdf5plugin
import numpy as np

from h5explorer_py.split import SplitDataset, save_to_split_dataset

SHAPE, BLOCK = (200, 25, 320, 320), 20
ROUNDS = {"a plane": 80, "20 time points": 5, "a voxel through time": 7}

ORIGINAL = """
import json, sys, time
import numpy as np
from split_dataset import SplitDataset, save_to_split_dataset
for line in sys.stdin:
    name, folder, what = json.loads(line)
    begun = time.perf_counter()
    if name == "write":
        data = np.load(what)
        begun = time.perf_counter()
        save_to_split_dataset(data, folder, block_size=(20, 25, 320, 320))
    else:
        stack = SplitDataset(folder)
        begun = time.perf_counter()
        stack[tuple(slice(*each) for each in what)]
    print(time.perf_counter() - begun, flush=True)
"""


class Original:
    """The original package, in a Python of its own."""

    def __init__(self, program: str) -> None:
        self.process = subprocess.Popen([program, "-c", ORIGINAL], stdin=-1, stdout=-1, text=True)

    def _ask(self, *what) -> float:
        self.process.stdin.write(json.dumps(what) + "\n")
        self.process.stdin.flush()
        return float(self.process.stdout.readline())

    def write(self, folder, path, data) -> float:
        return self._ask("write", str(folder), str(path))

    def read(self, folder, where) -> float:
        return self._ask("read", str(folder), where)

    def close(self) -> None:
        self.process.stdin.close()
        self.process.wait()


class Rewritten:
    """What its documentation says that it does, by h5py."""

    def write(self, folder, path, data) -> float:
        begun = time.perf_counter()
        folder.mkdir(parents=True)
        packed = hdf5plugin.Blosc(cname="blosclz", clevel=9, shuffle=1)
        for number, start in enumerate(range(0, len(data), BLOCK)):
            with h5py.File(folder / f"{number:04d}.h5", "w") as file:
                some = data[start : start + BLOCK]
                file.create_dataset("stack_4D", data=some, chunks=(1, 1, 204, 320), compression=packed)
        fields = {"shape_full": data.shape, "shape_block": (BLOCK, *data.shape[1:])}
        (folder / "stack_metadata.json").write_text(json.dumps(fields))
        return time.perf_counter() - begun

    def read(self, folder, where) -> float:
        begun = time.perf_counter()
        cut = tuple(slice(*each) for each in where)
        out = np.empty([each.stop - each.start for each in cut], "u2")
        for number in range(cut[0].start // BLOCK, -(-cut[0].stop // BLOCK)):
            first, last = max(cut[0].start, number * BLOCK), min(cut[0].stop, (number + 1) * BLOCK)
            with h5py.File(folder / f"{number:04d}.h5") as file:
                inside = slice(first - number * BLOCK, last - number * BLOCK)
                out[first - cut[0].start : last - cut[0].start] = file["stack_4D"][(inside, *cut[1:])]
        return time.perf_counter() - begun

    def close(self) -> None: ...


def make() -> np.ndarray:
    """Return a volume with a bright middle and the noise of photons."""
    random = np.random.default_rng(0)
    middle = np.hypot(*np.mgrid[-160:160, -160:160]).astype("u2") * 2
    base = random.integers(0, 60, SHAPE[1:]).astype("u2") * 3 + middle
    data = np.empty(SHAPE, "u2")
    for number in range(SHAPE[0]):
        data[number] = base + random.poisson(40, SHAPE[1:]).astype("u2")
    return data


def places(name: str, turn: int) -> list[tuple[int, int]]:
    """Return where to read, another place each time."""
    t, z, y, x = 13 * turn % 200, turn % 25, 100 + turn, 200 - turn
    if name == "a plane":
        return [(t, t + 1), (z, z + 1), (0, 320), (0, 320)]
    if name == "20 time points":
        return [(t % 180, t % 180 + 20), (0, 25), (0, 320), (0, 320)]
    return [(0, 200), (z, z + 1), (y, y + 1), (x, x + 1)]


def ours(stack: SplitDataset, where: list[tuple[int, int]]) -> float:
    begun = time.perf_counter()
    stack[tuple(slice(*each) for each in where)]
    return time.perf_counter() - begun


def measure(folder: Path) -> dict[str, float]:
    program = os.environ.get("SPLIT_DATASET_PYTHON")
    original = Original(program) if program else Rewritten()
    data = make()
    np.save(folder / "data.npy", data)
    written: dict[str, list[float]] = {"original": [], "ours": []}
    for _ in range(2):
        for name in ("original", "ours"):
            shutil.rmtree(folder / name, ignore_errors=True)
            os.sync()
            if name == "original":
                written[name].append(original.write(folder / name, folder / "data.npy", data))
            else:
                begun = time.perf_counter()
                save_to_split_dataset(data, folder / name)
                written[name].append(time.perf_counter() - begun)
    stacks = {name: SplitDataset(folder / name) for name in ("original", "ours")}
    for turn in (0, 57, 199):
        assert all(np.array_equal(stack[turn, 3], data[turn, 3]) for stack in stacks.values())
    figures = {f"written by {name}, MB/s": data.nbytes / 1e6 / min(took) for name, took in written.items()}
    figures["writing / original"] = min(written["ours"]) / min(written["original"])
    for what, rounds in ROUNDS.items():
        taken: dict[str, list[float]] = {"original": [], "its files": [], "default blocks": []}
        for turn in range(rounds):
            where = places(what, turn)
            taken["original"].append(original.read(folder / "original", where))
            taken["its files"].append(ours(stacks["original"], where))
            taken["default blocks"].append(ours(stacks["ours"], where))
        middle = {name: 1_000 * statistics.median(times) for name, times in taken.items()}
        for name, milliseconds in middle.items():
            figures[f"{what}, {name}, ms"] = milliseconds
        for name in ("its files", "default blocks"):
            figures[f"{what}, {name} / original"] = middle[name] / middle["original"]
    original.close()
    return figures


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(measure(Path(sys.argv[1])), indent=1))
    else:
        with tempfile.TemporaryDirectory() as made:
            print(json.dumps(measure(Path(made)), indent=1))
