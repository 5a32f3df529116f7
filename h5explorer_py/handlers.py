"""What the page can ask of an explorer: one function a method."""

from __future__ import annotations

import contextlib
import time
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from h5explorer_py import jobs
from h5explorer_py.built import asset_bytes
from h5explorer_py.dispatch import Buffers, Handler
from h5explorer_py.errors import BadRequestError, ExplorerError
from h5explorer_py.fetching import Fetching
from h5explorer_py.images.shown import facts_of, shown_facts_of
from h5explorer_py.images.thumbnail import LARGEST_SIDE, SMALLEST_SIDE, Thumbnail
from h5explorer_py.lookup.find import parse
from h5explorer_py.metadata.record import for_page, type_name
from h5explorer_py.protocol import JSON, Failure, Request, integer, text
from h5explorer_py.selection import MOST_RANGES
from h5explorer_py.session import scratch_folder
from h5explorer_py.thumbnails import make_thumbnails
from h5explorer_py.view.values import columns_of, values_of
from h5explorer_py.view.work import Work
from h5explorer_py.wire import to_parquet

if TYPE_CHECKING:
    from h5explorer_py.dataset import Dataset, Entry
    from h5explorer_py.session import Session
    from h5explorer_py.view.view import View

MOST_ROWS = 4096
MOST_AHEAD = 16
MOST_THUMBNAILS = 64
LONGEST_SEARCH = 1000
"""Signs of a text that is searched for: one of 10,000 takes a second for every 65,536 rows."""

_SLOW = 600.0
_HOURS = 86_400.0
_COUNT_SECONDS = 0.4
_LONGEST_FILTER = 100_000
_EVER = 1 << 53


def handlers(session: Session) -> dict[str, Handler]:
    """Return the handlers of an explorer."""
    return {
        "rows": Handler(partial(_rows, session)),
        "stats": Handler(partial(_stats, session), jobs.counting, _SLOW),
        "image": Handler(partial(_image, session)),
        "original": Handler(partial(_original, session)),
        "ahead": Handler(partial(_ahead, session), jobs.ahead),
        "thumbnails": Handler(partial(_thumbnails, session), jobs.thumbnails),
        "metadata": Handler(partial(_metadata, session)),
        "find": Handler(partial(_find, session), jobs.searching, _SLOW),
        "count": Handler(partial(_count, session), jobs.searching),
        "status": Handler(partial(_status, session)),
        "show": Handler(partial(_show, session), jobs.querying, _SLOW),
        "export": Handler(partial(_export, session), jobs.exporting, _HOURS),
        "share": Handler(partial(_share, session), jobs.exporting, _SLOW),
        "columns": Handler(partial(_columns, session)),
        "values": Handler(partial(_values, session), jobs.counting, _SLOW),
        "open": Handler(partial(_open, session), jobs.opening, _SLOW),
        "asset": Handler(_asset),
    }


def _view(session: Session, params: JSON) -> tuple[int, View]:
    number = params.get("dataset")
    return session.numbered(None if number is None else integer(params, "dataset", 1, _EVER))


class _Asked(NamedTuple):
    """A row that is asked about: the data set, the row's position in the view, and what the lookup has of it."""

    dataset: Dataset
    row: int
    entry: Entry


def _asked(session: Session, params: JSON, job: jobs.Job) -> _Asked:
    _, view = _view(session, params)
    row = integer(params, "row", 0, _EVER)
    return _Asked(view.dataset, row, view.entry(row, job.give_up))


def _rows(session: Session, request: Request, job: jobs.Job) -> tuple[JSON, Buffers]:
    number, view = _view(session, request.params)
    start = integer(request.params, "start", 0, _EVER)
    stop = integer(request.params, "stop", start, start + MOST_ROWS)
    table = view.keys(start, stop, job.give_up)
    notices = list(view.notices[:5])
    return {"dataset": number, "start": start, "rows": table.num_rows, "notices": notices}, [to_parquet(table)]


def _stats(session: Session, request: Request, job: jobs.Job) -> tuple[JSON, Buffers]:
    number, view = _view(session, request.params)
    return {"dataset": number, "filepaths": view.dataset.filepaths(job.give_up), "records": view.num_rows}, []


def _image(session: Session, request: Request, job: jobs.Job) -> tuple[JSON, Buffers]:
    """Answer with a picture, or that the file is still in the state that the page knows."""
    dataset, row, entry = _asked(session, request.params, job)
    known = request.params.get("known")
    if known is not None and known == dataset.image_state(entry):
        return {"row": row, "unchanged": True}, []
    state = dataset.image_state(entry)  # looked at before the bytes are read: a change in between is seen next time
    image = dataset.image(entry, job.give_up)
    return {**shown_facts_of(row, image), "state": state}, [image.data]


