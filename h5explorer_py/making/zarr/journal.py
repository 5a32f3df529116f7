"""What has been done of an append: so that one that is killed is gone on with, and two are not done at once."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import os
import time
from typing import IO, TYPE_CHECKING, Any

from h5explorer_py.bulk.aside import written
from h5explorer_py.decode.facts import Facts
from h5explorer_py.errors import TargetExistsError
from h5explorer_py.making.outcome import Outcome
from h5explorer_py.owner import Owner

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from h5explorer_py.making.items import Item

NAME = ".h5explorer-append.jsonl"
_FRESH_SECONDS = 600.0
"""For how long a journal counts that is of another machine, which cannot be asked."""


class Journal:
    """A file in a store: whose the append is, what it adds, and which files of pictures it has written.

    Parameters
    ----------
    store : str
        The path of the store.
    digest : str
        Of what is added, and how: only an append of the same is gone on with.

    Attributes
    ----------
    done : dict
        For each file that has been written before, by the number of its first picture: what came of its pictures.

    Raises
    ------
    TargetExistsError
        Where another process adds to the store.
    WriteFailedError
    """

    def __init__(self, store: str, digest: str) -> None:
        self._path = os.path.join(store, NAME)
        self.done = self._left(digest)
        head = {"owner": Owner.own().to_json(), "digest": digest}
        partial = f"{self._path}.{os.getpid()}.partial"
        with written(store):
            with open(partial, "w", encoding="utf-8") as file:
                file.write(json.dumps(head) + "\n")
                file.writelines(_line(start, outcomes) for start, outcomes in self.done.items())
            os.replace(partial, self._path)
            self._file: IO[str] = open(self._path, "a", encoding="utf-8")  # noqa: SIM115  (closed at the end)

    def _left(self, digest: str) -> dict[int, list[Outcome]]:
        """Return what an append that is over has left of the same work."""
        try:
            age = time.time() - os.stat(self._path).st_mtime
            with open(self._path, encoding="utf-8") as file:
                head, *lines = file.read().splitlines()
            told = json.loads(head)
            owner = Owner.of_json(told["owner"])
        except (OSError, ValueError, TypeError, KeyError):
            return {}
        lives = None if owner.is_own else owner.lives
        if not owner.is_own and (lives or (lives is None and age < _FRESH_SECONDS)):
            raise TargetExistsError(
                f"{os.path.dirname(self._path)} is being added to by process {owner.pid} on {owner.host}.",
                action="Wait for it to end.",
            )
        if owner.boot != Owner.own().boot:
            return {}  # what the system had not written to the disk yet is lost
        return _read(lines) if told.get("digest") == digest else {}

    def note(self, start: int, outcomes: Sequence[Outcome]) -> None:
        """Note that a file of pictures has been written."""
        with written(self._path):
            self._file.write(_line(start, outcomes))
            self._file.flush()

    def forget(self) -> None:
        """Note nothing of what has been done so far: it is done anew."""
        with written(self._path):
            self._file.flush()
            with open(self._path, encoding="utf-8") as file:
                size = len(file.readline().encode())
            os.truncate(self._path, size)
        self.done = {}

    def close(self) -> None:
        """Keep it for the next one."""
        with contextlib.suppress(OSError):
            self._file.close()

    def remove(self) -> None:
        """Remove it: all is done."""
        self.close()
        with contextlib.suppress(OSError):
            os.unlink(self._path)


def digest_of(items: Iterable[Item], *others: Any) -> str:
    """Return what tells pictures, with their files' sizes and times, and the ways of adding them, from others."""
    told = hashlib.sha256()
    for item in items:
        told.update(json.dumps([item.name, item.path, item.page, repr(item.inside), *_state(item.path)]).encode())
    told.update(json.dumps([repr(each) for each in others]).encode())
    return told.hexdigest()


def _state(path: str) -> tuple[int, int]:
    try:
        status = os.stat(path)
    except OSError:
        return 0, 0
    return status.st_size, status.st_mtime_ns


def _line(start: int, outcomes: Sequence[Outcome]) -> str:
    return json.dumps([start, [dataclasses.asdict(each) for each in outcomes]]) + "\n"


def _read(lines: Sequence[str]) -> dict[int, list[Outcome]]:
    """Read what was noted; the last line may be cut short."""
    done: dict[int, list[Outcome]] = {}
    with contextlib.suppress(ValueError, TypeError, KeyError):
        for line in lines:
            start, outcomes = json.loads(line)
            done[int(start)] = [_outcome(each) for each in outcomes]
    return done


def _outcome(fields: dict[str, Any]) -> Outcome:
    facts = fields.pop("facts")
    return Outcome(**fields, facts=None if facts is None else Facts(**facts))
