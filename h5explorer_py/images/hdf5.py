"""Finding one image in an HDF5 file: where its bytes lie, or the bytes themselves.

Runs in the reader processes only: a damaged file can bring down the process that parses it.
"""

from __future__ import annotations

import os
import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import h5py
from h5py import h5, h5d, h5f, h5g, h5i, h5l, h5o, h5s, h5t, h5z

from h5explorer_py.files import regular_file, why

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

GROUP = b"images"
_MOST_LINKS = 16
_NAMES_SHOWN = 8
_LONGEST_NAME = 1 << 16

MOST_GATHERED = 4096
"""Images of a shard whose places are looked up ahead; of larger shards none are."""

_GATHERED_AT_A_TIME = 64
_SLOW_SECONDS = 0.001
_FIRST_LOOKED = 8

_TRUNCATED = re.compile(r"truncated file: eof = (\d+),.* stored_eof = (\d+)")
_SYSTEM_ERROR = re.compile(r"error message = '([^']*)'")


class Refusal(Exception):  # noqa: N818  (an answer, rather than a fault)
    """An image that is not given out.

    Parameters
    ----------
    code : str
        The code of the error that the kernel raises.
    facts : dict
        What its sentence needs.
    """

    def __init__(self, code: str, **facts: Any) -> None:
        super().__init__(code)
        self.code = code
        self.facts = facts


@dataclass(frozen=True)
class Place:
    """Where the bytes of an image lie in the file itself, as they are."""

    offset: int
    size: int


@dataclass(frozen=True)
class Allowed:
    """The folders that links and external storage may lead to.

    Attributes
    ----------
    folders : sequence of str
        Real paths.
    """

    folders: Sequence[str]

    def check(self, name: str, beside: str) -> str:
        """Return the real path of a file that the shard refers to.

        Parameters
        ----------
        name : str
            As the shard has it.
        beside : str
            The folder where relative names start.

        Raises
        ------
        Refusal
            Where the file lies outside all the folders, or is none.
        """
        real = os.path.realpath(os.path.join(beside, name))
        if not any(os.path.commonpath([real, folder]) == folder for folder in self.folders):
            raise Refusal("outside_data", target=name)
        try:
            regular_file(real)
        except OSError as error:
            raise Refusal("shard_unreadable", why=f"it refers to {name}, which cannot be read: {why(error)}") from error
        return real


