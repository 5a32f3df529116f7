"""What is to be converted: the picture files of folders, lists and patterns, in a certain order."""

from __future__ import annotations

import glob
import os
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from h5explorer_py.decode.picture import SUFFIXES
from h5explorer_py.errors import SourceNotFoundError
from h5explorer_py.files import why
from h5explorer_py.images.sniff import format_of
from h5explorer_py.making.stores.sources import list_store, store_kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    import pyarrow as pa

_HEAD = 64
_KEPT = 1_000


@dataclass(frozen=True, slots=True)
class Inside:
    """Which picture of a store an item is.

    Attributes
    ----------
    kind : str
        What the store is: ``"h5"``, ``"zarr"`` or ``"shard"``.
    key : int or str
        Its place in the array, or its uuid.
    error : str
        Why it could not be read when the store was made, in which it is but zeros.
    """

    kind: str
    key: int | str
    error: str = ""


@dataclass(frozen=True, slots=True)
class Item:
    """One picture that is to be converted.

    Attributes
    ----------
    name : str
        How it is called in the metadata: the file's name; where several files have the same, the path below the folder
        that was named.
    path : str
        Where it is: a path or a URL.
    below : str
        Its path below the folder that was named, with slashes.
    page : int
        Which picture of the file, from 0.
    inside : Inside or None
        Which picture of a store, where the path is that of one.
    """

    name: str
    path: str
    below: str
    page: int = 0
    inside: Inside | None = None


@dataclass(slots=True)
class Found:
    """The pictures that were found.

    Attributes
    ----------
    items : list of Item
        In the order of the sources; within a folder in the order of their paths.
    left_out : int
        Files of the folders that are no pictures by their names, nor by their first bytes.
    left_out_names : list of str
        The first 1,000 of them.
    missing : list of (str, str)
        Sources that are not there or cannot be read, beside others, each with a sentence.
    notices : list of str
    known : list of (int, table)
        What stores say of their pictures: the place of the first item, and a table with a row for each.
    """

    items: list[Item] = field(default_factory=list)
    left_out: int = 0
    left_out_names: list[str] = field(default_factory=list)
    missing: list[tuple[str, str]] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    known: list[tuple[int, pa.Table]] = field(default_factory=list)


def find_items(sources: Iterable[str | os.PathLike[str]], *, recursive: bool = False) -> Found:
    """Look for pictures.

    Parameters
    ----------
    sources : iterable of path
        Folders, of which the picture files are taken; files, which are taken whatever they are; patterns with ``*``,
        ``?`` and ``[]``; text files ``@list.txt`` with one path a line; stores: HDF5 files of pictures, Zarr stores,
        and shards, by their folder, their lookup or one of them.
    recursive : bool
        Whether folders below folders count. Links to folders are not followed.

    Raises
    ------
    SourceNotFoundError
        Where there is nothing, as no source is there.
    """
    found = Found()
    for source in sources:
        path = os.path.expanduser(os.fsdecode(source))
        named = _listed(path[1:]) if path.startswith("@") and not os.path.lexists(path) else [path]
        for each in named:
            try:
                _add(found, each, recursive=recursive)
            except SourceNotFoundError as error:
                found.missing.append((each, error.message))
    if found.missing and not found.items:
        raise SourceNotFoundError(found.missing[0][1], action="Name a folder of pictures.", path=found.missing[0][0])
    found.items = _told_apart(_told_apart(found.items, lambda item: item.below), lambda item: item.path)
    return found


def _told_apart(items: list[Item], longer: Callable[[Item], str]) -> list[Item]:
    """Give longer names to those that have one with another."""
    counts = Counter(item.name for item in items)
    return [item if counts[item.name] == 1 else replace(item, name=longer(item)) for item in items]


def _listed(path: str) -> list[str]:
    try:
        with open(path, encoding="utf-8-sig") as file:
            lines = [line.rstrip("\r\n") for line in file]
    except (OSError, UnicodeDecodeError) as error:
        raise SourceNotFoundError(f"The list {path} cannot be read: {why(error)}.") from error
    folder = os.path.dirname(path)
    return [os.path.join(folder, os.path.expanduser(line)) for line in lines if line.strip()]


def _add(found: Found, path: str, *, recursive: bool) -> None:
    kind = store_kind(path)
    if kind:
        listed = list_store(path, kind)
        if listed.known is not None and listed.known.num_columns:
            found.known.append((len(found.items), listed.known))
        found.items += listed.items
        found.notices += listed.notices
    elif os.path.isdir(path):
        _add_folder(found, path, recursive=recursive)
    elif os.path.lexists(path):
        found.items.append(Item(os.path.basename(path), os.path.abspath(path), os.path.basename(path)))
    elif glob.has_magic(path):
        matches = sorted(glob.glob(path, recursive=True))
        if not matches:
            raise SourceNotFoundError(f"Nothing matches {path}.")
        for match in matches:
            _add(found, match, recursive=recursive)
    else:
        raise SourceNotFoundError(f"{path} is not there.")


def _add_folder(found: Found, folder: str, *, recursive: bool) -> None:
    root = os.path.abspath(folder)
    start = len(os.path.join(root, ""))
    paths = []
    for path in _files(root, found, recursive=recursive):
        below = path[start:].replace(os.sep, "/")
        if _is_picture(path):
            paths.append((below, path))
        else:
            found.left_out += 1
            if len(found.left_out_names) < _KEPT:
                found.left_out_names.append(below)
    found.items += [Item(os.path.basename(path), path, below) for below, path in sorted(paths)]


def _files(folder: str, found: Found, *, recursive: bool) -> Iterator[str]:
    try:
        with os.scandir(folder) as entries:
            listed = sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        raise SourceNotFoundError(f"The folder {folder} cannot be read: {why(error)}.") from error
    for entry in listed:
        if entry.name.startswith("."):
            continue
        if entry.is_dir(follow_symlinks=False):
            if recursive:
                yield from _files(entry.path, found, recursive=recursive)
        elif not entry.is_dir():  # a link to a folder is not followed
            yield entry.path


def _is_picture(path: str) -> bool:
    """Tell by the name; where that says nothing, by the first bytes."""
    suffix = os.path.splitext(path)[1].lower()
    if suffix in SUFFIXES:
        return True
    try:
        with open(path, "rb") as file:
            return format_of(file.read(_HEAD)) in _FORMATS
    except OSError:
        return False


_FORMATS = frozenset({"JPEG", "PNG", "TIFF", "FITS", "WebP", "GIF", "BMP", "JPEG 2000", "JPEG XL", "AVIF"})
