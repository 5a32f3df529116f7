"""The folder that shards are written to: a new one, or one that has a data set, which is added to."""

from __future__ import annotations

import os
import re
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Self

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from h5explorer_py.bulk.aside import Aside, close_anyway, settle, written
from h5explorer_py.bulk.manifest import MANIFEST, check_own, noted_files, write_manifest
from h5explorer_py.bulk.shard_writer import LOOKUP
from h5explorer_py.errors import TargetExistsError
from h5explorer_py.files import Signature, regular_file, shorten
from h5explorer_py.lookup.parquet import SMALL_GROUP
from h5explorer_py.shards import IMAGES_SUFFIX, METADATA_SUFFIX

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

SCHEMA = pa.schema([("uuid", pa.string()), ("filepath", pa.string())])
_SUFFIXES = (IMAGES_SUFFIX, METADATA_SUFFIX)
_NAME = re.compile(r"shard_([0-9]{5,})")
_FILE = re.compile(rf"(shard_([0-9]{{5,}}))({'|'.join(map(re.escape, _SUFFIXES))})")
_BATCH = 65_536


class Target(ABC):
    """Where shards are written to, used in a ``with`` statement: what is not published leaves nothing.

    Attributes
    ----------
    folder : str
        The folder of the data set.
    content : str
        Where to write files until they are published.
    first : int
        The number of the first shard.
    before : str or None
        The lookup whose rows come before ours.
    """

    before: str | None = None

    def __init__(self, aside: Aside, first: int = 0) -> None:
        self._aside = aside
        self._expected: set[str] = {LOOKUP}
        self.folder = aside.target
        self.content = aside.content
        self.first = first
        try:
            with written(self.folder):
                os.mkdir(self.content)
        except BaseException:
            aside.discard()
            raise

    @property
    def notices(self) -> tuple[str, ...]:
        """Sentences about what others left behind."""
        return self._aside.notices

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._aside.discard()

    def expect(self, name: str) -> None:
        """Note that a shard has been written."""
        self._expected.update(name + suffix for suffix in _SUFFIXES)

    def publish(self) -> None:
        """Move all into its place.

        Raises
        ------
        TargetExistsError, WriteFailedError
        """
        with written(self.folder):
            for name in set(os.listdir(self.content)) - self._expected:  # of workers that were lost
                os.unlink(os.path.join(self.content, name))
            self._publish()

    @abstractmethod
    def _publish(self) -> None: ...


class NewShards(Target):
    """A folder that is not there yet, or is to be replaced."""

    def __init__(self, folder: str | os.PathLike[str], overwrite: bool) -> None:  # noqa: FBT001
        super().__init__(Aside(folder, check_own if overwrite else None))

    def _publish(self) -> None:
        write_manifest(self.content)
        self._aside.publish()


