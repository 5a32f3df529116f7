"""Which files of a folder were written by this package: only those may ever be replaced by it."""

from __future__ import annotations

import json
import os

from h5explorer_py._version import __version__
from h5explorer_py.errors import TargetExistsError
from h5explorer_py.files import why

MANIFEST = ".h5explorer.json"
_SHOWN = 5


def write_manifest(folder: str) -> None:
    """Note the files of a folder and their sizes.

    Raises
    ------
    OSError
    """
    with os.scandir(folder) as entries:
        files = {each.name: each.stat().st_size for each in entries if each.name != MANIFEST}
    with open(os.path.join(folder, MANIFEST), "w", encoding="utf-8") as file:
        json.dump({"written by": f"h5explorer {__version__}", "files": files}, file, indent=1)
        file.flush()
        os.fsync(file.fileno())


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
    noted = _noted(folder)
    foreign = sorted(name for name, size in found.items() if size is None or size != noted.get(name))
    if foreign:
        more = f" and {len(foreign) - _SHOWN:,} more" if len(foreign) > _SHOWN else ""
        raise TargetExistsError(
            f"{folder} is not replaced, as it holds what was not written by h5explorer, or has changed since: "
            f"{', '.join(foreign[:_SHOWN])}{more}.",
            action="Name another folder, or move these away.",
        )


def _size(entry: os.DirEntry[str]) -> int | None:
    return entry.stat(follow_symlinks=False).st_size if entry.is_file(follow_symlinks=False) else None


def _noted(folder: str) -> dict[str, int]:
    try:
        with open(os.path.join(folder, MANIFEST), encoding="utf-8") as file:
            files = json.load(file)["files"]
        return {str(name): int(size) for name, size in files.items()}
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return {}