class Shard:
    """An HDF5 file held open, with its group of images.

    Parameters
    ----------
    path : str
        The file.
    allowed : Allowed
        Where the link to the group may lead.
    close_others : callable
        Closes all other files. Called before one that this refers to is opened: HDF5 would share what it knows of a
        file that is open already, which may have been written anew since.

    Raises
    ------
    Refusal
        Where it cannot be opened, or has no such group.
    """

    def __init__(self, path: str, allowed: Allowed, close_others: Callable[[], None]) -> None:
        self._close_others = close_others
        try:
            # By its real path, as HDF5 takes relative names of virtual sources to be beside the path it was given.
            self.file = h5py.File(os.path.realpath(path), "r", locking=False)
        except OSError as error:
            raise Refusal("shard_unreadable", why=plain(error)) from error
        self._linked: list[h5py.File] = []
        self.gathering = Gathering(self)
        try:
            root = self.file["/"].id
            self.group = self._walk(root, GROUP, allowed, 0)
            if not isinstance(self.group, h5g.GroupID):
                raise Refusal("no_images_group", found=_some_names(root))
        except KeyError:
            found = _some_names(self.file["/"].id)
            self.close()
            raise Refusal("no_images_group", found=found) from None
        except BaseException:
            self.close()
            raise

    @property
    def leads_elsewhere(self) -> bool:
        """Whether other files have been opened for it: their states are not known, so it must not be kept open."""
        return bool(self._linked)

    def close(self) -> None:
        """Close the file and those that its links led to."""
        self.gathering.end()
        self.group = None
        for file in [*self._linked, self.file]:
            file.close()

    def find(self, key: str, limit: int, allowed: Allowed) -> Place | bytes:
        """Find the image of a uuid.

        Raises
        ------
        Refusal
            Where there is none, or it is no encoded picture, or too large, or not to be read.
        """
        name = key.encode()
        if not name or b"/" in name or b"\0" in name or name == b"." or len(name) > _LONGEST_NAME:
            raise Refusal("image_not_found")
        try:
            found = self._walk(self.group, name, allowed, 0)
        except KeyError:
            raise Refusal("image_not_found") from None
        if not isinstance(found, h5d.DatasetID):
            kind = "a group" if isinstance(found, h5g.GroupID) else "a named type"
            raise Refusal("not_an_image", kind=kind)
        data = _bytes_of(found, limit, allowed, self)
        if isinstance(data, Place) and self._linked and not self._holds(found):
            return _read(found, variable=False, limit=limit)  # its place is one in another file
        return data

    def _holds(self, found: Any) -> bool:
        return bool(h5o.get_info(found).fileno == h5o.get_info(self.file["/"].id).fileno)

    def names(self, most: int) -> list[bytes]:
        """List the names in the group; none where there are more than so many, which is found out soon."""
        names: list[bytes] = []
        # In the order in which they come, as any other order takes all of them.
        self.group.links.iterate(lambda name: True if len(names) > most else names.append(name), order=h5.ITER_NATIVE)
        return names if len(names) <= most else []

    def own_place(self, name: bytes) -> Place | None:
        """Return the place of an image that is one piece of this file; ``None`` of all others, which are not opened."""
        if self.group.links.get_info(name).type != h5l.TYPE_HARD:
            return None
        found = h5o.open(self.group, name)
        offset = found.get_offset() if isinstance(found, h5d.DatasetID) else None
        if offset is None:
            return None
        kind, shape = found.get_type(), found.get_space().get_simple_extent_dims()
        _check_shape(kind, shape)
        size = (shape[0] if shape else 1) * kind.get_size()
        return None if _is_variable(kind) or size == 0 else Place(offset, size)

    def keys(self) -> list[str]:
        """List the names in the group: slow for many, and only for a shard without metadata."""
        names: list[str] = []
        self.group.links.iterate(lambda name: names.append(name.decode("utf-8", "backslashreplace")))
        return names

    def _walk(self, group: Any, name: bytes, allowed: Allowed, depth: int) -> Any:
        """Open a member of a group, looking at every link before it is followed."""
        if depth > _MOST_LINKS:
            raise Refusal("shard_unreadable", why="its links go round in circles")
        if not group.links.exists(name):
            raise KeyError(name)
        link = group.links.get_info(name)
        if link.type == h5l.TYPE_HARD:
            return h5o.open(group, name)
        if link.type == h5l.TYPE_SOFT:
            target = group.links.get_val(name)
            return self._walk_path(group, target, allowed, depth + 1)
        if link.type == h5l.TYPE_EXTERNAL:
            file_name, target = group.links.get_val(name)
            other = self._open_other(os.fsdecode(file_name), _folder_of(group), allowed)
            return self._walk_path(other, b"/" + target, allowed, depth + 1)
        raise Refusal("outside_data", target="a link of an unknown kind")

    def _open_other(self, name: str, beside: str, allowed: Allowed) -> Any:
        """Open a file that this one refers to, and return its root."""
        real = allowed.check(name, beside)
        self._close_others()
        try:
            other = h5py.File(real, "r", locking=False)
        except OSError as error:
            raise Refusal("shard_unreadable", why=f"it refers to {name}: {plain(error)}") from error
        self._linked.append(other)
        return other["/"].id

    def _walk_path(self, group: Any, path: bytes, allowed: Allowed, depth: int) -> Any:
        here = h5g.open(h5i.get_file_id(group), b"/") if path.startswith(b"/") else group
        for part in path.split(b"/"):
            if part in {b"", b"."}:
                continue
            if not isinstance(here, h5g.GroupID):
                raise KeyError(path)
            here = self._walk(here, part, allowed, depth)
        return here

    def check_sources(self, dataset: Any, allowed: Allowed, depth: int = 0) -> None:
        """Refuse external storage and virtual sources that lead out of the folders, at whatever remove."""
        if depth > _MOST_LINKS:
            raise Refusal("shard_unreadable", why="its virtual data sets go round in circles")
        if depth == 0:
            # HDF5 looks for relative names of external storage in the working folder of the process.
            os.chdir(_folder_of(dataset))
        made = dataset.get_create_plist()
        for index in range(made.get_external_count()):
            allowed.check(os.fsdecode(made.get_external(index)[0]), os.getcwd())
        _load_filters(made)
        if made.get_layout() == h5d.VIRTUAL:
            mapped = range(made.get_virtual_count())
            for name, path in {(made.get_virtual_filename(i), made.get_virtual_dsetname(i)) for i in mapped}:
                self.check_sources(self._virtual_source(dataset, name, path, allowed), allowed, depth + 1)

    def _virtual_source(self, dataset: Any, name: str, path: str, allowed: Allowed) -> Any:
        if "%" in name or "%" in path:
            raise Refusal("shard_unreadable", why=f"it refers to {name} by a pattern, which is not followed")
        root = dataset if name == "." else self._open_other(name, _folder_of(dataset), allowed)
        try:
            source = self._walk_path(root, b"/" + os.fsencode(path), allowed, 0)
        except KeyError:
            source = None
        if not isinstance(source, h5d.DatasetID):
            raise Refusal("shard_unreadable", why=f"it refers to {path} in {name}, which is not there")
        return source


