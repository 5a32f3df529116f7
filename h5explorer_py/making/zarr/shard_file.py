"""One file of a sharded Zarr array, written picture by picture, so that a worker holds one of them and not all.

The layout is that of Zarr's codec ``sharding_indexed`` (version 1.0 of its specification): the compressed chunks in any
order, then for each chunk of the shard, in C order, its offset and its length, and the CRC-32C of these. zarr's own
builds a shard in memory: 60 MB for one of 24 MB.
"""

from __future__ import annotations

import contextlib
import gzip
import itertools
import math
import os
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO, Self

import numpy as np

if TYPE_CHECKING:
    from types import TracebackType

    from numpy.typing import NDArray

_MISSING = np.iinfo(np.uint64).max
_CODECS = {"blosc", "zstd", "gzip"}


@dataclass(frozen=True)
class ShardLayout:
    """How the shards of an array are written.

    Attributes
    ----------
    chunks, shards : tuple of int
        Their shapes.
    dtype : dtype
        Of the values.
    codec : dict or None
        What compresses a chunk: its name and configuration; ``None`` for nothing.
    """

    chunks: tuple[int, ...]
    shards: tuple[int, ...]
    dtype: np.dtype[Any]
    codec: dict[str, Any] | None

    @classmethod
    def of(cls, description: dict[str, Any]) -> ShardLayout | None:
        """Read an array's description; ``None`` where it is not of the kind that is written here."""
        codecs = description.get("codecs")
        if description["zarr_format"] != 3 or not codecs or len(codecs) != 1 or len(description["shape"]) != 4:
            return None
        encoding = description["chunk_key_encoding"]
        settings = codecs[0].get("configuration", {})
        inner = settings.get("codecs", [])
        if (
            codecs[0]["name"] != "sharding_indexed"
            or settings.get("index_location", "end") != "end"
            or [each["name"] for each in settings["index_codecs"]] != ["bytes", "crc32c"]
            or settings["index_codecs"][0].get("configuration", {}).get("endian", "little") != "little"
            or encoding["name"] != "default"
            or encoding.get("configuration", {}).get("separator", "/") != "/"
            or description["fill_value"] != 0
            or not inner
            or inner[0]["name"] != "bytes"
            or inner[0].get("configuration", {}).get("endian", "little") != "little"
            or [each["name"] for each in inner[1:]] not in [[], *([name] for name in _CODECS)]
        ):
            return None
        shards = tuple(description["chunk_grid"]["configuration"]["chunk_shape"])
        dtype = np.dtype(description["data_type"]).newbyteorder("<")
        return cls(tuple(settings["chunk_shape"]), shards, dtype, inner[1] if len(inner) > 1 else None)


class ShardFile:
    """A shard that is written; it is there when it is whole.

    Used in a ``with`` statement.

    Parameters
    ----------
    path : str
        Of the file.
    layout : ShardLayout
    """

    def __init__(self, path: str, layout: ShardLayout) -> None:
        self._path, self._layout = path, layout
        self._grid = tuple(shard // chunk for shard, chunk in zip(layout.shards, layout.chunks, strict=True))
        self._index = np.full((math.prod(self._grid), 2), _MISSING, "<u8")
        self._compress = _compressor(layout.codec)
        self._held: list[NDArray[Any] | None] = []
        self._row = self._offset = 0
        os.makedirs(os.path.dirname(path), exist_ok=True)
        self._partial = f"{path}.{uuid.uuid4().hex}.partial"
        self._file: BinaryIO = open(self._partial, "wb")  # noqa: SIM115  (closed at the end)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._finish()
        finally:
            self._file.close()
            if os.path.lexists(self._partial):
                os.unlink(self._partial)

    def add(self, picture: NDArray[Any] | None) -> None:
        """Write the next picture.

        Parameters
        ----------
        picture : ndarray, shape (channels, height, width)
            ``None`` for zeros.
        """
        self._held.append(picture)
        if len(self._held) == self._layout.chunks[0]:
            self._write_row()

    def _write_row(self) -> None:
        """Write the chunks that have the pictures that are held."""
        held, self._held = self._held, []
        chunks, inner = self._layout.chunks, self._grid[1:]
        if len(held) == 1 and held[0] is not None and (1, *held[0].shape) == chunks:
            self._write_chunk(self._row * math.prod(inner), np.asarray(held[0], self._layout.dtype, order="C"))
        elif any(picture is not None for picture in held):
            for number, place in enumerate(itertools.product(*map(range, inner))):
                chunk = np.zeros(chunks, self._layout.dtype)
                begin = [at * length for at, length in zip(place, chunks[1:], strict=True)]
                area = tuple(slice(at, at + length) for at, length in zip(begin, chunks[1:], strict=True))
                for at, picture in enumerate(held):
                    if picture is not None:
                        part = picture[area]
                        deep, tall, wide = part.shape
                        chunk[at, :deep, :tall, :wide] = part
                self._write_chunk(self._row * math.prod(inner) + number, chunk)
        self._row += 1

    def _write_chunk(self, number: int, chunk: NDArray[Any]) -> None:
        if not chunk.any():
            return  # what is not there is read as zeros
        data = self._compress(chunk)
        self._file.write(data)
        self._index[number] = self._offset, len(data)
        self._offset += len(data)

    def _finish(self) -> None:
        if self._held:
            self._write_row()
        import google_crc32c

        index = self._index.tobytes()
        self._file.write(index)
        self._file.write(int(google_crc32c.value(index)).to_bytes(4, "little"))
        self._file.flush()
        _begin_settling(self._file.fileno())
        self._file.close()
        os.replace(self._partial, self._path)


def _begin_settling(number: int) -> None:
    """Have the system begin to write a file to the disk, without waiting: who makes it count waits at the end."""
    if hasattr(os, "posix_fadvise"):
        with contextlib.suppress(OSError):
            os.posix_fadvise(number, 0, 0, os.POSIX_FADV_DONTNEED)


def _compressor(codec: dict[str, Any] | None) -> Any:
    """Return what compresses a chunk: what zarr's codec of this configuration calls itself."""
    if codec is None:
        return lambda chunk: chunk.tobytes()
    settings = codec["configuration"]
    if codec["name"] == "blosc":
        from numcodecs import blosc

        shuffle = {"noshuffle": blosc.NOSHUFFLE, "shuffle": blosc.SHUFFLE, "bitshuffle": blosc.BITSHUFFLE}
        made = blosc.Blosc(settings["cname"], settings["clevel"], shuffle[settings["shuffle"]], settings["blocksize"])
        return made.encode
    if codec["name"] == "zstd":
        from numcodecs.zstd import Zstd

        return Zstd(settings["level"], settings.get("checksum", False)).encode
    return lambda chunk: gzip.compress(chunk.tobytes(), settings["level"], mtime=0)
