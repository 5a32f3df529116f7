"""Zarr stores of pictures: opened, described, and committed by one last write."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import uuid
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from h5explorer_py.bulk.aside import settle, written
from h5explorer_py.errors import MissingPackageError, SourceNotFoundError, UnsupportedError
from h5explorer_py.files import why

if TYPE_CHECKING:
    from collections.abc import Iterator

IMAGES = "images"
MARK = "metadata_mark"
PARTIAL = ".partial"

_MOST_SETTLED = 1_000
"""Files that are settled one by one; of more, the whole system is quicker."""
HISTORY = "append_history"


def is_url(path: str) -> bool:
    """Tell whether this is a URL, of an object store perhaps, and no path."""
    return "://" in path


def zarr_module() -> Any:
    """Return the package zarr.

    Raises
    ------
    MissingPackageError
    """
    try:
        import zarr
    except ImportError as error:
        raise _missing() from error
    return zarr


def check_installed() -> None:
    """Raise where the package zarr is not installed, without importing it: that takes longer than many a conversion.

    Raises
    ------
    MissingPackageError
    """
    if find_spec("zarr") is None:
        raise _missing()


def _missing() -> MissingPackageError:
    return MissingPackageError(
        "Zarr stores take the package zarr.", action='Install it: pip install "h5explorer[convert]"'
    )


def open_store(where: str, *, read_only: bool = False) -> Any:
    """Return the store at a path or a URL; nothing is made there by it."""
    zarr_module()
    if is_url(where):
        from zarr.storage import FsspecStore

        return FsspecStore.from_url(where, read_only=read_only)
    from zarr.storage import LocalStore

    return LocalStore(where, read_only=read_only)


def described(array: Any) -> dict[str, Any]:
    """Return the description of an array as JSON has it."""
    from zarr.core.buffer import default_buffer_prototype

    (text,) = [
        buffer.to_bytes()
        for name, buffer in array.metadata.to_buffer_dict(default_buffer_prototype()).items()
        if name in {"zarr.json", ".zarray"}
    ]
    found: dict[str, Any] = json.loads(text)
    return found


def array_at(where: str, description: dict[str, Any]) -> Any:
    """Return an array to write into, of which the store may say nothing yet, or say that it is shorter."""
    from zarr.core.array import AsyncArray
    from zarr.core.metadata import ArrayV2Metadata, ArrayV3Metadata
    from zarr.storage import StorePath

    kind = ArrayV3Metadata if description["zarr_format"] == 3 else ArrayV2Metadata
    metadata = kind.from_dict(dict(description))
    return zarr_module().Array(AsyncArray(metadata, StorePath(open_store(where), IMAGES)))


def put(where: str, key: str, data: bytes) -> None:
    """Write one key of a store, at once or not at all."""
    if not is_url(where):
        path = os.path.join(where, *key.split("/"))
        partial = f"{path}.{uuid.uuid4().hex}{PARTIAL}"
        with written(path):
            os.makedirs(os.path.dirname(path), exist_ok=True)
            try:
                with open(partial, "wb") as file:
                    file.write(data)
                settle(partial)
                os.replace(partial, path)
            finally:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(partial)
        return
    from zarr.core.buffer import default_buffer_prototype
    from zarr.core.sync import sync

    store = open_store(where)
    sync(store.set(key, default_buffer_prototype().buffer.from_bytes(data)))


def write_group(where: str, attributes: dict[str, Any], zarr_format: int = 3) -> None:
    """Write what a store says of itself."""
    if zarr_format == 3:
        text = {"attributes": attributes, "zarr_format": 3, "node_type": "group"}
        put(where, "zarr.json", json.dumps(text, indent=2, ensure_ascii=False).encode())
        return
    put(where, ".zgroup", json.dumps({"zarr_format": 2}).encode())
    put(where, ".zattrs", json.dumps(attributes, indent=2, ensure_ascii=False).encode())


def write_array(where: str, description: dict[str, Any]) -> None:
    """Write what a store says of its array: from then on that holds.

    What old stores say of it in another place, too (``.zmetadata``), is removed: it would hold what was before.
    """
    if description["zarr_format"] == 2:
        store = open_store(where)
        run_sync(store.delete(".zmetadata"))
    name = "zarr.json" if description["zarr_format"] == 3 else ".zarray"
    known = {key: value for key, value in description.items() if name == "zarr.json" or key != "attributes"}
    put(where, f"{IMAGES}/{name}", json.dumps(known, indent=2).encode())


def with_length(description: dict[str, Any], images: int) -> dict[str, Any]:
    """Return the description of an array with another number of pictures."""
    return {**description, "shape": [images, *description["shape"][1:]]}


@dataclass(frozen=True)
class Existing:
    """A store that is there.

    Attributes
    ----------
    where : str
        Its path or URL.
    description : dict
        Of its array.
    attributes : dict
        Of its group.
    shape : tuple of int
        Of its array.
    dtype : str
    step : int
        How many pictures a file holds.
    """

    where: str
    description: dict[str, Any]
    attributes: dict[str, Any]
    shape: tuple[int, ...]
    dtype: str
    step: int

    @property
    def images(self) -> int:
        """How many pictures it has."""
        return self.shape[0]

    @property
    def mark(self) -> str | None:
        """What the table beside it has, too; old stores have none."""
        mark = self.attributes.get(MARK)
        return mark if isinstance(mark, str) else None

    @property
    def picture(self) -> tuple[int, int, int]:
        """Channels, height and width of each; old stores of grey pictures have no axis of channels."""
        if len(self.shape) == 3:
            return 1, self.shape[1], self.shape[2]
        return self.shape[1], self.shape[2], self.shape[3]


def open_existing(where: str) -> Existing:
    """Look at a store of pictures.

    Raises
    ------
    SourceNotFoundError
        Where there is none.
    UnsupportedError
        Where it holds something else.
    """
    zarr = zarr_module()
    if not is_url(where) and not os.path.isdir(where):
        raise SourceNotFoundError(f"There is no Zarr store at {where}.")
    try:
        group = zarr.open_group(open_store(where, read_only=True), mode="r", use_consolidated=False)
        array = group[IMAGES]
    except (OSError, KeyError, ValueError, TypeError, zarr.errors.BaseZarrError) as error:
        raise SourceNotFoundError(f"{where} holds no Zarr group with an array {IMAGES!r}: {why(error)}.") from error
    if not isinstance(array, zarr.Array) or array.ndim not in {3, 4} or array.dtype.kind not in "iufb":
        raise UnsupportedError(f"{where} holds under {IMAGES!r} something else than an array of pictures.")
    files = array.shards or array.chunks
    return Existing(where, described(array), dict(group.attrs), array.shape, array.dtype.name, files[0])


def run_sync(task: Any) -> Any:
    """Wait for what a store does."""
    from zarr.core.sync import sync

    return sync(task)


def clear_beyond(where: str, images: int, step: int) -> None:
    """Remove what lies in a store beyond its last picture, as an append that was killed leaves it.

    Parameters
    ----------
    where : str
    images : int
        How many pictures it has.
    step : int
        How many of them a file holds.
    """
    store = open_store(where)
    last = -(-images // step)

    async def clear() -> None:
        found = [key async for key in store.list_prefix(f"{IMAGES}/")]
        gone = [key for key in found if _row(key) >= last or key.endswith(PARTIAL)]
        await asyncio.gather(*(store.delete(key) for key in gone))

    run_sync(clear())
    if not is_url(where):
        for folder, _, _ in os.walk(os.path.join(where, IMAGES), topdown=False):
            with contextlib.suppress(OSError):  # it is not empty
                os.rmdir(folder)


def clear_partial(where: str) -> None:
    """Remove the files of a store on this machine that a process that was killed has not finished."""
    for folder, _, names in os.walk(where):
        for name in names:
            if name.endswith(PARTIAL):
                with contextlib.suppress(OSError):
                    os.unlink(os.path.join(folder, name))


def settle_from(where: str, row: int) -> None:
    """Have the system write the pictures' files of a store on this machine to the disk, from one row of files on."""
    with written(where):
        paths = list(_picture_files(where, row))
        if len(paths) > _MOST_SETTLED:
            os.sync()
            return
        for path in paths:
            settle(path)
        for folder in {os.path.dirname(path) for path in paths}:
            settle(folder)


