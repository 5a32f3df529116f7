"""How an array of pictures lies in a Zarr store: its chunks, its shards, its compression."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from h5explorer_py.errors import UnsupportedError

if TYPE_CHECKING:
    from h5explorer_py.making.rule import Rule

SHARD_BYTES = 24 << 20
"""Bytes of a shard before it is compressed: 128 colour pictures of 256 pixels. A worker holds one."""

COMPRESSORS = ("lz4", "zstd", "blosc", "gzip", "none")
LEVELS = range(1, 10)
CHUNK = (1, 256, 256)
AXES = ("image", "channel", "y", "x")

_MOST_IMAGES = 1_024
"""Pictures of a shard, unless more are asked for: of small ones, 24 MB would be for one worker what is for all."""


@dataclass(frozen=True, slots=True)
class Layout:
    """How an array lies in its store.

    Attributes
    ----------
    shape : tuple of int
        Of all pictures.
    chunks : tuple of int
        What is compressed, and can be read, by itself.
    shards : tuple of int
        What is one file: whole chunks.
    """

    shape: tuple[int, ...]
    chunks: tuple[int, ...]
    shards: tuple[int, ...]

    @property
    def step(self) -> int:
        """How many pictures a file holds."""
        return self.shards[0]


def layout_of(
    images: int, rule: Rule, chunk_shape: tuple[int, ...] = CHUNK, shard_size: int | str | None = None
) -> Layout:
    """Lay out an array of pictures.

    Parameters
    ----------
    images : int
        How many.
    rule : Rule
    chunk_shape : tuple of int
        Pictures, height and width of a chunk, which has all channels; or pictures, channels, height and width.
    shard_size : int or str, optional
        How many pictures a file holds at least; or how large it is before it is compressed, as ``"64MiB"``.

    Raises
    ------
    ValueError
        Where these are no sizes.
    """
    if len(chunk_shape) == 3:
        chunk_shape = (chunk_shape[0], rule.channels, *chunk_shape[1:])
    if len(chunk_shape) != 4 or any(length < 1 for length in chunk_shape):
        raise ValueError("A chunk has three sizes (pictures, height, width) or four, each at least 1.")
    chunks = (chunk_shape[0], *(min(one, most) for one, most in zip(chunk_shape[1:], rule.shape, strict=True)))
    picture = math.prod(rule.shape) * np.dtype(rule.dtype).itemsize
    count = count_of(shard_size, picture)
    # Not less where there are fewer pictures: more may be appended.
    count = math.ceil(count / chunks[0]) * chunks[0]
    inner = tuple(math.ceil(whole / part) * part for whole, part in zip(rule.shape, chunks[1:], strict=True))
    return Layout((images, *rule.shape), chunks, (count, *inner))


def count_of(size: int | str | None, picture: int) -> int:
    """Return how many pictures a file holds, of so many bytes each.

    Raises
    ------
    ValueError
        Where it is no size.
    """
    if size is None:
        return min(max(1, SHARD_BYTES // picture), _MOST_IMAGES)
    if isinstance(size, str):
        found = re.fullmatch(r"\s*(\d+)\s*(|[KMG]i?B)\s*", size, re.IGNORECASE)
        if found is None:
            raise ValueError(f"{size!r} is no size of a shard: say a number of pictures, or a size as 64MiB.")
        number, unit = int(found[1]), found[2].lower()
        if unit:
            factor = 1024 if "i" in unit else 1000
            return max(1, number * int(factor ** " kmg".index(unit[0])) // picture)
        size = number
    if size < 1:
        raise ValueError("A shard holds at least one picture.")
    return size


def codec_of(name: str, level: int, dtype: str) -> dict[str, Any] | None:
    """Return what compresses, as a store's ``zarr.json`` says it.

    Parameters
    ----------
    name : str
        ``"lz4"`` and ``"blosc"`` (Zstandard within) by Blosc, ``"zstd"``, ``"gzip"``, ``"none"``.
    level : int
        1 to 9, taken as it is.
    dtype : str
        Of the values.

    Raises
    ------
    UnsupportedError
        Where it is another.
    ValueError
        Where the level is another.
    """
    if name not in COMPRESSORS:
        raise UnsupportedError(f"There is no compressor {name!r}.", action=f"Take one of {', '.join(COMPRESSORS)}.")
    if level not in LEVELS:
        raise ValueError(f"The level of compression is {level}, and has to be from 1 to 9.")
    if name == "none":
        return None
    if name == "zstd":
        return {"name": "zstd", "configuration": {"level": level, "checksum": False}}
    if name == "gzip":
        return {"name": "gzip", "configuration": {"level": level}}
    size = np.dtype(dtype).itemsize
    settings = {
        "typesize": size,
        "cname": "lz4" if name == "lz4" else "zstd",
        "clevel": level,
        "shuffle": "shuffle" if size > 1 else "noshuffle",
        "blocksize": 0,
    }
    return {"name": "blosc", "configuration": settings}


def description_of(layout: Layout, dtype: str, codec: dict[str, Any] | None) -> dict[str, Any]:
    """Return an array's ``zarr.json`` (Zarr 3, with the codec for shards), as zarr itself would write it."""
    bytes_: dict[str, Any] = {"name": "bytes", "configuration": {"endian": "little"}}
    whole = bytes_ if np.dtype(dtype).itemsize > 1 else {"name": "bytes"}
    sharding = {
        "chunk_shape": list(layout.chunks),
        "codecs": [whole, *([] if codec is None else [codec])],
        "index_codecs": [bytes_, {"name": "crc32c"}],
        "index_location": "end",
    }
    return {
        "shape": list(layout.shape),
        "data_type": dtype,
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": list(layout.shards)}},
        "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
        "fill_value": 0.0 if np.dtype(dtype).kind == "f" else 0,
        "codecs": [{"name": "sharding_indexed", "configuration": sharding}],
        "attributes": {},
        "dimension_names": list(AXES),
        "zarr_format": 3,
        "node_type": "array",
        "storage_transformers": [],
    }
