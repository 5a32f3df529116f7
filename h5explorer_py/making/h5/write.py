"""Pictures to one HDF5 file: an array ``images`` of N × height × width × 3, one picture a chunk.

Beside it lie ``names``, ``labels`` where there are any, and the group ``metadata`` with a data set for each column of
what is known of the pictures (see `h5_columns`). A plain reader of HDF5 reads all of it.
"""

from __future__ import annotations

import os
import time
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from h5explorer_py.bulk.aside import Aside
from h5explorer_py.bulk.running import run
from h5explorer_py.errors import BadRequestError, ConvertFailedError, MixedPicturesError
from h5explorer_py.making.h5.packing import LEVEL, Compression, Packing
from h5explorer_py.making.headers import lost
from h5explorer_py.making.job import State, make_plan, settle_failures
from h5explorer_py.making.outcome import Outcome, table_of
from h5explorer_py.making.reading import read
from h5explorer_py.making.replacing import check_file, check_no_source, check_target
from h5explorer_py.making.report import FAILURES_KEPT, ConvertReport, notices_of
from h5explorer_py.making.rule import Rule, check_lossless

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from h5explorer_py.bulk.running import Begin, Doomed
    from h5explorer_py.making.h5.writer import H5Writer
    from h5explorer_py.making.items import Item
    from h5explorer_py.making.job import Context, JobOptions, Plan
    from h5explorer_py.making.reading import ReadOptions

LABEL = "label"
DTYPE = "uint8"
_TASK_BYTES = 4 << 20
_TASK_ITEMS = 32
_SOURCES_KEPT = 100
_LARGEST_CHUNK = (1 << 32) - 1


@dataclass(frozen=True, slots=True)
class H5Options:
    """How the file is written.

    Attributes
    ----------
    compression : str
        ``"gzip"`` or ``"none"``.
    level : int
        Of gzip, 1 to 9.
    overwrite : bool
        Whether a file that is there already is replaced.
    """

    compression: Compression = "gzip"
    level: int = LEVEL
    overwrite: bool = False


def write_h5(
    sources: Iterable[str | os.PathLike[str]],
    output: str | os.PathLike[str],
    job: JobOptions,
    h5: H5Options,
    context: Context,
) -> ConvertReport:
    """Convert pictures to one HDF5 file, which is there when it is whole.

    Values are of 8 bits, unless the job asks for another type; pictures that hold more are refused then. They are
    always three colours: grey is repeated, and alpha left out.

    Parameters
    ----------
    sources : iterable of path
        See `find_items`.
    output : path
        The file.
    job : JobOptions
    h5 : H5Options
    context : Context

    Raises
    ------
    BadRequestError, TargetExistsError, WriteFailedError
    SourceNotFoundError, LabelsError, MixedPicturesError, LossyError, ConvertFailedError
        In all of which cases nothing is written, and what was there before is there still.
    """
    started = time.perf_counter()
    path = os.fsdecode(output)
    named = [os.fsdecode(source) for source in sources]
    job = _checked(job, h5)
    check_target(path, overwrite=h5.overwrite)
    plan = make_plan(named, job, context)
    check_no_source(path, (item.path for item in plan.items))
    rule = _rule(plan, job)
    aside = Aside(path, check_file if h5.overwrite else None)
    try:
        from h5explorer_py.making.h5.writer import H5Writer

        packing = Packing.of(h5.compression, h5.level, rule.dtype)
        picture = (rule.height, rule.width, rule.channels)
        with H5Writer(aside, (len(plan.items), *picture), rule.dtype, (1, *picture), packing) as writer:
            _write_pictures(plan, rule, packing, writer, job=job, context=context)
            context.progress(State("Writing what is known of them", len(plan.items), len(plan.items)))
            label, origin = _label(plan)
            table = table_of(plan.items, plan.outcomes, None if plan.labels is None else plan.labels.table)
            writer.finish(len(plan.items), table, _attributes(named, job, h5), label, origin)
        size = os.path.getsize(aside.content)
        context.give_up()
        aside.publish()
    finally:
        aside.discard()
    return _report(aside, plan, rule, job, size=size, seconds=time.perf_counter() - started)


def _checked(job: JobOptions, h5: H5Options) -> JobOptions:
    """Return what is to be done, as this layout has it.

    Raises
    ------
    BadRequestError
        Where it cannot be.
    """
    if job.kind not in {None, "colour"}:
        raise BadRequestError(
            f"An HDF5 file of pictures has three colours, and {job.kind} was asked for.",
            action="Convert to Zarr, which has any channels.",
        )
    if h5.compression not in {"gzip", "none"}:
        raise BadRequestError(f"HDF5 is written with gzip or none, not with {h5.compression!r}.")
    if not 1 <= h5.level <= 9:
        raise BadRequestError(f"The level of gzip is 1 to 9, not {h5.level}.")
    return replace(job, kind="colour", dtype=None if job.dtype is None else numeric(job.dtype))


def numeric(name: str) -> str:
    """Return NumPy's name of a type of numbers.

    Raises
    ------
    BadRequestError
        Where it is none.
    """
    try:
        found = np.dtype(name)
    except TypeError as error:
        raise BadRequestError(f"{name!r} is no type of numbers.", action="Such as uint8, int16, float32.") from error
    if found.kind not in "iuf" or found.itemsize > 8:
        raise BadRequestError(f"Values of type {found.name} are not written.", action="Such as uint8, int16, float32.")
    return found.name


