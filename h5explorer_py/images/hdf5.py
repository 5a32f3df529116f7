"""Finding one image in an HDF5 file: where its bytes lie, or the bytes themselves.

Runs in the reader processes only: a damaged file can bring down the process that parses it.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import h5py
from h5py import h5d, h5g, h5i, h5l, h5o, h5s, h5t, h5z

if TYPE_CHECKING:
    from collections.abc import Sequence

GROUP = b"images"
_MOST_LINKS = 16
_NAMES_SHOWN = 8


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
            The folder of the shard, where relative names start.

        Raises
        ------
        Refusal
            Where the file lies outside all the folders.
        """
        real = os.path.realpath(os.path.join(beside, name))
        for folder in self.folders:
            if os.path.commonpath([real, folder]) == folder:
                return real
        raise Refusal("outside_data", target=name)


class Shard:
    """An HDF5 file held open, with its group of images.

    Parameters
    ----------
    path : str
        The file.

    Raises
    ------
    Refusal
        Where it cannot be opened, or has no such group.
    """

    def __init__(self, path: str, allowed: Allowed) -> None:
        self.path = path
        self.folder = os.path.dirname(os.path.realpath(path))
        try:
            self.file = h5py.File(path, "r", locking=False)
        except OSError as error:
            raise Refusal("shard_unreadable", why=_plain(error)) from error
        self._linked: list[h5py.File] = []
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

    def close(self) -> None:
        """Close the file and those that its links led to."""
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
        if not name or b"/" in name or b"\0" in name or name == b".":
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
            real = allowed.check(os.fsdecode(file_name), self.folder)
            try:
                other = h5py.File(real, "r", locking=False)
            except OSError as error:
                raise Refusal("shard_unreadable", why=f"a link leads to {real}: {_plain(error)}") from error
            self._linked.append(other)
            return self._walk_path(other["/"].id, b"/" + target, allowed, depth + 1)
        raise Refusal("outside_data", target="a link of an unknown kind")

    def _walk_path(self, group: Any, path: bytes, allowed: Allowed, depth: int) -> Any:
        here = h5g.open(h5i.get_file_id(group), b"/") if path.startswith(b"/") else group
        for part in path.split(b"/"):
            if part in {b"", b"."}:
                continue
            if not isinstance(here, h5g.GroupID):
                raise KeyError(path)
            here = self._walk(here, part, allowed, depth)
        return here


def _bytes_of(dataset: Any, limit: int, allowed: Allowed, shard: Shard) -> Place | bytes:
    """Return the place or the bytes of a data set that holds an encoded picture."""
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
    offset = dataset.get_offset()
    if offset is not None and not variable:
        return Place(offset, size)
    _check_sources(dataset, allowed, shard)
    _check_filters(dataset)
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


def _check_sources(dataset: Any, allowed: Allowed, shard: Shard) -> None:
    """Refuse external storage and virtual sources that lead out of the folders."""
    made = dataset.get_create_plist()
    for index in range(made.get_external_count()):
        allowed.check(os.fsdecode(made.get_external(index)[0]), shard.folder)
    if made.get_external_count():
        # HDF5 looks for relative names in the working folder of the process, so they are read from the shard's.
        os.chdir(shard.folder)
    if made.get_layout() == h5d.VIRTUAL:
        for index in range(made.get_virtual_count()):
            source = made.get_virtual_filename(index)
            if source != ".":
                allowed.check(source, shard.folder)


def _check_filters(dataset: Any) -> None:
    made = dataset.get_create_plist()
    for index in range(made.get_nfilters()):
        code, flags, _, name = made.get_filter(index)
        if h5z.filter_avail(code):
            continue
        import hdf5plugin  # noqa: F401  (registers its filters; takes longer than most images)

        if not h5z.filter_avail(code) and not flags & h5z.FLAG_OPTIONAL:
            raise Refusal("missing_filter", filter=code, name=name.decode("utf-8", "replace"))


def _read(dataset: Any, *, variable: bool, limit: int) -> bytes:
    try:
        value = h5py.Dataset(dataset)[()]
    except OSError as error:
        raise Refusal("shard_unreadable", why=_plain(error)) from error
    if getattr(value, "shape", None) == (1,) and value.dtype.hasobject:
        value = value[0]
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


def _plain(error: BaseException) -> str:
    """Take the telling part out of HDF5's message: ``Unable to ... (why)``."""
    text = str(error).strip()
    inside = text[text.find("(") + 1 : text.rfind(")")] if "(" in text and text.endswith(")") else text
    return inside or type(error).__name__
