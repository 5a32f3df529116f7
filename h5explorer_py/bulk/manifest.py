"""Which files of a folder were written by this package: only those may ever be replaced by it."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from h5explorer_py._version import __version__
from h5explorer_py.errors import TargetExistsError
from h5explorer_py.files import why

if TYPE_CHECKING:
    from collections.abc import Mapping

MANIFEST = ".h5explorer.json"
_SHOWN = 5


def write_manifest(
    folder: str, files: Mapping[str, int] | None = None, coming: Mapping[str, int] | None = None
) -> None:
    """Note the files of a folder and their sizes.

    Parameters
    ----------
    folder : str
        Where it is written.
    files : mapping of str to int, optional
        The sizes by name, where they are not those of what lies in the folder.
    coming : mapping of str to int, optional
        Those of files that are about to be moved there, which then are its own too.

    Raises
    ------
    OSError
    """
    if files is None:
        with os.scandir(folder) as entries:
            files = {each.name: each.stat().st_size for each in entries if each.name != MANIFEST}
    content: dict[str, Any] = {"written by": f"h5explorer {__version__}", "files": dict(files)}
    if coming:
        content["coming"] = dict(coming)
    with open(os.path.join(folder, MANIFEST), "w", encoding="utf-8") as file:
        json.dump(content, file, indent=1)
        file.flush()
        os.fsync(file.fileno())


def noted_files(folder: str) -> dict[str, set[int]]:
    """Return the sizes that the files of a folder may have that this package has written; empty where it has none."""
    noted: dict[str, set[int]] = {}
    try:
        with open(os.path.join(folder, MANIFEST), encoding="utf-8") as file:
            content = json.load(file)
        for name, size in (*content["files"].items(), *content.get("coming", {}).items()):
            noted.setdefault(str(name), set()).add(int(size))
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return {}
    return noted


def check_own(folder: str) -> None:
    """Raise where a folder holds anything that this package has not written as it is now.

    Raises
    ------
    TargetExistsError
    """
    if not os.path.isdir(folder):
        raise TargetExistsError(f"{folder} is no folder, and is not replaced.", action="Name another.")
    try:
        with os.scandir(folder) as entries:
            found = {each.name: _size(each) for each in entries}
    except OSError as error:
        raise TargetExistsError(f"{folder} cannot be looked into: {why(error)}.", action="Name another.") from error
    if not found:
        return
    found.pop(MANIFEST, None)
    noted = noted_files(folder)
    foreign = sorted(name for name, size in found.items() if size is None or size not in noted.get(name, ()))
    if foreign:
        more = f" and {len(foreign) - _SHOWN:,} more" if len(foreign) > _SHOWN else ""
        raise TargetExistsError(
            f"{folder} is not replaced, as it holds what was not written by h5explorer, or has changed since: "
            f"{', '.join(foreign[:_SHOWN])}{more}.",
            action="Name another folder, or move these away.",
        )


def _size(entry: os.DirEntry[str]) -> int | None:
    return entry.stat(follow_symlinks=False).st_size if entry.is_file(follow_symlinks=False) else None
