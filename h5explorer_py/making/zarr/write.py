"""Converting pictures to a Zarr store: one array of N × C × H × W in few files, and a table beside it."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from h5explorer_py.bulk.running import run
from h5explorer_py.making.job import Context, JobOptions, Plan, State, make_plan, settle_failures
from h5explorer_py.making.outcome import Outcome, table_of
from h5explorer_py.making.report import FAILURES_KEPT, ConvertReport, notices_of
from h5explorer_py.making.zarr.beside import paths_of
from h5explorer_py.making.zarr.journal import digest_of
from h5explorer_py.making.zarr.layout import codec_of
from h5explorer_py.making.zarr.shard import ShardTask, write_shard
from h5explorer_py.making.zarr.store import check_installed, is_url, open_existing
from h5explorer_py.making.zarr.target import AppendedStore, Asked, NewStore, Target, ZarrOptions, exists

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from h5explorer_py.making.rule import Rule


def write_zarr(
    sources: Iterable[str | os.PathLike[str]], output: str, job: JobOptions, options: ZarrOptions, context: Context
) -> ConvertReport:
    """Convert pictures to a Zarr store.

    Parameters
    ----------
    sources : iterable of path
        See `find_items`.
    output : str
        A path or URL: of the store where it ends in ``.zarr``, else of a folder for ``images.zarr`` and its table.
    job : JobOptions
    options : ZarrOptions
    context : Context

    Raises
    ------
    TargetExistsError
        Where something is there that is not to be replaced.
    SourceNotFoundError, MixedPicturesError, LossyError, LabelsError, ConvertFailedError, WriteFailedError
        In all these cases what was there before is there still.
    """
    begun = time.monotonic()
    store, table = paths_of(output)
    target = target_of(store, table, options)
    named = [os.fsdecode(each) for each in sources]
    try:
        plan = make_plan(named, job, context)
        rule = target.begin(plan.survey, len(plan.items), Asked(job.size, job.dtype, job.kind))
        _Writing(plan, rule, target, job, context).write()
        labels = None if plan.labels is None else plan.labels.table
        target.finish(table_of(plan.items, plan.outcomes, labels), creation_of(job, named))
    finally:
        target.end()
    failures = plan.failures
    return ConvertReport(
        output=store,
        metadata=table,
        images=len(plan.items),
        rule=rule,
        failed=len(failures),
        failures=tuple(failures[:FAILURES_KEPT]),
        left_out=tuple(plan.found.left_out_names),
        without_picture=plan.labels.without_picture if plan.labels else (),
        without_labels=plan.labels.without_labels if plan.labels else (),
        bytes_read=sum(each.file_size or 0 for each in plan.outcomes),
        bytes_written=size_of(store),
        seconds=time.monotonic() - begun,
        notices=(*notices_of(plan, job, rule), *target.notices),
    )


def target_of(store: str, table: str, options: ZarrOptions) -> Target:
    """Return where pictures go: a store that is there, or a new one.

    Raises
    ------
    TargetExistsError, SourceNotFoundError, UnsupportedError
    """
    if options.append and options.overwrite:
        raise ValueError("To append and to overwrite cannot both be asked for.")
    check_installed()
    codec_of(options.compressor, options.level, "uint8")  # refused before anything is looked at
    if options.append and exists(store):
        return AppendedStore(open_existing(store), table)
    return NewStore(store, table, options)


def size_of(store: str) -> int:
    """Add up the sizes of a store's files; 0 for one that is not on this machine."""
    if is_url(store):
        return 0
    return sum(os.path.getsize(os.path.join(folder, name)) for folder, _, names in os.walk(store) for name in names)


@dataclass
class _Writing:
    """The writing of all shards."""

    plan: Plan
    rule: Rule
    target: Target
    job: JobOptions
    context: Context

    def write(self) -> None:
        """Write all; where a picture turns out to be damaged and is to be left out, those behind it once more."""
        first = 0
        digest = digest_of(self.plan.items, self.rule, self.job.reading, self.target.description, self.job.on_error)
        done = self.target.resume(digest)
        while True:
            self._write_from(first, done)
            damaged = [place for place, outcome in enumerate(self.plan.outcomes) if outcome.code]
            if not settle_failures(self.plan, damaged, self.job.on_error):
                return
            first, done = damaged[0], {}
            self.target.shorten(len(self.plan.items))

    def _write_from(self, first: int, before: Mapping[int, list[Outcome]]) -> None:
        """Write the shards from that which has this item on, less those that have been written before."""
        plan, context, total = self.plan, self.context, len(self.plan.items)
        tasks = []
        done = errors = 0
        for start, stop in self.target.spans(total):
            known = before.get(self.target.offset + start, [])
            if len(known) == stop - start:
                plan.outcomes[start:stop] = known
                done += len(known)
            elif stop > first:
                tasks.append((start, stop))
        context.progress(State("Converting", done, total))
        made = (self._task(start, stop) for start, stop in tasks)
        for task, outcomes in run(write_shard, made, context.executor, give_up=context.give_up):
            start = task.start - self.target.offset
            self.target.note(task.start, outcomes)
            plan.outcomes[start : start + len(outcomes)] = outcomes
            done += len(outcomes)
            errors += sum(bool(each.code) for each in outcomes)
            if self.job.on_error == "stop":
                settle_failures(plan, [start + n for n, each in enumerate(outcomes) if each.code], "stop")
            context.progress(State("Converting", done, total, errors))

    def _task(self, start: int, stop: int) -> ShardTask:
        target, plan = self.target, self.plan
        return ShardTask(
            target.writing,
            target.description,
            target.offset + start,
            tuple(plan.items[start:stop]),
            tuple(plan.outcomes[start:stop]),
            self.rule,
            self.job.reading,
        )


def creation_of(job: JobOptions, sources: Sequence[str], *, from_memory: bool = False) -> dict[str, Any]:
    """Return how a store was made."""
    extension = job.reading.fits_extension
    return {
        "fits_extension": list(extension) if isinstance(extension, tuple) else extension,
        "recursive_scan": job.recursive,
        "source_folders": list(sources),
        "direct_memory_conversion": from_memory,
        "resize": None if job.size is None else list(job.size),
        "interpolation_order": job.reading.fit.order,
        "fit": job.reading.fit.how,
        "pages": job.pages,
        "on_error": job.on_error,
    }