def _original(session: Session, request: Request, job: jobs.Job) -> tuple[JSON, Buffers]:
    dataset, row, entry = _asked(session, request.params, job)
    image = dataset.image(entry, job.give_up)
    return {**facts_of(row, image), "state": ""}, [image.data]


def _ahead(session: Session, request: Request, job: jobs.Job) -> tuple[JSON, Buffers]:
    """Answer with those of the images that can be shown, and those of the records that there are, while there is room.

    What cannot be had says why when a person comes to it.
    """
    _, view = _view(session, request.params)
    dataset = view.dataset
    rows, only_open = request.params.get("rows"), request.params.get("onlyOpen")
    if not isinstance(rows, list) or len(rows) > MOST_AHEAD:
        raise BadRequestError(f"rows must be a list of up to {MOST_AHEAD} row numbers.")
    if not isinstance(only_open, bool):
        raise BadRequestError("onlyOpen must be true or false.")
    room = integer(request.params, "room", 0, _EVER)
    images: list[JSON] = []
    records: list[JSON] = []
    image_data: Buffers = []
    record_data: Buffers = []
    known = _known(view, [integer({"row": number}, "row", 0, _EVER) for number in rows], job, only_open=only_open)
    fetching = Fetching(dataset, [asked.entry for asked, with_image, _ in known if with_image], job)
    for asked, with_image, with_record in known:
        job.give_up()
        if with_image:
            with contextlib.suppress(ExplorerError):
                state, image = fetching.get(asked.entry)
                room -= len(image.data)
                if room < 0:
                    break
                images.append({**shown_facts_of(asked.row, image), "state": state})
                image_data.append(image.data)
        job.give_up()
        if with_record:
            with contextlib.suppress(ExplorerError):
                facts, data = _recorded(asked)
                room -= len(data)
                if room < 0:
                    break
                records.append(facts)
                record_data.append(data)
    return {"images": images, "records": records}, image_data + record_data


def _known(view: View, rows: list[int], job: jobs.Job, *, only_open: bool) -> list[tuple[_Asked, bool, bool]]:
    """Return those rows that there are, each with whether its image and its record are wanted."""
    known = []
    for row in rows:
        job.give_up()
        with contextlib.suppress(ExplorerError):
            asked = _Asked(view.dataset, row, view.entry(row, job.give_up))
            with_image, with_record = view.dataset.is_open(asked.entry) if only_open else (True, True)
            known.append((asked, with_image, with_record))
    return known


def _thumbnails(session: Session, request: Request, job: jobs.Job) -> tuple[JSON, Buffers]:
    """Answer with small copies of pictures; of a row that has none, with the reason."""
    _, view = _view(session, request.params)
    rows = request.params.get("rows")
    if not isinstance(rows, list) or len(rows) > MOST_THUMBNAILS:
        raise BadRequestError(f"rows must be a list of up to {MOST_THUMBNAILS} row numbers.")
    numbers = [integer({"row": number}, "row", 0, _EVER) for number in rows]
    side = integer(request.params, "size", SMALLEST_SIDE, LARGEST_SIDE)
    facts: list[JSON] = []
    buffers: Buffers = []
    for row, made in zip(numbers, make_thumbnails(view, numbers, side, job), strict=True):
        if isinstance(made, Thumbnail):
            facts.append({"row": row, "mediaType": made.media_type, "width": made.width, "height": made.height})
            buffers.append(made.data)
        else:
            facts.append({"row": row, "error": Failure.of(request.request, made).to_json()["error"]})
    return {"thumbnails": facts}, buffers


def _metadata(session: Session, request: Request, job: jobs.Job) -> tuple[JSON, Buffers]:
    facts, data = _recorded(_asked(session, request.params, job))
    return facts, [data]


def _recorded(asked: _Asked) -> tuple[JSON, bytes]:
    """Return what is said of a record, and its values as Parquet."""
    started = time.perf_counter()
    dataset, row, entry = asked
    record = dataset.record(entry)
    facts = {
        "row": row,
        "key": entry.key,
        "source": dataset.files(entry).metadata,
        "columns": [{"name": field.name, "type": type_name(field.type)} for field in record.table.schema],
        "matches": record.matches,
        "seconds": time.perf_counter() - started,
    }
    return facts, to_parquet(for_page(record.table))


def _find(session: Session, request: Request, job: jobs.Job) -> tuple[JSON, Buffers]:
    number, view = _view(session, request.params)
    after = request.params.get("after")
    last = None if after is None else integer(request.params, "after", 0, _EVER)
    query = parse(text(request.params, "text", LONGEST_SEARCH))
    found = view.find(query, last, job.give_up)
    return {"dataset": number, "row": found, "byNumber": query.row is not None}, []


