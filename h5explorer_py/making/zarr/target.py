"""A Zarr store that is made, or grows: where its pictures are written, and what makes them count."""

from __future__ import annotations

import os
import uuid
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from h5explorer_py._version import __version__
from h5explorer_py.bulk.aside import Aside, settle, written
from h5explorer_py.decode.picture import SUFFIXES
from h5explorer_py.errors import TargetExistsError
from h5explorer_py.making.zarr import store as zarr_store
from h5explorer_py.making.zarr.beside import Beside, joined, read_beside
from h5explorer_py.making.zarr.fitting import rule_of_store
from h5explorer_py.making.zarr.journal import Journal
from h5explorer_py.making.zarr.layout import CHUNK, codec_of, description_of, layout_of
from h5explorer_py.making.zarr.store import HISTORY, MARK, Existing, is_url

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pyarrow as pa

    from h5explorer_py.decode.facts import Kind
    from h5explorer_py.making.outcome import Outcome
    from h5explorer_py.making.rule import Rule, Survey


@dataclass(frozen=True, slots=True)
class Asked:
    """What pictures are asked to become.

    Attributes
    ----------
    size : (int, int) or None
        Height and width.
    dtype : str or None
    kind : str or None
        What the channels are to be.
    """

    size: tuple[int, int] | None = None
    dtype: str | None = None
    kind: Kind | None = None


@dataclass(frozen=True, slots=True)
class ZarrOptions:
    """How a store is written.

    Attributes
    ----------
    chunk_shape : tuple of int
        Pictures, height and width of what is compressed by itself.
    shard_size : int or str or None
        Pictures of a file, or its size before it is compressed as ``"64MiB"``.
    compressor : str
        ``"lz4"``, ``"zstd"``, ``"blosc"``, ``"gzip"`` or ``"none"``.
    level : int
        1 to 9.
    overwrite : bool
        Whether to replace a store that is there.
    append : bool
        Whether to add to it.
    """

    chunk_shape: tuple[int, ...] = CHUNK
    shard_size: int | str | None = None
    compressor: str = "lz4"
    level: int = 1
    overwrite: bool = False
    append: bool = False


class Target(ABC):
    """Where pictures are written, and what makes them count.

    Attributes
    ----------
    writing : str
        The store that is written into.
    description : dict
        Of its array, as it will be.
    offset : int
        How many pictures it has already.
    step : int
        How many a file holds.
    notices : list of str
    """

    writing: str
    description: dict[str, Any]
    offset = 0
    step = 1

    def __init__(self) -> None:
        self.notices: list[str] = []

    @abstractmethod
    def begin(self, survey: Survey, images: int, asked: Asked) -> Rule:
        """Decide what pictures become, and how the array will lie."""

    @abstractmethod
    def finish(self, table: pa.Table, creation: dict[str, Any]) -> None:
        """Make what was written count.

        Parameters
        ----------
        table : pyarrow.Table
            A row for each picture that was written.
        creation : dict
            How they were made.
        """

    @abstractmethod
    def end(self) -> None:
        """Remove what has not come into its place."""

    def resume(self, digest: str) -> Mapping[int, list[Outcome]]:  # noqa: ARG002  (for those that can)
        """Return what has been written of the same work before, by the number of its first picture in the array."""
        return {}

    def note(self, start: int, outcomes: Sequence[Outcome]) -> None:  # noqa: B027  (for those that can)
        """Note that a file of pictures has been written."""

    def spans(self, images: int) -> Iterator[tuple[int, int]]:
        """Return which of the new pictures lie in a file each."""
        start = 0
        while start < images:
            stop = min(images, start + self.step - (self.offset + start) % self.step)
            yield start, stop
            start = stop

    def shorten(self, images: int) -> None:
        """Take note that there are fewer pictures than were written."""
        self.description = zarr_store.with_length(self.description, self.offset + images)
        zarr_store.clear_beyond(self.writing, self.offset + images, self.step)


class NewStore(Target):
    """A store that is not there yet, or is replaced."""

    def __init__(self, store: str, table: str, options: ZarrOptions) -> None:
        super().__init__()
        self._store, self._options = store, options
        self._aside: Aside | None = None
        self._rule: Rule | None = None
        if is_url(store):
            if not options.overwrite and exists(store):
                raise _there(store)
            self.writing = store
        else:
            self._aside = Aside(store, self._check)
            self.writing = self._aside.content
            self.notices += self._aside.notices
        try:
            self._table = Beside(table, overwrite=options.overwrite)
        except BaseException:
            if self._aside is not None:
                self._aside.discard()
            raise

    def _check(self, path: str) -> None:
        if not self._options.overwrite and (not os.path.isdir(path) or os.listdir(path)):
            raise _there(path)
        zarr_store.check_replaceable(path)

    def begin(self, survey: Survey, images: int, asked: Asked) -> Rule:
        options = self._options
        rule = self._rule = survey.rule(size=asked.size, dtype=asked.dtype, kind=asked.kind)
        layout = layout_of(images, rule, options.chunk_shape, options.shard_size)
        self.step = layout.step
        codec = codec_of(options.compressor, options.level, rule.dtype)
        self.description = description_of(layout, rule.dtype, codec)
        if self._aside is None and options.overwrite:
            zarr_store.remove_store(self._store)
        return rule

    def finish(self, table: pa.Table, creation: dict[str, Any]) -> None:
        assert self._rule is not None
        mark = uuid.uuid4().hex
        put_table = self._table.write(table, mark)
        attributes = attributes_of(table.num_rows, self._rule, self._options, self._table.path)
        attributes["creation_info"] = creation
        attributes[MARK] = mark
        zarr_store.write_array(self.writing, self.description)
        if self._aside is None:
            put_table()
            zarr_store.write_group(self.writing, attributes)  # what makes it a store comes last
            return
        zarr_store.write_group(self.writing, attributes)
        zarr_store.clear_partial(self.writing)  # of workers that were lost
        zarr_store.settle_from(self.writing, 0)
        with written(self._store):
            for folder, _, _ in os.walk(self.writing):
                settle(folder)
        self._aside.check()
        put_table()
        self._aside.publish()

    def end(self) -> None:
        self._table.discard()
        if self._aside is not None:
            self._aside.discard()


