"""Reading a split data set."""

from __future__ import annotations

import os
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
from h5py import h5d, h5l, h5o

from h5explorer_py.errors import BadArrayError, BlockMissingError, ExplorerError, StackUnreadableError
from h5explorer_py.files import shorten, why
from h5explorer_py.split.blocks import Blocks, read_crop
from h5explorer_py.split.description import read_description, read_old_description
from h5explorer_py.split.files import PLAN, block_name, block_names, description_name, names_in
from h5explorer_py.stacks.chunked import ElsewhereError, unreadable
from h5explorer_py.stacks.held import HELD
from h5explorer_py.stacks.index import selected_shape
from h5explorer_py.stacks.stack import Axis, Stack
from h5explorer_py.stacks.tiles import divide
from h5explorer_py.stacks.work import do_all

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from h5explorer_py.split.blocks import Crop
    from h5explorer_py.stacks.chunked import ChunkedArray
    from h5explorer_py.stacks.index import Selection

_AT_ONCE = 32
"""So many blocks are open for one read."""

_NODES_LOOKED_AT = 1000


class SplitDataset(Stack):
    """An array that lies in a folder of numbered HDF5 files, read by NumPy's rules.

    Its files are opened for reading only.

    Parameters
    ----------
    root : path
        The folder.
    prefix : str, optional
        What the blocks' names begin with, where the folder has several series of numbered files.
    fill_value : number, optional
        What stands in place of the values of blocks that are not there. Without it, reading them is an error.

    Raises
    ------
    StackNotFoundError
        Where there is no such folder.
    StackUnreadableError
        Where it holds no split data set, or its description is damaged or contradicts itself.
    BadArrayError
        Where the fill value is none of the array's type.
    """

    def __init__(
        self, root: str | os.PathLike[str], prefix: str | None = None, *, fill_value: complex | None = None
    ) -> None:
        self.root = os.path.abspath(os.path.expanduser(os.fsdecode(root)))
        self._prefix = prefix or None
        names = names_in(self.root)
        described = description_name(names)
        if described is not None:
            self._description = read_description(os.path.join(self.root, described))
            self._source = described
        else:
            old = block_names(names, self._prefix)
            if not old:
                raise StackUnreadableError(
                    f"{shorten(self.root, 200)} is no split data set: it has no stack_metadata.json.", path=self.root
                )
            self._source = old[max(old)]
            self._description = read_old_description(os.path.join(self.root, self._source))
        self.blocks: Blocks = self._description.blocks
        self._files = block_names(names, self._prefix, self.blocks.n_blocks)
        if not self._files and described != PLAN:
            raise BlockMissingError(
                f"{shorten(self.root, 200)} has none of the {self.blocks.n_blocks:,} blocks that it should have.",
                path=self.root,
            )
        self._dtype = self._description.dtype
        self._fill_value = fill_value
        if fill_value is not None:
            self._fill()
        self._crop: Crop = ((0, 0),) * len(self.blocks.shape_full)

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(n - start - end for n, (start, end) in zip(self.shape_full, self._crop, strict=True))

    @property
    def dtype(self) -> np.dtype[Any]:
        if self._dtype is None:
            number = next(iter(self._files), 0)
            self._dtype = self._opened(self._path(number), self.blocks.shape_of(number)).dtype
        return self._dtype

    @property
    def axes(self) -> tuple[Axis, ...]:
        return self._description.axes

    @property
    def attributes(self) -> Mapping[str, Any]:
        return dict(self._description.fields)

    @property
    def chunks(self) -> tuple[int, ...]:
        return tuple(min(pair) for pair in zip(self.blocks.shape_block, self.shape, strict=True))

    @property
    def resolution(self) -> tuple[float, ...]:
        """The distance from one position to the next along each axis; 1 where that is not known."""
        return self._description.resolution or (1.0,) * self.ndim

    @property
    def frequency(self) -> float | None:
        """How many items of the first axis there are in a second, where that is known."""
        return self._description.frequency

    @property
    def shape_full(self) -> tuple[int, ...]:
        """The shape before cropping."""
        return self.blocks.shape_full

    @property
    def shape_cropped(self) -> tuple[int, ...]:
        """The shape after cropping, which is ``shape``."""
        return self.shape

    @property
    def shape_block(self) -> tuple[int, ...]:
        """The shape of a block, without what it shares with the next ones."""
        return self.blocks.shape_block

    @property
    def padding(self) -> tuple[int, ...]:
        """By how many positions each block goes on into the next one."""
        return self.blocks.padding

    @property
    def n_blocks(self) -> int:
        """How many blocks there are, or are to be."""
        return self.blocks.n_blocks

    @property
    def files(self) -> list[str | None]:
        """The blocks' files in their order; ``None`` for those that are missing."""
        return [self._path(number) if number in self._files else None for number in range(self.n_blocks)]

    @property
    def missing(self) -> list[int]:
        """The numbers of the blocks that are not there now."""
        self._list()
        return [number for number in range(self.n_blocks) if number not in self._files]

    @property
    def is_complete(self) -> bool:
        """Whether it has been finished, and all its blocks are there."""
        return self._source != PLAN and not self.missing

    @property
    def data_key(self) -> str:
        """The name of the data in the blocks' files."""
        number = next(iter(self._files), 0)
        return self._opened(self._path(number), self.blocks.shape_of(number)).node

    def crop(self, crop: Any) -> SplitDataset:
        """Return a part of it. Nothing is read or written.

        Parameters
        ----------
        crop : sequence of (int, int)
            By axis, from the first on, how many positions to leave out at its start and at its end.

        Raises
        ------
        BadArrayError
            Where it is no crop, or leaves nothing.
        """
        more = read_crop(crop, self.shape)
        return self._cropped(tuple((a + c, b + d) for (a, b), (c, d) in zip(self._crop, more, strict=True)))

    def apply_crop(self, crop: Any) -> SplitDataset:
        """Write a part of it beside it, in a folder of its name and ``_cropped``.

        Raises
        ------
        BadArrayError, TargetExistsError, WriteFailedError
        """
        from h5explorer_py.split.save import save_to_split_dataset

        parent, name = os.path.split(self.root)
        return save_to_split_dataset(self, parent, self.shape_block, crop=crop, padding=self.padding, prefix=name)

    def _cropped(self, crop: Crop) -> SplitDataset:
        part = SplitDataset.__new__(SplitDataset)
        part.__dict__.update(self.__dict__)
        part._crop = crop  # noqa: SLF001  (one of this class)
        return part

    def take(self, selections: tuple[Selection, ...]) -> np.ndarray:
        out = np.empty(selected_shape(selections), self.dtype)
        if not out.size:
            return out
        whole = tuple(_moved(each, start) for each, (start, _) in zip(selections, self._crop, strict=True))
        parts = iter(divide(whole, self.blocks.shape_block, self.blocks.grid))
        while some := list(islice(parts, _AT_ONCE)):
            tasks: list[Callable[[], None]] = []
            size = 0
            for place, where, inside in some:
                number = self.blocks.cartesian_to_linear(place)
                block = self._block(number, inside)
                if block is None:
                    out[where] = self._fill()
                else:
                    tasks.extend(block.tasks(inside, out[where]))
                    size = max(size, block.task_size)
            do_all(tasks, size)
        return out

    def close(self) -> None:
        HELD.drop(self.root)

    def check(self, numbers: Iterable[int]) -> None:
        """Open blocks, and raise where one is missing, damaged, or of another shape or type than it must be.

        Raises
        ------
        BlockMissingError, StackUnreadableError, OutsideDataError, MissingFilterError
        """
        for number in numbers:
            self._block(number)

    def _block(self, number: int, first: tuple[Selection, ...] | None = None) -> ChunkedArray | None:
        """Return a block; ``None`` where it is missing and is to be filled."""
        if number not in self._files:
            self._list()  # it may have been written since
        if number in self._files:
            path = self._path(number)
            try:
                block = self._opened(path, self.blocks.shape_of(number), first)
            except FileNotFoundError:
                self._files = {known: name for known, name in self._files.items() if known != number}
            else:
                if block.dtype.newbyteorder("=") != self.dtype.newbyteorder("="):
                    raise unreadable(path, f"its values are {block.dtype}, but those of the others are {self.dtype}")
                return block
        if self._fill_value is None:
            raise BlockMissingError(
                f"The block {number} ({self._files.get(number, block_name(number))}) of {shorten(self.root, 200)} "
                "is not there.",
                action="To read what there is, give a value to fill it with: fill_value=0.",
                block=number,
                path=self.root,
            )
        return None

    def _opened(self, path: str, shape: tuple[int, ...], first: tuple[Selection, ...] | None = None) -> ChunkedArray:
        try:
            block = HELD.get(path, find_stack, first=first)
        except (ExplorerError, FileNotFoundError):
            raise
        except OSError as error:
            raise unreadable(path, why(error)) from error
        if block.shape != shape:
            raise unreadable(path, f"its shape is {block.shape}, but by the description it must be {shape}")
        return block

    def _path(self, number: int) -> str:
        return os.path.join(self.root, self._files.get(number, block_name(number)))

    def _list(self) -> None:
        self._files = block_names(names_in(self.root), self._prefix, self.n_blocks)

    def _fill(self) -> Any:
        """Return the fill value as one of the array's."""
        try:
            with np.errstate(all="ignore"):
                filled = np.array(self._fill_value).astype(self.dtype)
            same = bool(filled == self._fill_value) or (self._fill_value != self._fill_value and bool(filled != filled))  # noqa: PLR0124  (NaN)
            same = same or self.dtype.kind in "fc"
        except (ValueError, TypeError, OverflowError):
            same = False
        if not same:
            raise BadArrayError(f"{self._fill_value!r} cannot fill an array of {self.dtype}.")
        return filled

    def __reduce__(self) -> tuple[Any, ...]:
        return _again, (self.root, self._prefix, self._fill_value, self._crop)

    def __dask_tokenize__(self) -> tuple[Any, ...]:
        status = os.stat(os.path.join(self.root, self._source))
        state = (status.st_mtime_ns, status.st_size, tuple(self._files))
        return ("h5explorer-split", self.root, self._prefix, str(self._fill_value), self._crop, state)


def _again(root: str, prefix: str | None, fill_value: Any, crop: Crop) -> SplitDataset:
    return SplitDataset(root, prefix, fill_value=fill_value)._cropped(crop)  # noqa: SLF001


def _moved(chosen: Selection, start: int) -> Selection:
    if isinstance(chosen, range):
        return range(chosen.start + start, chosen.stop + start, chosen.step)
    return chosen + start


def find_stack(file: Any) -> tuple[Any, str]:
    """Find a block's data in its file: ``/stack``, ``/stack_3D``, ``/stack_4D`` and so on; return it and its name."""
    root = h5o.open(file, b"/")
    names: list[bytes] = []

    def note(name: bytes) -> bool | None:
        names.append(name)
        return True if len(names) >= _NODES_LOOKED_AT else None

    root.links.iterate(note)
    found = sorted((name for name in names if b"stack" in name), key=lambda name: (name != b"stack", len(name), name))
    for name in found:
        if root.links.get_info(name).type != h5l.TYPE_HARD:
            raise ElsewhereError
        data = h5o.open(root, name)
        if isinstance(data, h5d.DatasetID):
            return data, name.decode("utf-8", "replace")
    raise LookupError("it has no data named stack")