class AppendedShards(Target):
    """A data set of ours that is added to: it is the old one until its lookup is replaced, which comes last.

    Raises
    ------
    TargetExistsError
        Where the folder has no data set of ours, or another process may be adding to it.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        aside = Aside(folder, lambda _: None)
        try:
            others = aside.others()
            if others:
                raise TargetExistsError(f"Nothing is added to {aside.target} now: {' '.join(others)}")
            self.before = os.path.join(aside.target, LOOKUP)
            self._noted = noted_files(aside.target)
            self._seen = _check_lookup(aside.target, self._noted)
            self._names = _check_shards(aside.target, self._noted)
            first = self._clear(aside.target)
        except BaseException:
            aside.discard()
            raise
        super().__init__(aside, first)

    def _clear(self, folder: str) -> int:
        """Remove what a process left behind that ended as it published; return the number of the first new shard."""
        numbers = [int(match[1]) for match in map(_NAME.fullmatch, self._names) if match]
        with written(folder):
            for each in os.listdir(folder):
                match = _FILE.fullmatch(each)
                if match is None or match[1] in self._names:
                    continue
                if each in self._noted:
                    os.unlink(os.path.join(folder, each))
                else:
                    numbers.append(int(match[2]))  # somebody else's
        return max(numbers, default=-1) + 1

    def _publish(self) -> None:
        lookup = os.path.join(self.folder, LOOKUP)
        if regular_file(lookup) != self._seen:
            raise TargetExistsError(
                f"{lookup} has been changed by another process meanwhile, and is not replaced.", action="Try again."
            )
        settle(self.content)
        old = self._sizes(self.folder, self._noted)
        coming = self._sizes(self.content, self._expected)
        self._note(old, coming)
        for name in sorted(self._expected - {LOOKUP}):
            self._move(name)
        settle(self.folder)
        self._move(LOOKUP)
        settle(self.folder)
        self._note(old | coming)

    def _note(self, files: dict[str, int], coming: dict[str, int] | None = None) -> None:
        write_manifest(self.content, files, coming)
        self._move(MANIFEST)
        settle(self.folder)

    def _move(self, name: str) -> None:
        os.replace(os.path.join(self.content, name), os.path.join(self.folder, name))

    @staticmethod
    def _sizes(folder: str, names: set[str] | dict[str, set[int]]) -> dict[str, int]:
        with os.scandir(folder) as entries:
            return {each.name: each.stat().st_size for each in entries if each.name in names}


class LookupFile:
    """The lookup that is being written, used in a ``with`` statement."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._path = os.path.join(target.content, LOOKUP)
        self._held: list[pa.Table] = []
        self._rows_held = 0

    def __enter__(self) -> Self:
        with written(self._target.folder):
            self._file = open(self._path, "wb")
            self._writer = pq.ParquetWriter(self._file, SCHEMA, compression="zstd")
            if self._target.before is not None:
                with pq.ParquetFile(self._target.before) as old:
                    for batch in old.iter_batches(_BATCH):
                        self._hold(pa.Table.from_batches([batch]).cast(SCHEMA))
        return self

    def add(self, name: str, keys: Sequence[str]) -> None:
        """Add the rows of a shard."""
        with written(self._target.folder):
            self._hold(
                pa.table([pa.array(keys, pa.string()), pa.array([name] * len(keys), pa.string())], schema=SCHEMA)
            )

    def _hold(self, rows: pa.Table) -> None:
        self._held.append(rows)
        self._rows_held += rows.num_rows
        if self._rows_held >= SMALL_GROUP:
            self._write()

    def _write(self) -> None:
        if self._rows_held:
            self._writer.write_table(pa.concat_tables(self._held), row_group_size=SMALL_GROUP)
        self._held, self._rows_held = [], 0

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self._writer.is_open = False  # else it is closed again when it is forgotten
            close_anyway(self._file)
            return
        with written(self._target.folder):
            self._write()
            self._writer.close()
            self._file.close()
            settle(self._path)


def _check_lookup(folder: str, noted: dict[str, set[int]]) -> Signature:
    path = os.path.join(folder, LOOKUP)
    try:
        seen = regular_file(path)
        if seen.size not in noted.get(LOOKUP, ()):
            raise _foreign(folder, LOOKUP)
        columns = pq.read_schema(path)
    except (OSError, pa.ArrowException) as error:
        raise error if isinstance(error, TargetExistsError) else _foreign(folder, LOOKUP) from error
    if not columns.equals(SCHEMA, check_metadata=False):
        raise TargetExistsError(
            f"{path} has other columns than uuid and filepath, and is not added to.", action="Name another folder."
        )
    return seen


def _check_shards(folder: str, noted: dict[str, set[int]]) -> set[str]:
    """Return the names of the shards that the lookup names, all of which must be there as they were written."""
    names: set[str] = set()
    with written(folder), pq.ParquetFile(os.path.join(folder, LOOKUP)) as lookup:
        for batch in lookup.iter_batches(_BATCH, columns=["filepath"]):
            names.update(pc.unique(batch.column(0)).to_pylist())
    for name in names:
        for file in (f"{name}{suffix}" for suffix in _SUFFIXES):
            path = os.path.join(folder, file)
            if not os.path.isfile(path) or os.path.getsize(path) not in noted.get(file, ()):
                raise _foreign(folder, file)
    return names


def _foreign(folder: str, name: str) -> TargetExistsError:
    return TargetExistsError(
        f"Nothing is added to {folder}, as {shorten(name)} was not written by h5explorer, or has changed since.",
        action="Name another folder.",
    )
