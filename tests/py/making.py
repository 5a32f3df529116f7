"""Folders of pictures to convert, and what must come of them by Pillow's own work."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
from PIL import Image as pil

from h5explorer_py.bulk.workers import Workers
from h5explorer_py.making.h5.write import H5Options, write_h5
from h5explorer_py.making.job import Context, JobOptions

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from h5explorer_py.making.report import ConvertReport

SIDE = 24


def photograph(seed: int, size: tuple[int, int] = (40, 30)) -> pil.Image:
    """Make a picture with slopes and edges in it."""
    random = np.random.default_rng(seed)
    coarse = pil.fromarray(random.integers(0, 256, (5, 7, 3), dtype=np.uint8))
    return coarse.resize(size, pil.Resampling.BICUBIC)


def make_folder(folder: Path, count: int = 7, start: int = 0, suffix: str = ".png") -> Path:
    """Write a folder of pictures of several sizes and kinds."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(start, start + count):
        picture = photograph(number, (30 + number % 5, 40 - number % 3))
        picture = picture.convert(("RGB", "L", "P")[number % 3])
        picture.save(folder / f"p{number:03d}{suffix}")
    return folder


def by_pillow(path: Path, side: int = SIDE) -> NDArray[np.uint8]:
    """Decode and resize as h5manager's users expect it."""
    with pil.open(path) as opened:
        return np.asarray(opened.convert("RGB").resize((side, side), pil.Resampling.BILINEAR))


def truth(folder: Path, side: int = SIDE) -> NDArray[np.uint8]:
    """All pictures of a folder in the order of their names."""
    return np.stack([by_pillow(path, side) for path in sorted(folder.iterdir())])


def convert(
    sources: list[Path] | Path, output: Path, *, overwrite: bool = False, level: int = 2, **job: Any
) -> ConvertReport:
    job.setdefault("size", (SIDE, SIDE))
    named = sources if isinstance(sources, list) else [sources]
    compression = job.pop("compression", "gzip")
    processes = job.pop("processes", 0)
    with Workers(processes) if processes else ThreadPoolExecutor(1) as workers:
        options = H5Options(compression, level, overwrite)
        return write_h5(named, output, JobOptions(**job), options, Context(workers))


def images(path: Path) -> NDArray[Any]:
    with h5py.File(path) as file:
        return file["images"][...]


def texts(path: Path, name: str) -> list[str]:
    with h5py.File(path) as file:
        return [each.decode() for each in file[name][...]]


def left_beside(folder: Path) -> list[str]:
    """What a writer may have left behind."""
    return [name for name in os.listdir(folder) if name.startswith(".")]


def h5manager_file(path: Path, pictures: NDArray[Any]) -> Path:
    """Write a file as h5manager does: 16 bits, chunks across pictures, nothing but the array."""
    with h5py.File(path, "w") as file:
        file.create_dataset("images", data=pictures.astype(np.int16), compression="gzip", chunks=True)
    return path