def _count(session: Session, request: Request, job: jobs.Job) -> tuple[JSON, Buffers]:
    """Answer with how many rows match, as far as they can be looked at within a moment."""
    number, view = _view(session, request.params)
    query = parse(text(request.params, "text", LONGEST_SEARCH))
    start = integer(request.params, "start", 0, _EVER)
    count, stop = view.count(query, start, _COUNT_SECONDS, job.give_up)
    return {"dataset": number, "count": count, "stop": stop}, []


def _status(session: Session, request: Request, job: jobs.Job) -> tuple[JSON, Buffers]:  # noqa: ARG001
    """Answer with how far the index of the lookup is, after it has been stopped or begun where that is asked."""
    number, view = _view(session, request.params)
    wish = request.params.get("wish")
    if wish not in {None, "stop", "begin"}:
        raise BadRequestError("wish must be stop, begin, or absent.")
    rows = view.dataset.rows
    preparation = rows.preparation
    if preparation is not None and wish == "stop":
        preparation.stop()
    if preparation is not None and wish == "begin":
        preparation.begin()
    return {
        "dataset": number,
        "index": rows.progress.to_json(),
        "query": session.progress,
        "export": session.exported,
    }, []


def _show(session: Session, request: Request, job: jobs.Job) -> tuple[JSON, Buffers]:
    """Answer with what is shown when the filter and the order that are wished have been worked out."""
    sort = request.params.get("sort")
    session.show(text(request.params, "filter", _LONGEST_FILTER), sort, job.give_up)
    return session.describe(), []


def _export(session: Session, request: Request, job: jobs.Job) -> tuple[JSON, Buffers]:
    """Answer with what has been written of the rows that are shown, or of some of them."""
    from h5explorer_py.view.export import export

    number, view = _view(session, request.params)
    path = text(request.params, "path")
    if not path.strip():
        raise BadRequestError("Name a file or a folder to write to.")
    ranges = ranges_of(request.params.get("ranges"), view.num_rows)
    total = view.num_rows if ranges is None else sum(stop - start for start, stop in ranges)
    with session.exporting(total) as told:
        written = export(
            view,
            path.strip(),
            ranges,
            overwrite=request.params.get("overwrite") is True,
            progress=told,
            give_up=job.give_up,
        )
    return {
        "dataset": number,
        "path": written.path,
        "rows": written.rows,
        "failed": written.failed,
        "notices": list(written.notices[:5]),
    }, []


def _share(session: Session, request: Request, job: jobs.Job) -> tuple[JSON, Buffers]:
    """Answer with one HTML page of the rows that are shown, or of some of them, as far as it has room."""
    from h5explorer_py.share import MOST_BYTES, page_name, shared_page

    number, view = _view(session, request.params)
    chosen = ranges_of(request.params.get("ranges"), view.num_rows)
    ranges = ((0, view.num_rows),) if chosen is None else chosen
    with session.exporting(sum(stop - start for start, stop in ranges)) as told:
        html, shared = shared_page(view, ranges, most_bytes=MOST_BYTES, progress=told, give_up=job.give_up)
    return {
        "dataset": number,
        "name": page_name(view.dataset.lookup.name),
        "rows": shared.rows,
        "chosen": shared.chosen,
        "failed": shared.failed,
    }, [html]


def ranges_of(value: Any, rows: int) -> tuple[tuple[int, int], ...] | None:
    """Understand half-open ranges of so many rows.

    Raises
    ------
    BadRequestError
        Where they are none.
    """
    if value is None:
        return None
    if not isinstance(value, list) or len(value) > MOST_RANGES:
        raise BadRequestError(f"ranges must be a list of up to {MOST_RANGES} ranges.")
    found = []
    for each in value:
        if not isinstance(each, list) or len(each) != 2:
            raise BadRequestError("A range is a list of two row numbers.")
        start = integer({"start": each[0]}, "start", 0, rows)
        found.append((start, integer({"stop": each[1]}, "stop", start, rows)))
    return tuple(found)


def _columns(session: Session, request: Request, job: jobs.Job) -> tuple[JSON, Buffers]:  # noqa: ARG001
    """Answer with the columns that a filter may name."""
    number, view = _view(session, request.params)
    return {"dataset": number, "columns": columns_of(view.dataset)}, []


def _values(session: Session, request: Request, job: jobs.Job) -> tuple[JSON, Buffers]:
    """Answer with what a column holds."""
    number, view = _view(session, request.params)
    work = Work(job.give_up, scratch=scratch_folder())
    found = values_of(view.dataset, text(request.params, "column"), work)
    return {"dataset": number, **found.to_json()}, []


def _open(session: Session, request: Request, job: jobs.Job) -> tuple[JSON, Buffers]:
    session.open(text(request.params, "path"), job.give_up)
    return session.describe(), []


def _asset(request: Request, job: jobs.Job) -> tuple[JSON, Buffers]:  # noqa: ARG001
    name = text(request.params, "name")
    return {"name": name, "encoding": "gzip"}, [asset_bytes(name)]
