"""From picture files to the shards that the Explorer reads: the files' bytes as they are, and what is known of each."""

from __future__ import annotations

import os
import time
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from h5explorer_py.bulk.running import run
from h5explorer_py.errors import BadRequestError, ConvertFailedError, UnsupportedError
from h5explorer_py.making.job import Context, Failure, JobOptions, State, look_for
from h5explorer_py.making.report import FAILURES_KEPT, ConvertReport
from h5explorer_py.making.shards.parts import limits, parts, sizes_of
from h5explorer_py.making.shards.records import packed
from h5explorer_py.making.shards.target import AppendedShards, LookupFile, NewShards
from h5explorer_py.making.shards.task import ShardTask, write_shard

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from h5explorer_py.making.items import Found, Item
    from h5explorer_py.making.labels import Labels
    from h5explorer_py.making.shards.target import Target
    from h5explorer_py.making.shards.task import ShardMade


@dataclass(frozen=True, slots=True)
class ShardsOptions:
    """How shards are written.

    Attributes
    ----------
    images_per_shard, bytes_per_shard : int, optional
        How many images a shard has at most, and how many bytes if it has more than one. Where they are not given, so
        few that there are some tens of shards, as each is written by one worker, and not more than 10,000 and 4 GiB.
        The number of workers has no part in it: the same pictures make the same shards.
    stats : bool
        Whether to decode all pixels, and note the least, the greatest and the mean of each picture's values.
    overwrite : bool
        Whether to replace a data set that was written by h5explorer.
    append : bool
        Whether to add to one, if there is one.
    """

    images_per_shard: int | None = None
    bytes_per_shard: int | None = None
    stats: bool = False
    overwrite: bool = False
    append: bool = False


def write_shards(
    sources: Iterable[str | os.PathLike[str]],
    output: str | os.PathLike[str],
    job: JobOptions,
    shards: ShardsOptions,
    context: Context,
) -> ConvertReport:
    """Write a data set of picture files.

    Each file is read once, and its bytes are kept as they are. One that no picture can be read of is kept too, with
    what is wrong with it in its record; empty files, and those that cannot be read, are left out.

    Parameters
    ----------
    sources : iterable of path
        Folders, files, patterns and lists.
    output : path
        The folder of the data set. Nothing is there until it is whole.
    job : JobOptions
        ``on_error`` ``"zero"`` keeps what is no picture, ``"skip"`` leaves it out, ``"stop"`` ends the conversion.
    shards : ShardsOptions
    context : Context

    Raises
    ------
    BadRequestError, UnsupportedError
        Where something is asked for that shards cannot be.
    SourceNotFoundError, LabelsError
        Where there is nothing to convert, or the metadata cannot be joined.
    TargetExistsError
        Where the folder is there, and is neither to be replaced nor to be added to.
    ConvertFailedError
        Where a picture cannot be read, and that is to end the conversion; or none can be.
    WriteFailedError
        In all these cases, what was there before is there still, and nothing else.
    """
    begun = time.monotonic()
    _check(os.fsdecode(output), job, shards)
    found, labels = look_for(sources, job)
    with _target(output, shards) as target:
        work = _Work(found, labels, target, job, shards, context)
        work.do()
        if not work.images:
            raise ConvertFailedError(
                f"None of the {len(found.items):,} pictures can be read: {work.failures[0].reason}",
                action="Nothing is written.",
            )
        target.publish()
    return ConvertReport(
        output=target.folder,
        metadata=None,
        images=work.images,
        rule=None,
        failed=work.failed,
        failures=tuple(work.failures),
        left_out=tuple(found.left_out_names),
        without_picture=labels.without_picture if labels else (),
        without_labels=labels.without_labels if labels else (),
        bytes_read=work.bytes_read,
        bytes_written=work.bytes_written,
        seconds=time.monotonic() - begun,
        notices=(*found.notices, *target.notices),
    )


_AS_THEY_ARE = "Shards keep the bytes of the files as they are, so that"