class Gathering:
    """Looks up the places of a small shard's images one by one, for when they are asked for.

    Parameters
    ----------
    shard : Shard
        The open file.
    """

    def __init__(self, shard: Shard) -> None:
        self._shard = shard
        self._left: list[bytes] | None = None
        self._found: list[tuple[str, int, int]] = []
        self._looked = 0
        self._seconds = 0.0

    def step(self) -> bool:
        """Look at one more; ``False`` where there is nothing to do."""
        try:
            if self._left is None:
                self._left = self._shard.names(MOST_GATHERED)
            if not self._left or len(self._found) >= _GATHERED_AT_A_TIME:
                return False
            self._look(self._left.pop())
        except Refusal:
            pass  # why, is told when it is asked for
        except Exception:  # noqa: BLE001  (h5py raises many kinds on a damaged file)
            self._left = []
        if self._seconds > _SLOW_SECONDS * max(self._looked, _FIRST_LOOKED):
            self._left = []  # the file system is slow: it is left to those who want the images
        return True

    def _look(self, name: bytes) -> None:
        begun = time.perf_counter()
        try:
            place = self._shard.own_place(name)
        finally:
            self._looked += 1
            self._seconds += time.perf_counter() - begun
        if place is not None:
            self._found.append((name.decode("utf-8", "surrogateescape"), place.offset, place.size))

    def end(self) -> None:
        """Look at no more."""
        self._left, self._found = [], []

    def take(self) -> list[tuple[str, int, int]]:
        """Return what has been found since the last time: keys, offsets and sizes."""
        found, self._found = self._found, []
        return found


def _folder_of(found: Any) -> str:
    """Return the folder of the file that an object is in."""
    return os.path.dirname(os.fsdecode(h5f.get_name(found)))


def _bytes_of(dataset: Any, limit: int, allowed: Allowed, shard: Shard) -> Place | bytes:
    """Return the place or the bytes of a data set that holds an encoded picture."""
    offset = dataset.get_offset()
    if offset is None:
        shard.check_sources(dataset, allowed)  # before all else, as even asking for the shape may open them
    space = dataset.get_space()
    kind = dataset.get_type()
    if space.get_simple_extent_type() == h5s.NULL:
        raise Refusal("empty_image")
    shape = space.get_simple_extent_dims()
    _check_shape(kind, shape)
    count = shape[0] if shape else 1
    variable = _is_variable(kind)
    size = 0 if variable else count * kind.get_size()
    if size > limit:
        raise Refusal("too_large", size=size, limit=limit)
    if not variable and size == 0:
        raise Refusal("empty_image")
    if offset is not None and not variable:
        return Place(offset, size)
    return _read(dataset, variable=variable, limit=limit)


