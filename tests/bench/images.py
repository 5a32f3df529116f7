"""Bytes of an image through ``ex.image``, against opening the file with h5py and reading the key.

Prints JSON: milliseconds (medians) and their ratios, and the read calls of the process.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from pathlib import Path

import h5py
import numpy as np
import pyarrow.parquet as pq

from h5explorer_py import Explorer

ROUNDS = 300


def read_calls() -> int:
    """Count the read calls of this process so far, as Linux does; -1 elsewhere."""
    try:
        text = Path("/proc/self/io").read_text()
    except OSError:
        return -1
    return int(text.split("syscr: ")[1].split()[0])


def milliseconds(begun: float) -> float:
    return (time.perf_counter() - begun) * 1_000


def with_h5py(path: str, key: str) -> bytes:
    with h5py.File(path, "r") as file:
        return file["images"][key][()].tobytes()


def shard_of(folder: Path, filepath: str) -> str:
    return str(folder / (filepath if filepath.endswith(".h5") else f"{filepath}_images.h5"))


def measure(lookup: str) -> dict[str, float]:
    rows = pq.read_table(lookup).to_pylist()
    random = np.random.default_rng(1)
    chosen = [rows[number] for number in random.choice(len(rows), ROUNDS, replace=False)]
    explorer = Explorer(lookup)
    for row in {row["filepath"]: row for row in rows}.values():  # every shard is open
        explorer.image(row["uuid"])
    folder = Path(lookup).parent
    plain, first, again, calls = [], [], [], []
    for row in chosen:
        path = shard_of(folder, row["filepath"])
        begun = time.perf_counter()
        expected = with_h5py(path, row["uuid"])
        plain.append(milliseconds(begun))
        begun = time.perf_counter()
        image = explorer.image(row["uuid"])
        first.append(milliseconds(begun))
        assert image.data == expected
        begun = time.perf_counter()
        image = explorer.image(row["uuid"])
        again.append(milliseconds(begun))
        assert image.data == expected
        before = read_calls()
        nothing = read_calls() - before
        before = read_calls()
        explorer.image(row["uuid"])
        calls.append(read_calls() - before - nothing)
    explorer.close()
    figures = {
        "h5py open and read, ms": statistics.median(plain),
        "another image, ms": statistics.median(first),
        "the same image again, ms": statistics.median(again),
        "read calls for the same image again": statistics.median(calls),
    }
    figures["another image / h5py"] = figures["another image, ms"] / figures["h5py open and read, ms"]
    figures["the same image again / h5py"] = figures["the same image again, ms"] / figures["h5py open and read, ms"]
    return figures


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1])))
