"""Data for the benchmarks: one shard of 100,000 images with 15 metadata columns, and its lookup."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from uuid import UUID

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

IMAGES = 100_000
COLUMNS = 15
DIFFERENT = 50


def photographs() -> list[bytes]:
    """Encode pictures of 200 × 150 pixels, about 10 kB each."""
    random = np.random.default_rng(7)
    encoded = []
    for _ in range(DIFFERENT):
        coarse = Image.fromarray(random.integers(0, 256, (12, 16, 3), dtype=np.uint8))
        pixels = np.asarray(coarse.resize((200, 150), Image.Resampling.BICUBIC)).astype(np.int16)
        noisy = np.clip(pixels + random.normal(0, 6, pixels.shape), 0, 255).astype(np.uint8)
        file = io.BytesIO()
        Image.fromarray(noisy).save(file, "JPEG", quality=85)
        encoded.append(file.getvalue())
    return encoded


def make_large_shard(folder: Path) -> None:
    """Write the shard, its metadata and its lookup."""
    random = np.random.default_rng(8)
    keys = [str(UUID(bytes=random.bytes(16), version=4)) for _ in range(IMAGES)]
    pictures = [np.frombuffer(each, np.uint8) for each in photographs()]
    folder.mkdir(parents=True, exist_ok=True)
    with h5py.File(folder / "large_images.h5", "w") as file:
        group = file.create_group("images")
        for number, key in enumerate(keys):
            group.create_dataset(key, data=pictures[number % DIFFERENT])
    names = np.array(["Corvus corax", "Pica pica", "Garrulus glandarius", "Sitta europaea"])
    columns: dict[str, object] = {"uuid": keys}
    for number in range((COLUMNS - 1) // 2):
        columns[f"name_{number}"] = names[random.integers(0, len(names), IMAGES)]
        columns[f"value_{number}"] = random.normal(size=IMAGES)
    pq.write_table(pa.table(columns), folder / "large_metadata.parquet")
    path = str(folder.resolve() / "large_images.h5")
    pq.write_table(pa.table({"uuid": keys, "filepath": [path] * IMAGES}), folder / "lookup.parquet")


if __name__ == "__main__":
    make_large_shard(Path(sys.argv[1]))