class AppendedStore(Target):
    """A store that grows: all is written before its array is said to be longer."""

    def __init__(self, existing: Existing, table: str) -> None:
        super().__init__()
        self._existing = existing
        self.writing = existing.where
        self.offset, self.step = existing.images, existing.step
        self._table = Beside(table, overwrite=True)
        self._journal: Journal | None = None

    def begin(self, survey: Survey, images: int, asked: Asked) -> Rule:
        existing = self._existing
        rule = rule_of_store(existing, survey.rule(size=asked.size, dtype=asked.dtype, kind=asked.kind))
        self.description = zarr_store.with_length(existing.description, existing.images + images)
        return rule

    def resume(self, digest: str) -> Mapping[int, list[Outcome]]:
        existing = self._existing
        if not is_url(existing.where):
            self._journal = Journal(existing.where, digest)
            zarr_store.clear_partial(existing.where)
            if self._journal.done:
                return self._journal.done
        zarr_store.clear_beyond(existing.where, existing.images, existing.step)
        return {}

    def note(self, start: int, outcomes: Sequence[Outcome]) -> None:
        if self._journal is not None:
            self._journal.note(start, outcomes)

    def shorten(self, images: int) -> None:
        if self._journal is not None:
            self._journal.forget()
        super().shorten(images)

    def finish(self, table: pa.Table, creation: dict[str, Any]) -> None:
        existing = self._existing
        before, notices = read_beside(self._table.path, existing.images, existing.mark)
        self.notices += notices
        if not is_url(existing.where):
            zarr_store.clear_partial(existing.where)  # of workers that were lost
            zarr_store.settle_from(existing.where, existing.images // existing.step)
        self._table.write(joined(before, table), existing.mark)()
        attributes = appended(existing, table.num_rows, creation)
        zarr_store.write_group(existing.where, attributes, existing.description["zarr_format"])
        zarr_store.write_array(existing.where, self.description)  # from here on the new pictures are there
        if self._journal is not None:
            self._journal.remove()

    def end(self) -> None:
        self._table.discard()
        if self._journal is not None:
            self._journal.close()


def exists(store: str) -> bool:
    """Tell whether something is there."""
    if not is_url(store):
        return os.path.lexists(store) and not (os.path.isdir(store) and not os.listdir(store))
    opened = zarr_store.open_store(store, read_only=True)
    return bool(zarr_store.run_sync(opened.exists("zarr.json")) or zarr_store.run_sync(opened.exists(".zgroup")))


def _there(store: str) -> TargetExistsError:
    return TargetExistsError(f"{store} is there already.", action="Ask to overwrite it, or to append to it.")


def appended(existing: Existing, images: int, creation: dict[str, Any]) -> dict[str, Any]:
    """Return what a store says of itself with so many pictures more; what an append that was killed said is dropped."""
    start = existing.images
    kept = [each for each in existing.attributes.get(HISTORY, []) if _is_past(each, start)]
    counts = {"appended_count": images, "start_index": start, "end_index": start + images}
    kept.append({**counts, "source_folders": creation["source_folders"]})
    return {**existing.attributes, "total_images": start + images, HISTORY: kept}


def _is_past(entry: Any, images: int) -> bool:
    return isinstance(entry, dict) and isinstance(entry.get("end_index"), int) and entry["end_index"] <= images


def attributes_of(images: int, rule: Rule, options: ZarrOptions, table: str) -> dict[str, Any]:
    """Return what a new store says of itself."""
    layout = layout_of(images, rule, options.chunk_shape, options.shard_size)
    return {
        "total_images": images,
        "image_shape": list(rule.shape),
        "chunk_shape": list(layout.chunks[1:]),
        "images_per_chunk": layout.chunks[0],
        "images_per_shard": layout.step,
        "channels": rule.kind,
        "compressor": options.compressor,
        "compression_level": options.level,
        "metadata_file": table,
        "supported_extensions": sorted(SUFFIXES),
        HISTORY: [],
        "written_by": f"h5explorer {__version__}",
    }