def _check_shape(kind: Any, shape: tuple[int, ...]) -> None:
    """Let through what can hold encoded bytes: one-byte numbers in a row, opaque and text values, alone or in one."""
    of_class = kind.get_class()
    wide = of_class in {h5t.OPAQUE, h5t.STRING} or _is_variable(kind)
    byte = of_class in {h5t.INTEGER, h5t.BITFIELD, h5t.ENUM} and kind.get_size() == 1
    if _is_variable(kind) and of_class == h5t.VLEN and kind.get_super().get_size() != 1:
        raise Refusal("array_not_shown", shape=list(shape), dtype=f"lists of {_dtype_name(kind.get_super())}")
    if wide and shape in {(), (1,)}:
        return
    if (byte or (wide and kind.get_size() == 1 and not _is_variable(kind))) and len(shape) == 1:
        if shape[0] == 0:
            raise Refusal("empty_image")
        return
    if 0 in shape:
        raise Refusal("empty_image")
    if shape == ():
        raise Refusal("not_an_image", kind=f"a single value of type {_dtype_name(kind)}")
    raise Refusal("array_not_shown", shape=list(shape), dtype=_dtype_name(kind))


def _is_variable(kind: Any) -> bool:
    of_class = kind.get_class()
    return bool(of_class == h5t.VLEN or (of_class == h5t.STRING and kind.is_variable_str()))


def _load_filters(made: Any) -> tuple[int, str] | None:
    """Load the filters that reading takes; return the code and name of one that is missing."""
    for index in range(made.get_nfilters()):
        code, _, _, name = made.get_filter(index)
        if h5z.filter_avail(code):
            continue
        import hdf5plugin  # noqa: F401  (registers its filters; takes longer than most images)

        if not h5z.filter_avail(code):
            return code, name.decode("utf-8", "replace")
    return None


def _read(dataset: Any, *, variable: bool, limit: int) -> bytes:
    try:
        values = h5py.Dataset(dataset)[...]
    except OSError as error:
        missing = _load_filters(dataset.get_create_plist())
        if missing:  # told only now: a chunk may have been written without it
            raise Refusal("missing_filter", filter=missing[0], name=missing[1]) from error
        raise Refusal("shard_unreadable", why=plain(error)) from error
    value = values.reshape(-1)[0] if variable else values
    data = value if isinstance(value, bytes) else value.tobytes()
    if not data:
        raise Refusal("empty_image")
    if variable and len(data) > limit:
        raise Refusal("too_large", size=len(data), limit=limit)
    return bytes(data)


def _dtype_name(kind: Any) -> str:
    try:
        return str(kind.dtype)
    except (TypeError, ValueError):
        return "an unknown kind"


def _some_names(group: Any) -> list[str]:
    names: list[str] = []

    def note(name: bytes) -> bool | None:
        names.append(name.decode("utf-8", "replace"))
        return True if len(names) >= _NAMES_SHOWN else None

    group.links.iterate(note)
    return names


def plain(error: BaseException) -> str:
    """Take the telling part out of HDF5's message: ``Unable to ... (why)``."""
    text = " ".join(str(error).split())
    truncated = _TRUNCATED.search(text)
    if truncated:
        return f"the file is truncated, {int(truncated[1]):,} of its {int(truncated[2]):,} bytes are there"
    system = _SYSTEM_ERROR.search(text)
    if system:
        return system[1].lower()
    inside = text[text.find("(") + 1 : text.rfind(")")] if "(" in text and text.endswith(")") else text
    return inside.partition(" (may use <")[0] or type(error).__name__