def _rule(plan: Plan, job: JobOptions) -> Rule:
    bands = sorted({channels for kind, channels in plan.survey.kinds if kind == "bands"})
    if bands:
        said = " or ".join(map(str, bands))
        raise MixedPicturesError(
            f"There are pictures of {said} bands, and an HDF5 file of pictures has three colours.",
            action="Convert to Zarr, which has any channels.",
        )
    if not plan.items:
        raise ConvertFailedError("None of the pictures can be read. Nothing is written.")
    rule = plan.rule(job)
    if job.dtype is None:
        rule = check_lossless(rule, DTYPE, "the file")
    size = rule.height * rule.width * rule.channels * np.dtype(rule.dtype).itemsize
    if size > _LARGEST_CHUNK:
        raise BadRequestError(f"A picture of {size:,} bytes is more than HDF5 takes as one chunk.")
    return rule


@dataclass(frozen=True, slots=True)
class Batch:
    """Pictures that are read and packed as one task."""

    start: int
    items: tuple[Item, ...]
    rule: Rule
    reading: ReadOptions
    packing: Packing


def _batches(items: Sequence[Item], rule: Rule, reading: ReadOptions, packing: Packing) -> Iterator[Batch]:
    size = rule.height * rule.width * rule.channels * np.dtype(rule.dtype).itemsize
    count = max(1, min(_TASK_ITEMS, _TASK_BYTES // size))
    for start in range(0, len(items), count):
        yield Batch(start, tuple(items[start : start + count]), rule, reading, packing)


def pack_batch(batch: Batch, begin: Begin, doomed: Doomed) -> list[tuple[Outcome, bytes | None]]:
    """Read and pack some pictures."""
    done: list[tuple[Outcome, bytes | None]] = []
    for number, item in enumerate(batch.items):
        begin(number)
        if number in doomed:
            done.append((lost(doomed[number]), None))
            continue
        outcome = Outcome()
        values = read(item, batch.rule, batch.reading, outcome)
        done.append((outcome, None if values is None else batch.packing.pack(np.moveaxis(values, 0, -1))))
    return done


def _write_pictures(
    plan: Plan, rule: Rule, packing: Packing, writer: H5Writer, *, job: JobOptions, context: Context
) -> None:
    """Write the pictures in their order; those that cannot be read are zeros, or left out."""
    total = len(plan.items)
    unread: list[int] = []
    place = 0
    context.progress(State("Converting", 0, total))
    batches = _batches(plan.items, rule, job.reading, packing)
    for batch, results in run(pack_batch, batches, context.executor, give_up=context.give_up, ordered=True):
        for number, (outcome, chunk) in enumerate(results, batch.start):
            plan.outcomes[number] = _joined(plan.outcomes[number], outcome)
            if chunk is not None:
                writer.put(place, chunk)
            else:
                unread.append(number)
                if job.on_error != "zero":
                    settle_failures(plan, [number] if job.on_error == "stop" else [], job.on_error)
                    continue
            place += 1
        context.progress(State("Converting", batch.start + len(results), total, len(unread)))
    if place == 0:
        raise ConvertFailedError("None of the pictures can be read. Nothing is written.")
    settle_failures(plan, unread, job.on_error)


def _joined(before: Outcome, now: Outcome) -> Outcome:
    """Return what is known of a picture, with what its header said where its pixels could not be read."""
    if now.facts is None:
        now.facts = before.facts
    if now.file_size is None:
        now.file_size = before.file_size
    return now


def _label(plan: Plan) -> tuple[str | NDArray[Any] | None, str]:
    """Return the labels: the column of this name that people brought, else the folders, where there are several."""
    if plan.labels is not None and LABEL in plan.labels.table.column_names:
        return LABEL, f"the column {LABEL} of the metadata"
    folders = [os.path.basename(os.path.dirname(item.path)) for item in plan.items]
    if len(set(folders)) < 2:
        return None, ""
    texts = np.empty(len(folders), object)
    texts[:] = [folder.encode("utf-8", "backslashreplace").decode() for folder in folders]
    return texts, "the folder of each picture"


def _attributes(sources: Sequence[str], job: JobOptions, h5: H5Options) -> dict[str, Any]:
    options = asdict(replace(job, metadata=None)) | asdict(h5)
    if job.metadata is not None:
        options["metadata"] = os.fsdecode(job.metadata) if isinstance(job.metadata, str | os.PathLike) else "a table"
    return {"options": options, "sources": [os.path.abspath(each) for each in sources[:_SOURCES_KEPT]]}


def _report(aside: Aside, plan: Plan, rule: Rule, job: JobOptions, *, size: int, seconds: float) -> ConvertReport:
    notices = notices_of(plan, job, rule)
    alpha = sum(count for (kind, _), count in plan.survey.kinds.items() if kind.endswith("alpha"))
    if alpha:
        notices.append(f"Pictures with alpha: {alpha:,}. It was left out.")
    failures = plan.failures
    labels = plan.labels
    return ConvertReport(
        output=aside.target,
        metadata=None,
        images=len(plan.items),
        rule=rule,
        failed=len(failures),
        failures=tuple(failures[:FAILURES_KEPT]),
        left_out=tuple(plan.found.left_out_names),
        without_picture=() if labels is None else labels.without_picture,
        without_labels=() if labels is None else labels.without_labels,
        bytes_read=sum(outcome.file_size or 0 for outcome in plan.outcomes),
        bytes_written=size,
        seconds=seconds,
        notices=(*notices, *aside.notices),
    )
