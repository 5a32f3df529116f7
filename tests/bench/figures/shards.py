"""The shards that figures are taken of: metadata of 10 million records, and images of 40 files."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tests.bench.figures.lookups import random_uuids, uuid_texts
from tests.fixtures.pictures import encoded

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

FILES = 100
RECORDS_A_FILE = 100_000
SPECIES = 60_000
_ZIPF = 1.1

SMALL_FILES = 12
SMALL_RECORDS = 10_000

IMAGE_FILES = 40
IMAGES_A_FILE = 400
DIFFERENT_IMAGES = 20


def _made_once(folder: Path, make: Callable[[Path], None]) -> str:
    """Return the path of ``lookup.parquet`` in a folder, which is written last."""
    path = folder / "lookup.parquet"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        make(folder)
    return str(path)


def _write_lookup(folder: Path, uuids: NDArray[np.uint8], codes: NDArray[np.int32], names: list[str]) -> None:
    shards = pa.DictionaryArray.from_arrays(pa.array(codes), pa.array(names))
    table = pa.table({"uuid": uuid_texts(uuids), "filepath": shards})
    aside = folder / "lookup.parquet.part"
    pq.write_table(table, aside, store_schema=False, use_dictionary=["filepath"])
    os.replace(aside, folder / "lookup.parquet")


def _species_names() -> pa.StringArray:
    random = np.random.default_rng(41)
    parts = ["co", "ra", "vi", "lus", "tri", "na", "pe", "mo", "sca", "ber", "ti", "ga", "lo", "phy", "ce", "ro"]
    chosen = random.integers(0, len(parts), (SPECIES, 6)).tolist()
    halves = [["".join(parts[at] for at in half) for half in (row[:3], row[3:])] for row in chosen]
    names = [f"{genus.capitalize()} {kind}" for genus, kind in halves]
    return pa.array([f"{name} {number}" for number, name in enumerate(names)])


def _frequencies() -> NDArray[np.float64]:
    """Return how often a species comes at most as far down the list as each: few come often, most of them rarely."""
    shares = 1 / np.arange(1, SPECIES + 1) ** _ZIPF
    summed: NDArray[np.float64] = np.cumsum(shares) / shares.sum()
    return summed


def make_records(folder: Path) -> str:
    """Return the lookup of 10 million images in 100 shards, in no order; only their metadata is there."""
    return _made_once(folder, _write_records)


def _write_records(folder: Path) -> None:
    names, frequencies = _species_names(), _frequencies()
    uuids = []
    for number in range(FILES):
        random = np.random.default_rng([42, number])
        uuids.append(random_uuids(random, RECORDS_A_FILE))
        species = np.searchsorted(frequencies, random.random(RECORDS_A_FILE)).astype(np.int32)
        table = pa.table(
            {
                "uuid": uuid_texts(uuids[-1]),
                "species": pa.DictionaryArray.from_arrays(pa.array(np.minimum(species, SPECIES - 1)), names),
                "latitude": random.uniform(-90, 90, RECORDS_A_FILE),
            }
        )
        pq.write_table(table, folder / f"shard_{number:03d}_metadata.parquet", store_schema=False)
    order = np.random.default_rng(43).permutation(FILES * RECORDS_A_FILE)
    codes = (order // RECORDS_A_FILE).astype(np.int32)
    _write_lookup(folder, np.concatenate(uuids)[order], codes, [f"shard_{number:03d}" for number in range(FILES)])


def make_small_records(folder: Path) -> str:
    """Return the lookup of shards with 10,000 records of 15 columns; only their metadata is there."""
    return _made_once(folder, _write_small_records)


def _write_small_records(folder: Path) -> None:
    names = _species_names()
    uuids = []
    for number in range(SMALL_FILES):
        random = np.random.default_rng([44, number])
        uuids.append(random_uuids(random, SMALL_RECORDS))
        columns: dict[str, object] = {"uuid": uuid_texts(uuids[-1])}
        for at in range(7):
            columns[f"name_{at}"] = names.take(pa.array(random.integers(0, SPECIES, SMALL_RECORDS)))
            columns[f"value_{at}"] = random.normal(size=SMALL_RECORDS)
        pq.write_table(pa.table(columns), folder / f"shard_{number:03d}_metadata.parquet")
    codes = np.repeat(np.arange(SMALL_FILES, dtype=np.int32), SMALL_RECORDS)
    _write_lookup(folder, np.concatenate(uuids), codes, [f"shard_{number:03d}" for number in range(SMALL_FILES)])


def make_images(folder: Path) -> str:
    """Return the lookup of 40 shards of 400 images, one of every shard in turn."""
    return _made_once(folder, _write_images)


def _write_images(folder: Path) -> None:
    pictures = [np.frombuffer(encoded(number, "JPEG"), np.uint8) for number in range(DIFFERENT_IMAGES)]
    uuids = []
    for number in range(IMAGE_FILES):
        uuids.append(random_uuids(np.random.default_rng([45, number]), IMAGES_A_FILE))
        with h5py.File(folder / f"shard_{number:03d}_images.h5", "w") as file:
            group = file.create_group("images")
            for at, key in enumerate(uuid_texts(uuids[-1]).to_pylist()):
                group.create_dataset(key, data=pictures[(number + at) % DIFFERENT_IMAGES])
    # One of every file in turn: 50 neighbours are in 40 files.
    order = np.arange(IMAGE_FILES * IMAGES_A_FILE).reshape(IMAGE_FILES, IMAGES_A_FILE).T.ravel()
    codes = (order // IMAGES_A_FILE).astype(np.int32)
    _write_lookup(folder, np.concatenate(uuids)[order], codes, [f"shard_{number:03d}" for number in range(IMAGE_FILES)])
