"""What came of a job: how much was done, and each failure."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Literal, NamedTuple

from h5explorer_py.bulk.aside import close_anyway, settle

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from h5explorer_py.errors import ExplorerError

FAILURES = "failures.csv"
FAILURES_KEPT = 1_000

What = Literal["image", "record"]


class Failure(NamedTuple):
    """An image or a record that could not be read.

    Attributes
    ----------
    row : int
        The row of the source's lookup, from 0.
    uuid : str or None
        Its uuid; ``None`` where it has none.
    what : str
        ``"image"``: the row is left out. ``"record"``: the row is there, with its image alone.
    code : str
        The code of the error.
    reason : str
        A sentence.
    """

    row: int
    uuid: str | None
    what: What
    code: str
    reason: str

    @classmethod
    def of(cls, row: int, uuid: str | None, what: What, error: ExplorerError) -> Failure:
        """Make one of an error."""
        return cls(row, uuid, what, error.code, error.message)


@dataclass(frozen=True)
class Report:
    """What came of an extraction.

    Attributes
    ----------
    lookup : str
        The path of the new lookup.
    asked : int
        How many rows were asked for.
    rows : int
        How many rows the new lookup has: those asked for, less those whose image failed.
    images, records, shards : int
        How many there are of each.
    bytes : int
        The sizes of the encoded images, in bytes.
    repeated : int
        Rows of the new lookup whose uuid another row above them has. Those of the same image share it where they lie
        in one shard; others have an image each.
    several_records : int
        Images with several records in their metadata file, of which the first was taken.
    failed_images : int
        Rows that were left out, as their image could not be read.
    failed_records : int
        Rows whose record could not be read.
    failures : tuple of Failure
        The first 1,000 of them; all are in ``failures.csv`` beside the lookup.
    notices : tuple of str
        What else is to be said.
    """

    lookup: str
    asked: int
    rows: int
    images: int
    records: int
    shards: int
    bytes: int
    repeated: int
    several_records: int
    failed_images: int
    failed_records: int
    failures: tuple[Failure, ...]
    notices: tuple[str, ...]

    @property
    def failed(self) -> int:
        """How many failures there were in all."""
        return self.failed_images + self.failed_records

    def sentences(self) -> list[str]:
        """Say it in words."""
        images = f"Images: {self.images:,} ({self.bytes:,} bytes)."
        rows = f"Rows: {self.rows:,} of {self.asked:,}."
        said = [f"{rows} {images} Records: {self.records:,}. Shards: {self.shards:,}."]
        if self.repeated:
            said.append(f"Rows whose uuid a row above them has: {self.repeated:,}. No image of theirs is lost.")
        if self.several_records:
            said.append(f"Images with several records, of which the first was taken: {self.several_records:,}.")
        if self.failed_images:
            said.append(f"Rows left out, as their image could not be read: {self.failed_images:,}.")
        if self.failed_records:
            said.append(f"Rows whose record could not be read, with their image alone: {self.failed_records:,}.")
        if self.failed:
            said.append(f"{FAILURES} beside the lookup has each of these with its reason.")
        return [*said, *self.notices]


class FailureLog:
    """Counts failures, keeps the first, and writes all of them to a file, which is made with the first.

    Parameters
    ----------
    path : str
        The file.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._file: IO[str] | None = None
        self.kept: list[Failure] = []
        self.images = self.records = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            close_anyway(self._file)

    def close(self) -> None:
        """Write what is held, and have the system write it to the disk.

        Raises
        ------
        OSError
            Where it cannot be written.
        """
        if self._file is not None:
            self._file.close()
            settle(self._path)

    def add(self, failure: Failure) -> None:
        """Note a failure.

        Raises
        ------
        OSError
            Where the file cannot be written.
        """
        if self._file is None:
            self._file = open(  # noqa: SIM115  (closed at the end)
                self._path, "w", encoding="utf-8", errors="backslashreplace", newline=""
            )
            csv.writer(self._file, lineterminator="\r\n").writerow(Failure._fields)
        csv.writer(self._file, lineterminator="\r\n").writerow(failure)
        if failure.what == "image":
            self.images += 1
        else:
            self.records += 1
        if len(self.kept) < FAILURES_KEPT:
            self.kept.append(failure)
