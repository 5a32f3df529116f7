"""What may be where one file is to be written."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from h5explorer_py.errors import TargetExistsError

if TYPE_CHECKING:
    from collections.abc import Iterable


def check_target(path: str, *, overwrite: bool) -> None:
    """Raise where there is something that is not to be replaced.

    Raises
    ------
    TargetExistsError
    """
    real = os.path.realpath(os.path.expanduser(path))
    if not os.path.lexists(real):
        return
    if not overwrite:
        raise TargetExistsError(f"{path} is there already.", action="Name another, or ask to overwrite it.")
    check_file(real)


def check_file(path: str) -> None:
    """Raise where there is something else than a file.

    Raises
    ------
    TargetExistsError
    """
    mode = os.stat(path).st_mode
    if not stat.S_ISREG(mode):
        what = "a folder" if stat.S_ISDIR(mode) else "no regular file"
        raise TargetExistsError(f"{path} is {what}, which is not replaced.", action="Name another.")


def check_no_source(path: str, sources: Iterable[str]) -> None:
    """Raise where a file is to be written in the place of one that is read.

    Raises
    ------
    TargetExistsError
    """
    try:
        target = os.stat(os.path.expanduser(path))
    except (OSError, ValueError):
        return
    for source in dict.fromkeys(sources):
        try:
            status = os.stat(source)
        except (OSError, ValueError):
            continue
        if (status.st_dev, status.st_ino) == (target.st_dev, target.st_ino):
            raise TargetExistsError(
                f"{path} is {source}, which is read: it would be replaced by what is made of it.",
                action="Name another file to write.",
            )
