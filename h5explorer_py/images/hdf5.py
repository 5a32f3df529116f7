"""Finding one image in an HDF5 file: where its bytes lie, or the bytes themselves.

Runs in the reader processes only: a damaged file can bring down the process that parses it.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import h5py
from h5py import h5, h5d, h5f, h5g, h5i, h5l, h5o

from h5explorer_py.images.encoded import bytes_of, check_shape, is_variable, load_filters, read
from h5explorer_py.images.gathering import Gathering
from h5explorer_py.images.places import Allowed, Place, Refusal, plain

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

GROUP = b"images"
_MOST_LINKS = 16
_NAMES_SHOWN = 8
_LONGEST_NAME = 1 << 16


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
        if _is_no_name(name):
            raise Refusal("image_not_found")
        try:
            found = self._walk(self.group, name, allowed, 0)
        except KeyError:
            raise Refusal("image_not_found") from None
        if not isinstance(found, h5d.DatasetID):
            kind = "a group" if isinstance(found, h5g.GroupID) else "a named type"
            raise Refusal("not_an_image", kind=kind)
        data = bytes_of(found, limit, allowed, self)
        if isinstance(data, Place) and self._linked and not self._holds(found):
            return read(found, variable=False, limit=limit)  # its place is one in another file
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
        check_shape(kind, shape)
        size = (shape[0] if shape else 1) * kind.get_size()
        return None if is_variable(kind) or size == 0 else Place(offset, size)

    def places(self, keys: Sequence[str]) -> list[tuple[int, int] | None]:
        """Return offset and size of images that are one piece of this file; ``None`` for those to be asked for."""
        if self.leads_elsewhere:
            return [None] * len(keys)
        return [self._own_place(key) for key in keys]

    def _own_place(self, key: str) -> tuple[int, int] | None:
        name = key.encode()
        if _is_no_name(name):
            return None
        try:
            place = self.own_place(name)
        except Exception:  # noqa: BLE001  (why, is told when it is asked for)
            return None
        return None if place is None else (place.offset, place.size)

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
        load_filters(made)
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


def _is_no_name(name: bytes) -> bool:
    return not name or b"/" in name or b"\0" in name or name == b"." or len(name) > _LONGEST_NAME


def _folder_of(found: Any) -> str:
    """Return the folder of the file that an object is in."""
    return os.path.dirname(os.fsdecode(h5f.get_name(found)))


def _some_names(group: Any) -> list[str]:
    names: list[str] = []

    def note(name: bytes) -> bool | None:
        names.append(name.decode("utf-8", "replace"))
        return True if len(names) >= _NAMES_SHOWN else None

    group.links.iterate(note)
    return names
