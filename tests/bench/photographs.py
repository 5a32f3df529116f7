"""Photographs to convert: crops of those that scikit-image carries, of many sizes, most of them JPEG."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image as pil

if TYPE_CHECKING:
    from pathlib import Path

COUNT = 2_000
_NAMES = ("astronaut", "chelsea", "coffee", "rocket", "retina", "hubble_deep_field", "immunohistochemistry")
_LEAST, _MOST = 250, 560
_PNG_EACH = 13
"""One in so many is a PNG: 150 of 2,000."""


def make_photographs(folder: Path, count: int = COUNT) -> str:
    """Return a folder of photographs with a median side of 400 pixels, made now where it is not there."""
    made = folder / f"photographs_{count}"
    if not made.is_dir():
        partial = folder / f"photographs_{count}.part"
        partial.mkdir(parents=True, exist_ok=True)
        _write(partial, count)
        os.rename(partial, made)
    return str(made)


def _write(folder: Path, count: int) -> None:
    from skimage import data

    random = np.random.default_rng(6)
    whole = [pil.fromarray(getattr(data, name)()).convert("RGB") for name in _NAMES]
    for number in range(count):
        picture = whole[number % len(whole)]
        width, height = (int(side * random.uniform(0.6, 1)) for side in picture.size)
        left, top = random.integers(0, picture.width - width + 1), random.integers(0, picture.height - height + 1)
        scale = random.uniform(_LEAST, _MOST) / max(width, height)
        size = int(width * scale), int(height * scale)
        crop = picture.crop((left, top, left + width, top + height)).resize(size, pil.Resampling.LANCZOS)
        if number % _PNG_EACH == 0:
            crop.save(folder / f"p{number:05d}.png")
        else:
            crop.save(folder / f"p{number:05d}.jpg", quality=int(random.integers(82, 94)))
