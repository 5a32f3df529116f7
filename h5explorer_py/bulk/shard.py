"""One shard that is being written: an HDF5 file of images, and the Parquet file of their records."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from h5py import h5d, h5f, h5o, h5p, h5s, h5t

from h5explorer_py.bulk.aside import close_anyway, settle
from h5explorer_py.shards import IMAGES_SUFFIX, METADATA_SUFFIX

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, BinaryIO

_META_BLOCK = 1 << 20
"""Bytes in which HDF5 keeps its headers together: so 10,000 of them lie in 53 windows of 64 kB, rather than 1,076."""

_META_AN_IMAGE = 512

_FORMAT = (h5f.LIBVER_V18, h5f.LIBVER_V18)
"""Every HDF5 since 2008 reads it; the first of 10,000 images takes 37 kB to find, in the older format 726 kB."""

_GROUP = "images"
_RECORDS_HELD = 10_000
_BYTES_HELD = 32 << 20
_SAMPLED = 16

_WRITES_ITSELF = hasattr(os, "pwritev")
_HELD_BYTES = 1 << 20
_PIECES = 512


class Shard:
    """A shard that is being written.

    Parameters
    ----------
    folder : str
        Where its two files are made.
    name : str
        What they are called, less their suffixes.
    schema : pyarrow.Schema or None
        The columns of the records; ``None`` where the images have none, which makes no file for them.
    most : int
        How many images it will have at most.

    Raises
    ------
    OSError
        Where a file cannot be made.
    """

    def __init__(self, folder: str, name: str, schema: pa.Schema | None, most: int) -> None:
        self.name = name
        self.schema = schema
        self.images = self.records = self.bytes = 0
        self._origins: dict[str, str] = {}
        self._held: list[bytes] = []
        self._held_at = self._held_bytes = 0
        self._pending: list[pa.Table] = []
        self._pending_bytes = 0
        self._images_path = os.path.join(folder, name + IMAGES_SUFFIX)
        self._records_path = os.path.join(folder, name + METADATA_SUFFIX)
        self._records_file: BinaryIO | None = None
        self._writer: pq.ParquetWriter | None = None
        self._file = _create(self._images_path, min(_META_BLOCK, (most + 8) * _META_AN_IMAGE))
        try:
            self._group = self._file.create_group(_GROUP).id
            self._number = self._file.id.get_vfd_handle()
            self._made = h5p.create(h5p.DATASET_CREATE)
            self._made.set_fill_time(h5d.FILL_TIME_NEVER)
            self._made.set_obj_track_times(False)
            if _WRITES_ITSELF:
                self._made.set_alloc_time(h5d.ALLOC_TIME_EARLY)
            self._links = {char_set: _link(char_set) for char_set in (h5t.CSET_ASCII, h5t.CSET_UTF8)}
            if schema is not None:
                self._records_file = open(self._records_path, "wb")  # noqa: SIM115  (closed with the shard)
                self._writer = pq.ParquetWriter(self._records_file, schema, compression="zstd")
        except BaseException:
            self.abandon()
            raise

    @property
    def files(self) -> list[str]:
        """The names of its files."""
        paths = [self._images_path] if self.schema is None else [self._images_path, self._records_path]
        return [os.path.basename(path) for path in paths]

    def origin(self, key: str) -> str | None:
        """Return where the image of a key came from; ``None`` where there is none."""
        return self._origins.get(key)

    def add(self, key: str, data: bytes, record: pa.Table | None, origin: str) -> None:
        """Add an image and its record.

        Parameters
        ----------
        key : str
            What it is called: a text that can be a name in HDF5, and is not there yet.
        data : bytes
            Its encoded bytes.
        record : pyarrow.Table or None
            One row in the shard's schema.
        origin : str
            Where it comes from.

        Raises
        ------
        OSError, RuntimeError, ValueError
            Where it cannot be written.
        """
        image = h5d.create(self._group, key.encode(), h5t.STD_U8LE, _line(len(data)), self._made, self._link(key))
        self._write(image, 0, data)
        self._origins[key] = origin
        self.images += 1
        self.bytes += len(data)
        if record is not None:
            self._pending.append(record)
            if self.records % _SAMPLED == 0:  # as asking takes as long as half of the rest
                self._pending_bytes += _SAMPLED * record.nbytes
            self.records += 1
            if len(self._pending) >= _RECORDS_HELD or self._pending_bytes >= _BYTES_HELD:
                self._write_records()

    def add_pieces(self, size: int, pieces: Iterable[bytes], key: Callable[[], str]) -> str:
        """Add an image without a record that is not all in memory; return its key.

        Parameters
        ----------
        size : int
            How many bytes it has.
        pieces : iterable of bytes
            They, in order.
        key : callable
            Tells what it is called, when all of them have been taken.

        Raises
        ------
        EOFError
            Where they are fewer or more: it is not added then.
        OSError, RuntimeError, ValueError
            Where it cannot be written.
        """
        image = h5d.create(self._group, None, h5t.STD_U8LE, _line(size), self._made)
        at = 0
        for piece in pieces:
            if at + len(piece) > size:
                raise EOFError
            self._write(image, at, piece)
            at += len(piece)
        if at < size:
            raise EOFError
        name = key()
        h5o.link(image, self._group, name.encode(), self._link(name))
        self._origins[name] = ""
        self.images += 1
        self.bytes += size
        return name

    def _link(self, key: str) -> Any:
        return self._links[h5t.CSET_ASCII if key.isascii() else h5t.CSET_UTF8]

    def _write(self, image: h5d.DatasetID, at: int, data: bytes) -> None:
        """Write bytes of an image: where HDF5 has made room for them, which takes half as long as to have it write."""
        if not _WRITES_ITSELF:
            chosen = image.get_space()
            chosen.select_hyperslab((at,), (len(data),))
            image.write(_line(len(data)), chosen, np.frombuffer(data, np.uint8))
            return
        place = image.get_offset() + at
        if place != self._held_at + self._held_bytes or self._held_bytes >= _HELD_BYTES:
            self._write_held()
            self._held_at = place
        self._held.append(data)
        self._held_bytes += len(data)

    def _write_held(self) -> None:
        """Write the bytes that are held, which lie one behind the other: so it takes half as long again."""
        held, place = self._held, self._held_at
        self._held, self._held_bytes = [], 0
        for start in range(0, len(held), _PIECES):
            some = held[start : start + _PIECES]
            size = sum(map(len, some))
            done = os.pwritev(self._number, some, place)
            if done < size:  # it takes at most 2 GiB, and less of it on a disk that is nearly full
                left = memoryview(b"".join(some))
                while done < size:
                    done += os.pwrite(self._number, left[done:], place + done)
            place += size

    def _write_records(self) -> None:
        if not self._pending or self._writer is None:
            return
        table = pa.concat_tables(self._pending)
        with contextlib.suppress(pa.ArrowException):  # what cannot be put together is written piece by piece
            table = table.combine_chunks()
        self._writer.write_table(table)
        self._pending, self._pending_bytes = [], 0

    def close(self) -> None:
        """Write what is held, and have the system write it to the disk.

        Raises
        ------
        OSError, RuntimeError, ValueError
            Where it cannot be written.
        """
        self._write_records()
        self._write_held()
        self._file.close()
        settle(self._images_path)
        if self._writer is not None and self._records_file is not None:
            self._writer.close()
            self._records_file.close()
            settle(self._records_path)

    def abandon(self) -> None:
        """Let go of the files, whatever is in them."""
        for each in (self._file, self._writer, self._records_file):
            if each is not None:
                close_anyway(each)
        if self._writer is not None:
            self._writer.is_open = False  # else it is closed again when it is forgotten


def _link(char_set: int) -> Any:
    properties = h5p.create(h5p.LINK_CREATE)
    properties.set_char_encoding(char_set)
    return properties


def _line(length: int) -> h5s.SpaceID:
    return h5s.create_simple((length,))


def _create(path: str, meta_block: int) -> h5py.File:
    access = h5p.create(h5p.FILE_ACCESS)
    access.set_libver_bounds(*_FORMAT)
    access.set_meta_block_size(meta_block)
    access.set_fclose_degree(h5f.CLOSE_STRONG)
    access.set_file_locking(0, 1)  # none: some parallel file systems have no locks
    # Else images go to a buffer that is written when they are let go of, where nobody is told that it failed.
    access.set_sieve_buf_size(0)
    made = h5p.create(h5p.FILE_CREATE)
    made.set_obj_track_times(False)  # so that the same images are the same bytes
    return h5py.File(h5f.create(os.fsencode(path), h5f.ACC_EXCL, fcpl=made, fapl=access))


def key_problem(key: str) -> str:
    """Say why a text cannot be the name of an image in an HDF5 file; empty where it can."""
    try:
        encoded = key.encode()
    except UnicodeEncodeError:
        return "it is no Unicode text"
    if not key:
        return "it is empty"
    if key == ".":
        return "a single dot stands for the group itself"
    if "/" in key:
        return "it holds a slash, which parts the names of groups"
    if "\0" in key:
        return "it holds a NUL character, where the name would end"
    if len(encoded) > LONGEST_KEY:
        return f"it has {len(encoded):,} bytes; a name has at most {LONGEST_KEY:,}"
    return ""


LONGEST_KEY = 1 << 16
"""Bytes of a key up to which images are read again."""
