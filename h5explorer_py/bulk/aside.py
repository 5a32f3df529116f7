"""Writing beside a target, and moving the whole into its place at the end.

What is written lies in a hidden folder beside the target, on the same file system, which says whose it is. Those that
were left behind by a process that is no more are cleared away by the next one with the same target.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
from typing import TYPE_CHECKING, Any

from h5explorer_py.errors import ExplorerError, TargetExistsError, WriteFailedError
from h5explorer_py.files import why
from h5explorer_py.owner import Owner

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_SUFFIX = ".h5explorer"
_OWNER = "owner.json"
_CONTENT = "content"
_REPLACED = "replaced"
_LONGEST_NAME = 60


class Aside:
    """A hidden folder beside a target.

    Parameters
    ----------
    target : path
        What is to be there at the end: a file or a folder. Folders above it are made.
    may_replace : callable, optional
        Is given the path of what is there already; raises where that is not to be replaced. Without it nothing is.

    Attributes
    ----------
    target : str
        Its real path.
    content : str
        Where to write it.
    notices : tuple of str
        Sentences about what others left behind that had to stay.

    Raises
    ------
    TargetExistsError
        Where something is there that is not to be replaced.
    WriteFailedError
        Where nothing can be written.
    """

    def __init__(self, target: str | os.PathLike[str], may_replace: Callable[[str], None] | None = None) -> None:
        self.target = _real(os.fsdecode(target))
        self._may_replace = may_replace
        parent, self._name = os.path.split(self.target)
        self._made = _missing(parent)
        with written(self.target):
            os.makedirs(parent, exist_ok=True)
            self.notices = tuple(_clear(parent, self._name))
        try:
            self.check()
        except BaseException:
            self._remove_made()
            raise
        with written(self.target):
            self._folder = tempfile.mkdtemp(_SUFFIX, _prefix(self._name), parent)
            try:
                with open(os.path.join(self._folder, _OWNER), "w", encoding="utf-8") as file:
                    json.dump({"target": self._name, "owner": Owner.own().to_json()}, file)
            except BaseException:
                self.discard()
                raise
        self.content = os.path.join(self._folder, _CONTENT)

    def check(self) -> None:
        """Raise where something is there that is not to be replaced.

        Raises
        ------
        TargetExistsError
        """
        if not os.path.lexists(self.target):
            return
        if self._may_replace is None:
            raise TargetExistsError(f"{self.target} is there already.", action="Name another, or ask to overwrite it.")
        self._may_replace(self.target)

    def others(self) -> tuple[str, ...]:
        """Say which folders are there of other processes that may be about to write the same target.

        Of two processes that each make theirs and then look, at least one sees the other's.
        """
        with written(self.target):
            return tuple(_clear(*os.path.split(self.target)))

    def publish(self) -> None:
        """Move what has been written into its place.

        Raises
        ------
        TargetExistsError, WriteFailedError
            In which case what was there before is there still.
        """
        self.check()
        with written(self.target):
            if os.path.isdir(self.content):
                self._move_folder()
            else:
                os.replace(self.content, self.target)
            settle(os.path.dirname(self.target))
        self.discard()

    def _move_folder(self) -> None:
        settle(self.content)
        replaced = os.path.join(self._folder, _REPLACED)
        if not os.path.lexists(self.target):
            os.rename(self.content, self.target)
            return
        os.rename(self.target, replaced)
        try:
            os.rename(self.content, self.target)
        except BaseException:
            os.rename(replaced, self.target)
            raise

    def discard(self) -> None:
        """Remove what has been written beside the target, and the folders above it that were made and are empty."""
        shutil.rmtree(self._folder, ignore_errors=True)
        self._remove_made()

    def _remove_made(self) -> None:
        with contextlib.suppress(OSError):  # something is in one now
            for folder in reversed(self._made):
                os.rmdir(folder)


@contextlib.contextmanager
def written(target: str) -> Iterator[None]:
    """Turn errors of the system and of the libraries that write into one that names the target.

    Raises
    ------
    WriteFailedError
    """
    try:
        yield
    except ExplorerError:
        raise
    except (OSError, RuntimeError, ValueError) as error:  # Arrow's and HDF5's are of these kinds
        raise WriteFailedError(
            f"{target} cannot be written: {_reason(error)}.", action="What was there before is unchanged."
        ) from error


def close_anyway(file: Any) -> None:
    """Close a file that is of no use any more, whatever comes of it: a full disk, perhaps, ended the work on it."""
    with contextlib.suppress(Exception):
        file.close()


def settle(path: str) -> None:
    """Have the system write a file, or the names in a folder, to the disk: a full one may be told of only then."""
    number = os.open(path, os.O_RDONLY)
    try:
        if os.path.isdir(path):
            with contextlib.suppress(OSError):  # not every file system does it for folders
                os.fsync(number)
        else:
            os.fsync(number)
    finally:
        os.close(number)


def _reason(error: BaseException) -> str:
    if "errno = " not in str(error):
        return why(error).rstrip(".")
    from h5explorer_py.images.places import plain

    return plain(error)  # HDF5's


def _real(path: str) -> str:
    if not path or "\0" in path:
        raise WriteFailedError(f"{path!a} cannot be a path.")
    return os.path.realpath(os.path.expanduser(path))


def _missing(folder: str) -> list[str]:
    """Return the folders on the way to one that are not there, the outermost first."""
    found: list[str] = []
    while not os.path.lexists(folder):
        found.insert(0, folder)
        folder = os.path.dirname(folder)
    return found


def _prefix(name: str) -> str:
    return f".{os.fsdecode(os.fsencode(name)[:_LONGEST_NAME])}."


def _clear(parent: str, name: str) -> Iterator[str]:
    """Clear away what was left behind for this target; say what had to stay."""
    prefix = _prefix(name)
    try:
        names = os.listdir(parent)
    except PermissionError:
        return  # a folder that may be written, but not be looked into
    left = [os.path.join(parent, each) for each in names if each.startswith(prefix) and each.endswith(_SUFFIX)]
    for folder in sorted(left):
        try:
            with open(os.path.join(folder, _OWNER), encoding="utf-8") as file:
                fields = json.load(file)
            owner = Owner.of_json(fields["owner"])
            if fields["target"] != name:
                continue
        except (OSError, ValueError, TypeError, KeyError):
            continue  # none of ours, or one that is just being made
        if owner.is_gone(folder) and _restore(folder, os.path.join(parent, name)):
            shutil.rmtree(folder, ignore_errors=True)
        elif not owner.is_own:
            yield f"{folder} is of another process that may still write it; remove it if none does."


def _restore(folder: str, target: str) -> bool:
    """Put back what a process was about to replace when it ended; tell whether the rest may go."""
    replaced = os.path.join(folder, _REPLACED)
    if not os.path.lexists(replaced):
        return True
    if not os.path.lexists(target):
        os.rename(replaced, target)
        return True
    return not os.path.lexists(os.path.join(folder, _CONTENT))
