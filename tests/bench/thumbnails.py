"""Thumbnails of 200 pictures as the page asks for them, against decoding each whole with Pillow on one thread.

Prints JSON: milliseconds for each picture (medians of several turns) and their ratios.
"""

from __future__ import annotations

import io
import json
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image as pil
from skimage import data as photographs

from h5explorer_py import thumbnails as made
from h5explorer_py.dispatch import Dispatcher
from h5explorer_py.handlers import handlers
from h5explorer_py.images.thumbnail import thumbnail
from h5explorer_py.options import Options
from h5explorer_py.protocol import Request
from h5explorer_py.session import Session
from tests.fixtures.datasets import key, write_images
from tests.py.support import Page, ask

if TYPE_CHECKING:
    from collections.abc import Callable

PICTURES = 200
SIDE = 128
TURNS = 7
BATCH = 12
NAMES = ("astronaut", "chelsea", "coffee", "rocket", "retina", "hubble_deep_field", "immunohistochemistry")


def mixed_set() -> list[bytes]:
    """Encode crops of photographs, 400 to 660 pixels wide or high: 5 of 6 as JPEG, the others as PNG or WebP."""
    random = np.random.default_rng(5)
    whole = [pil.fromarray(getattr(photographs, name)()).convert("RGB") for name in NAMES]
    encoded = []
    for number in range(PICTURES):
        picture = whole[number % len(whole)]
        width, height = (int(side * random.uniform(0.6, 1)) for side in picture.size)
        left, top = random.integers(0, picture.width - width + 1), random.integers(0, picture.height - height + 1)
        scale = random.uniform(400, 660) / max(width, height)
        size = (int(width * scale), int(height * scale))
        crop = picture.crop((left, top, left + width, top + height)).resize(size, pil.Resampling.LANCZOS)
        kind = "JPEG" if number % 6 else ("PNG", "WEBP")[number // 6 % 2]
        if kind == "PNG":
            crop.thumbnail((260, 260))
        file = io.BytesIO()
        crop.save(file, kind, quality=87)
        encoded.append(file.getvalue())
    return encoded


def whole_decode(data: bytes) -> bytes:
    """Make a thumbnail the plain way."""
    with pil.open(io.BytesIO(data)) as opened:
        image = opened.convert("RGB")
    scale = SIDE / max(image.size)
    small = image.resize((round(image.width * scale), round(image.height * scale)), pil.Resampling.BICUBIC)
    file = io.BytesIO()
    small.save(file, "JPEG", quality=80)
    return file.getvalue()


class AsThePage:
    """Asks for all thumbnails in batches, by the way of a message."""

    def __init__(self, lookup: Path) -> None:
        self.session = Session(lookup, Options())
        self.page = Page()
        self.dispatcher = Dispatcher(handlers(self.session), self.page.send)
        self.turn = 0

    def __call__(self) -> int:
        """Return how many thumbnails came."""
        self.turn += 1
        batches = [list(range(at, min(at + BATCH, PICTURES))) for at in range(0, PICTURES, BATCH)]
        asked = [
            Request(f"{self.turn}.{at}", "thumbnails", {"rows": rows, "size": SIDE}) for at, rows in enumerate(batches)
        ]
        self.dispatcher.receive(ask(*asked))
        return sum(len(self.page.only(each.request, 60)[1]) for each in asked)

    def close(self) -> None:
        self.dispatcher.close()
        self.session.close()


def milliseconds(work: Callable[[], object]) -> float:
    """Return the time for each picture."""
    begun = time.perf_counter()
    work()
    return (time.perf_counter() - begun) * 1_000 / PICTURES


def measure(folder: Path) -> dict[str, float]:
    pictures = mixed_set()
    write_images(folder / "s_images.h5", {key(number): data for number, data in enumerate(pictures)})
    lookup = pa.table({"uuid": [key(number) for number in range(PICTURES)], "filepath": ["s"] * PICTURES})
    pq.write_table(lookup, folder / "lookup.parquet")
    page = AsThePage(folder / "lookup.parquet")
    assert page() == PICTURES
    whole, one, asked, again = [], [], [], []
    for _ in range(TURNS):
        whole.append(milliseconds(lambda: [whole_decode(data) for data in pictures]))
        one.append(milliseconds(lambda: [thumbnail(data, SIDE) for data in pictures]))
        made.cache.clear()
        asked.append(milliseconds(page))
        again.append(milliseconds(page))
    page.close()
    figures = {
        "megabytes": sum(map(len, pictures)) / 1e6,
        "JPEGs": sum(data.startswith(b"\xff\xd8") for data in pictures),
        "whole decode, one thread, ms": statistics.median(whole),
        "one thread, ms": statistics.median(one),
        "asked for, ms": statistics.median(asked),
        "asked for again, ms": statistics.median(again),
    }
    for name in ("one thread", "asked for", "asked for again"):
        figures[f"{name} / whole decode"] = figures[f"{name}, ms"] / figures["whole decode, one thread, ms"]
    return figures


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(measure(Path(folder))))
