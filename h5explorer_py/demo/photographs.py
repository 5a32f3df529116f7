"""The photographs that scikit-image carries, as crops of many sizes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from h5explorer_py.errors import MissingPackageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

SOURCES = (
    ("astronaut", "Eileen Collins, portrait", "public domain"),
    ("chelsea", "Chelsea the cat", "CC0"),
    ("coffee", "Cup of coffee", "CC0"),
    ("rocket", "Launch of a Falcon 9", "CC0"),
    ("retina", "Retina of a human eye", "public domain"),
    ("hubble_deep_field", "Hubble extreme deep field", "public domain"),
    ("immunohistochemistry", "Colon tissue, stained", "no known restrictions"),
    ("camera", "Person with a camera", "CC0"),
    ("moon", "Surface of the Moon", "public domain"),
    ("coins", "Greek coins from Pompeii", "no known restrictions"),
    ("brick", "Brick wall", "CC0"),
    ("grass", "Grass", "CC0"),
    ("gravel", "Gravel", "CC0"),
    ("cell", "Cell, phase contrast", "CC0"),
)
"""Name in ``skimage.data``, subject, licence. All come with the package, so that nothing is downloaded."""

_SMALLEST, _LARGEST = 96, 384


@dataclass(frozen=True)
class Crop:
    """A part of a photograph.

    Attributes
    ----------
    pixels : numpy.ndarray of uint8
        Height x width, or height x width x 3.
    source, subject, licence : str
        What it is a part of.
    left, top : int
        Where the part begins, in pixels of the photograph.
    """

    pixels: NDArray[np.uint8]
    source: str
    subject: str
    licence: str
    left: int
    top: int


def crops(count: int, seed: int) -> Iterator[Crop]:
    """Yield crops, the photographs in turn.

    Raises
    ------
    MissingPackageError
        Where scikit-image is not installed.
    """
    data = _sample_pictures()
    random = np.random.default_rng(seed)
    pictures = [np.asarray(getattr(data, name)(), dtype=np.uint8) for name, _, _ in SOURCES]
    for number in range(count):
        index = number % len(SOURCES)
        picture = pictures[index]
        height, width = (int(random.integers(_SMALLEST, min(_LARGEST, side) + 1)) for side in picture.shape[:2])
        top = int(random.integers(0, picture.shape[0] - height + 1))
        left = int(random.integers(0, picture.shape[1] - width + 1))
        part = np.ascontiguousarray(picture[top : top + height, left : left + width])
        yield Crop(part, *SOURCES[index], left, top)


def _sample_pictures() -> Any:
    try:
        from skimage import data
    except ImportError as error:
        raise MissingPackageError(
            "The sample data set is made of scikit-image's pictures, which is not installed.",
            action='pip install "h5explorer[demo]"',
        ) from error
    return data
