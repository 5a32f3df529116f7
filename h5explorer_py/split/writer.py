"""Saving a split data set a block at a time."""

from __future__ import annotations

import contextlib
import json
import math
import os
import tempfile
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from h5explorer_py.bulk.aside import settle, written
from h5explorer_py.errors import (
    BadArrayError,
    BlockMissingError,
    ClosedError,
    TargetExistsError,
)
from h5explorer_py.files import shorten
from h5explorer_py.split.block_file import Compression, check_compression, check_dtype, write_block
from h5explorer_py.split.blocks import Blocks
from h5explorer_py.split.dataset import SplitDataset
from h5explorer_py.split.description import Description, describe, read_description
from h5explorer_py.split.files import DESCRIPTION, PLAN, block_name, block_names, names_in
from h5explorer_py.split.layout import block_shape

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

_NAMED = 5


class SplitWriter:
    """Writes the blocks of a split data set, in any order, from as many processes as there are.

    The first one to name a folder says how the array is divided; that is kept there as a plan, and others that name the
    same folder with the same numbers go on with it, after a stop as well. Each block's file appears when it is whole.
    ``SplitDataset`` reads what there is meanwhile. ``finalize`` writes the description, without which the original
    package sees no set, and ends it.

    In a ``with`` statement the set is finalized at the end where all its blocks are there, and is left to be resumed
    where the block of code ends by an error.

    Parameters
    ----------
    root : path
        The folder. It is made where it is not there.
    shape : sequence of int
        The array's shape.
    dtype : dtype
        What its values are.
    block_size : int or sequence of int or None, optional
        The lengths of a block, from the first axis on. Without it, blocks have up to 128 MiB.
    padding : int or sequence of int
        By how many positions each block goes on into the next one.
    compression : {"blosc", "zlib", None}
        Of the blocks' files.
    resolution : sequence of float, optional
        The distance from one position to the next along each axis, in micrometres where it is one of space.
    frequency : float, optional
        How many items of the first axis there are in a second.
    axes : str, optional
        The axes' names, a letter each; ``tzyx`` and ``zyx`` where they are not given.

    Attributes
    ----------
    root : str
    blocks : Blocks
    dtype : numpy.dtype
    unsettled : set of str
        The files that may not be on the disk yet.

    Raises
    ------
    BadArrayError
        Where such an array is not saved, or cannot be divided so.
    TargetExistsError
        Where the folder has something else in it, or a set or a plan that is not the same.
    WriteFailedError
        Where nothing can be written there.
    """

    def __init__(
        self,
        root: str | os.PathLike[str],
        shape: Sequence[int],
        dtype: Any,
        block_size: int | Sequence[int | None] | None = None,
        *,
        padding: int | Sequence[int] = 0,
        compression: Compression = "blosc",
        resolution: Sequence[float] | None = None,
        frequency: float | None = None,
        axes: str | None = None,
    ) -> None:
        self.dtype = check_dtype(dtype)
        self.compression = check_compression(compression)
        shape = Blocks(shape).shape_full
        size = block_shape(shape, self.dtype.itemsize) if block_size is None else block_size
        self.blocks = Blocks(shape, size, padding=padding)
        self.root = os.path.abspath(os.path.expanduser(os.fsdecode(root)))
        self.unsettled: set[str] = set()
        self._fields = describe(self.blocks, self.dtype, resolution, frequency, axes)
        self._begin()

    @classmethod
    def resume(cls, root: str | os.PathLike[str], *, compression: Compression = "blosc") -> SplitWriter:
        """Go on with what another one began, by the plan in the folder.

        Raises
        ------
        StackNotFoundError, StackUnreadableError
            Where there is no folder, or no plan in it.
        ClosedError
            Where the set has been finalized.
        """
        folder = os.path.abspath(os.path.expanduser(os.fsdecode(root)))
        names = names_in(folder)
        if DESCRIPTION in names:
            raise _finalized(folder)
        found = read_description(os.path.join(folder, PLAN))
        writer = cls.__new__(cls)
        writer.root, writer.blocks, writer.compression = folder, found.blocks, check_compression(compression)
        writer._fields, writer.unsettled = found.fields, set()
        writer.dtype = check_dtype(found.dtype)
        return writer

    def _begin(self) -> None:
        with written(self.root):
            os.makedirs(self.root, exist_ok=True)
            names = set(os.listdir(self.root))
        if DESCRIPTION in names:
            raise TargetExistsError(f"{self.root} holds a split data set already.", action="Name another folder.")
        if PLAN not in names:
            strange = [name for name in names if not name.startswith(".")]
            if strange:
                raise TargetExistsError(
                    f"{self.root} is not empty: it has {shorten(strange[0])}.", action="Name another folder."
                )
            self._write_json(PLAN, self._fields)
        found = read_description(os.path.join(self.root, PLAN))
        if found.fields != self._fields:
            raise TargetExistsError(
                f"{self.root} has been begun for an array of another shape, type or division.",
                action="Go on with it by SplitWriter.resume(folder), or name another folder.",
            )

    def _write_json(self, name: str, fields: dict[str, Any]) -> None:
        """Write a file that appears whole, and is not replaced: of several processes the first one wins."""
        target = os.path.join(self.root, name)
        with written(target):
            number, aside = tempfile.mkstemp(".part", f".{name}.", self.root)
            try:
                with open(number, "w", encoding="utf-8") as file:
                    json.dump(fields, file)
                os.chmod(aside, 0o666 & ~_umask())
                settle(aside)
                with contextlib.suppress(FileExistsError):
                    _place(aside, target)
            finally:
                with contextlib.suppress(OSError):
                    os.remove(aside)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.finalize()

    @property
    def missing(self) -> list[int]:
        """The numbers of the blocks that nobody has written yet."""
        there = block_names(names_in(self.root), None, self.blocks.n_blocks)
        return [number for number in range(self.blocks.n_blocks) if there.get(number) != block_name(number)]

    def bounds(self, block: int | Sequence[int]) -> tuple[slice, ...]:
        """Return what of the array a block is to hold, what it shares with the next ones included.

        Raises
        ------
        BadIndexError
            Where there is no such block.
        """
        return self.blocks[self._number(block)]

    def _number(self, block: int | Sequence[int]) -> int:
        number = block if isinstance(block, (int, np.integer)) else self.blocks.cartesian_to_linear(block)
        self.blocks.linear_to_cartesian(int(number))
        return int(number)

    def write(self, block: int | Sequence[int], data: Any, *, settled: bool = True) -> None:
        """Write a block; one that is there already is replaced.

        Parameters
        ----------
        block : int or sequence of int
            Its number, or its place in the grid.
        data : array_like
            Its values, as many as ``bounds`` says.
        settled : bool
            Whether to wait until it is on the disk; else only ``finalize`` does.

        Raises
        ------
        BadIndexError
            Where there is no such block.
        BadArrayError
            Where the values are not as many, or would lose something in the array's type.
        ClosedError
            Where the set has been finalized.
        WriteFailedError
            Where it cannot be written; what was there before is there still.
        """
        number = self._number(block)
        values = np.asarray(data)
        shape = self.blocks.shape_of(number)
        if values.shape != shape:
            raise BadArrayError(f"The block {number} must have the shape {shape}, not {values.shape}.")
        if not np.can_cast(values.dtype, self.dtype, "safe"):
            raise BadArrayError(f"The values are {values.dtype}, but the array is {self.dtype}: some could be lost.")
        if os.path.lexists(os.path.join(self.root, DESCRIPTION)):
            raise _finalized(self.root)
        target = os.path.join(self.root, block_name(number))
        with written(target):
            write_block(target, values.astype(self.dtype, copy=False), self.compression, settled=settled)
        self.unsettled |= set() if settled else {target}

    def finalize(self, *, partial: bool = False) -> SplitDataset:
        """Check that all blocks are there, and write the description; where that has been done, only open the set.

        Parameters
        ----------
        partial : bool
            Whether to end the array before the first missing block, along the first axis.

        Raises
        ------
        BlockMissingError
            Where blocks are missing; it names them.
        StackUnreadableError
            Where one that is there is damaged, or of another shape or type.
        WriteFailedError
            Where the description cannot be written.
        """
        if not os.path.lexists(os.path.join(self.root, DESCRIPTION)):
            fields = self._finished(partial=partial)
            self._check(fields)
            for target in sorted(self.unsettled):
                with written(target):
                    settle(target)
            self._write_json(DESCRIPTION, fields)
        with contextlib.suppress(OSError):
            os.remove(os.path.join(self.root, PLAN))
        return SplitDataset(self.root)

    def _finished(self, *, partial: bool) -> dict[str, Any]:
        missing = self.missing
        if not missing:
            return self._fields
        rows = missing[0] // math.prod(self.blocks.grid[1:])
        if not partial or rows == 0:
            told = ", ".join(map(str, missing[:_NAMED])) + (", …" if len(missing) > _NAMED else "")
            raise BlockMissingError(
                f"{len(missing):,} of {self.blocks.n_blocks:,} blocks of {self.root} are missing: {told}.",
                action="Write them, or end the array before the first one: finalize(partial=True).",
                block=missing[0],
                path=self.root,
            )
        length = rows * self.blocks.shape_block[0] + self.blocks.padding[0]
        return self._fields | {"shape_full": [length, *self.blocks.shape_full[1:]]}

    def _check(self, fields: dict[str, Any]) -> None:
        """Open every block: others may have been put there, or damaged, since they were written."""
        blocks = Description.of(fields, DESCRIPTION).blocks
        SplitDataset(self.root).check(range(blocks.n_blocks))


def _finalized(root: str) -> ClosedError:
    return ClosedError(f"{root} has been finalized: its blocks are not written any more.")


def _place(aside: str, target: str) -> None:
    """Move a file to where nothing is."""
    try:
        os.link(aside, target)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        if os.path.lexists(target):
            raise FileExistsError(target) from None
        os.replace(aside, target)


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