def _check(output: str, job: JobOptions, shards: ShardsOptions) -> None:
    for asked, said in (
        (job.size, "no picture can be resized"),
        (job.dtype, "no values can get another type"),
        (job.kind, "no channels can be changed"),
        (job.pages == "each", "the pictures of one file cannot be parted"),
    ):
        if asked:
            raise BadRequestError(f"{_AS_THEY_ARE} {said}.", action="Do not ask for it, or convert to Zarr or HDF5.")
    if "://" in output:
        raise UnsupportedError(
            f"Shards are not written to addresses ({output}).", action="Write them to a folder, and copy that."
        )
    if shards.append and shards.overwrite:
        raise BadRequestError("A data set is either added to or replaced.", action="Ask for one of them.")
    if any(limit is not None and limit < 1 for limit in (shards.images_per_shard, shards.bytes_per_shard)):
        raise BadRequestError("A shard holds at least one image.")


def _target(output: str | os.PathLike[str], shards: ShardsOptions) -> Target:
    folder = os.path.expanduser(output)
    if not shards.append or not os.path.lexists(folder):
        return NewShards(output, shards.overwrite)
    is_empty = os.path.isdir(folder) and not os.listdir(folder)
    return NewShards(output, overwrite=True) if is_empty else AppendedShards(output)


def _marks(items: Sequence[Item]) -> dict[int, str]:
    """Tell apart pictures of several folders that have the same path below theirs: they may have the same bytes too."""
    marks = {}
    counts: defaultdict[str, int] = defaultdict(int)
    for place, item in enumerate(items):
        if counts[item.below]:
            marks[place] = str(counts[item.below])
        counts[item.below] += 1
    return marks


@dataclass
class _Work:
    """Has the shards written, and their rows put into the lookup."""

    found: Found
    labels: Labels | None
    target: Target
    job: JobOptions
    shards: ShardsOptions
    context: Context
    images: int = 0
    failed: int = 0
    """Pictures that could not be read, and sources that are not there."""
    bytes_read: int = 0
    bytes_written: int = 0
    failures: list[Failure] = field(default_factory=list)

    def do(self) -> None:
        context = self.context
        done = 0
        for path, reason in self.found.missing:
            self.failed += 1
            self.failures.append(Failure(os.path.basename(path), path, "source_not_found", reason))
        context.progress(State("Writing shards", 0, len(self.found.items)))
        made = run(write_shard, self._tasks(), context.executor, give_up=context.give_up, ordered=True)
        with LookupFile(self.target) as lookup:
            for task, result in made:
                lookup.add(task.name, result.keys)
                self._note(task, result)
                done += len(task.items)
                context.progress(State("Writing shards", done, len(self.found.items), self.failed))

    def _tasks(self) -> Iterator[ShardTask]:
        sizes = sizes_of(self.found.items, self.context.give_up)
        images, most_bytes = limits(sizes, self.shards.images_per_shard, self.shards.bytes_per_shard)
        table = None if self.labels is None else self.labels.table
        marks = _marks(self.found.items)
        for number, part in enumerate(parts(sizes, images, most_bytes), self.target.first):
            yield ShardTask(
                folder=self.target.content,
                target=self.target.folder,
                name=f"shard_{number:05d}",
                items=tuple(self.found.items[part.start : part.stop]),
                marks={place - part.start: marks[place] for place in part if place in marks},
                mark=f"{self.target.first}" if self.target.first else "",
                labels=packed(table, part),
                reading=self.job.reading,
                on_error=self.job.on_error,
                stats=self.shards.stats,
            )

    def _note(self, task: ShardTask, made: ShardMade) -> None:
        if made.keys:
            self.target.expect(task.name)
        self.images += len(made.keys)
        self.failed += len(made.faults)
        self.bytes_read += made.read
        self.bytes_written += made.bytes
        room = FAILURES_KEPT - len(self.failures)
        for number, code, reason in made.faults[:room]:
            item = task.items[number]
            self.failures.append(Failure(item.name, item.path, code, reason))