def _picture_files(where: str, row: int) -> Iterator[str]:
    for folder, _, names in os.walk(os.path.join(where, IMAGES)):
        for name in names:
            path = os.path.join(folder, name)
            if _row(os.path.relpath(path, where).replace(os.sep, "/")) >= row:
                yield path


def _row(key: str) -> int:
    """Return which row of files a file of pictures is in; -1 for others."""
    first = key.removeprefix(f"{IMAGES}/").removeprefix("c/").replace(".", "/").split("/")[0]
    return int(first) if first.isdecimal() else -1


def remove_store(where: str) -> None:
    """Remove a store of an object store: first what makes it one."""
    store = open_store(where)

    async def remove() -> None:
        for name in ("zarr.json", ".zgroup"):
            await store.delete(name)
        await store.delete_dir("")

    run_sync(remove())


def check_replaceable(path: str) -> None:
    """Raise where something is at a path that is no Zarr store, nor an empty folder.

    Raises
    ------
    TargetExistsError
    """
    from h5explorer_py.errors import TargetExistsError

    with written(path):
        names = os.listdir(path) if os.path.isdir(path) else None
    if names is None or (names and not {"zarr.json", ".zgroup"} & set(names)):
        raise TargetExistsError(f"{path} is no Zarr store, and is not replaced.", action="Name another.")
