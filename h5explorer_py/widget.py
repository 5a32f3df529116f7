"""The Explorer: its Python interface. All it does is in the rooms that it calls."""

from __future__ import annotations

import operator
import os
import sys
from typing import TYPE_CHECKING, Any, Literal, SupportsIndex

from h5explorer_py.built import built
from h5explorer_py.dispatch import Dispatcher
from h5explorer_py.errors import BadRequestError, ExplorerError, KeyNotFoundError, UnsupportedError
from h5explorer_py.files import shorten
from h5explorer_py.images.readers import reader_pool
from h5explorer_py.images.sniff import is_truncated
from h5explorer_py.options import KeyColumns, Options
from h5explorer_py.pieces import in_pieces, most_bytes
from h5explorer_py.sizes import parse_size
from h5explorer_py.still import still_html, still_in_time
from h5explorer_py.subshell import answer_beside_cells
from h5explorer_py.traits import SharedState

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import duckdb
    import pyarrow as pa

    from h5explorer_py.dataset import Dataset, Entry
    from h5explorer_py.images.image import Image
    from h5explorer_py.share import Shared
    from h5explorer_py.view.export import Exported

_STILL_SECONDS = 1.0

_STILL_TYPE = "application/vnd.h5explorer.still+json"
"""Has the extension of JupyterLab show the HTML where the widget is gone; other hosts pass it over."""


class Explorer(SharedState):
    """See an image data set kept in sharded HDF5 files, in three panels.

    Parameters
    ----------
    lookup : str, path, list of them, table
        The lookup: a Parquet, CSV or TSV file (gzipped too), a pattern or list of such, an Arrow table, a pandas or
        polars frame, a DuckDB relation; or one shard, or a folder of shards.
    root : str or mapping, optional
        Where the data is now, if it has moved: a folder, or a mapping of old path prefixes to new ones. Without it, a
        relative filepath starts from the lookup's folder.
    uuid_column, filepath_column : str
        The names of the lookup's two key columns.
    dataset : str, optional
        Reserved for the arrays of a later version.
    height : int or str, optional
        The widget's height, in pixels or as a CSS length.
    cache : bool or path
        Whether the keys of a large lookup (100,000 rows or more) are packed in the background, 36 bytes a row, so
        that any row and any uuid is found at once the next time too. A path names the folder for that; without one it
        is ``$H5EXPLORER_CACHE`` or else the system's cache folder. :meth:`prepare` waits for it.
    cache_limit : int or str, optional
        How much all packed lookups may take in that folder: bytes, or a text such as ``"20 GB"``; without it
        ``$H5EXPLORER_CACHE_LIMIT``, or any number. Those that were used longest ago go when a new one would exceed it.
    storage_options : mapping, optional
        Reserved for the addresses of a later version.

    Raises
    ------
    ExplorerError
        Where the lookup is absent, unreadable, or lacks a column.

    Notes
    -----
    Row numbers, ``current``, ``selection`` and ``find`` count from 0; ranges are half-open. A key is a uuid, or a row
    number where uuids repeat. ``selection`` takes a row number, a range, or several of these
    (``[3, range(10, 20)]``), and is read as a :class:`~h5explorer_py.selection.Selection` of the rows that are shown:
    another filter or order empties it.

    ``filter`` and ``sort`` choose what is shown; :meth:`view` gives that to DuckDB, :meth:`export` writes it.
    """

    _esm = built("widget.js")
    _css = built("widget.css")

    def __init__(
        self,
        lookup: Any,
        *,
        root: str | os.PathLike[str] | Mapping[str, str] | None = None,
        uuid_column: str = "uuid",
        filepath_column: str = "filepath",
        dataset: str | None = None,
        height: int | str | None = None,
        cache: bool | str | os.PathLike[str] = True,
        cache_limit: int | str | None = None,
        storage_options: Mapping[str, Any] | None = None,  # noqa: ARG002
    ) -> None:
        if dataset is not None:
            raise UnsupportedError("Arrays (dataset=...) are shown by a later version.")
        most = most_bytes()
        reader_pool().warm()  # a reader starts up while the next lines import pyarrow
        from h5explorer_py.handlers import handlers
        from h5explorer_py.session import Session

        columns = KeyColumns(uuid_column, filepath_column)
        session = Session(lookup, Options(root, _cache(cache), columns, _limit(cache_limit)))
        try:
            super().__init__(session, height)
        except BaseException:
            session.close()
            raise
        answer_beside_cells(self.comm)
        self._dispatcher = Dispatcher(handlers(session), in_pieces(self.send, most))
        self.on_msg(lambda _widget, content, buffers: self._dispatcher.receive(content, buffers))
        session.look_for_shards()

    # The lookup

    def open(self, lookup: Any = None, **options: Any) -> None:
        """Open another lookup in place of the one that is shown.

        Parameters
        ----------
        lookup
            As for the constructor.
        **options
            ``root``, ``uuid_column``, ``filepath_column``, ``cache``, ``cache_limit``; those not given stay as they
            are.

        Raises
        ------
        ExplorerError
            Where the lookup is refused; the one that is shown stays then.
        """
        if lookup is None:  # ipywidgets opens the comm by a method of this name
            super().open()
            return
        unknown = options.keys() - {"root", "uuid_column", "filepath_column", "cache", "cache_limit"}
        if unknown:
            raise TypeError(f"open() has no option {min(unknown)!r}")
        if "cache" in options:
            options["cache"] = _cache(options["cache"])
        options["cache_limit"] = _limit(options.get("cache_limit"))
        self._session.open(lookup, **options)

    def __len__(self) -> int:
        return self._session.view.wait_counted()

    def __bool__(self) -> bool:
        return True

    @property
    def stats(self) -> dict[str, int]:
        """How many records the lookup has, and how many different filepaths: goes through it once."""
        dataset = self._session.dataset
        filepaths = dataset.filepaths(lambda: None)
        return {"records": dataset.num_rows, "filepaths": filepaths}

    @property
    def index(self) -> dict[str, Any]:
        """How far the index of the lookup is: see :meth:`prepare`."""
        return self._session.dataset.rows.progress.to_json()

    def prepare(self, timeout: float | None = None) -> dict[str, Any]:
        """Wait until the index of the lookup is ready: any row and any uuid is found at once then.

        Where it has been stopped or has failed, it is begun again. An interrupt ends the waiting alone.

        Parameters
        ----------
        timeout : float, optional
            How many seconds to wait at most.

        Returns
        -------
        dict
            ``phase`` ("ready"; "failed", with the reason as ``message``; "stopped"; "off" where there is none, as for
            a lookup of fewer than 100,000 rows or with ``cache=False``; "waiting" or "packing" where it is not done in
            time), ``fraction`` (0 to 1), ``rows``, ``bytes``, ``folder``, ``message``.
        """
        return self._session.dataset.rows.prepare(timeout).to_json()

    def rows(self, start: int, stop: int) -> pa.Table:
        """Return rows ``start`` to ``stop`` of what is shown.

        Returns
        -------
        pyarrow.Table
            All columns of the lookup, values as stored; fewer rows where the lookup ends before.
        """
        start, stop = operator.index(start), operator.index(stop)
        if start < 0 or stop < start:
            raise BadRequestError(f"Rows go from a number to a larger one, not from {start} to {stop}.")
        view = self._session.view
        if stop > view.num_rows:
            view.wait_counted()
        return view.read(start, stop)

    def view(self) -> duckdb.DuckDBPyRelation:
        """Return the rows that are shown, filtered and sorted, as a relation of DuckDB that is read when asked for.

        Returns
        -------
        duckdb.DuckDBPyRelation
            All columns of the lookup as they are stored, on a connection of its own: it stays as it is when the
            explorer shows something else, or is closed.

        Raises
        ------
        ExplorerError
            Where the lookup has changed, or there is no room for what DuckDB cannot read in place.
        """
        from h5explorer_py.session import scratch_folder
        from h5explorer_py.view.relation import relation_of
        from h5explorer_py.view.work import Work

        return relation_of(self._session.view, Work(scratch=scratch_folder()))

    def share(
        self,
        path: str | os.PathLike[str],
        *,
        rows: Literal["selection", "view"] = "selection",
        limit: int | None = None,
        overwrite: bool = False,
        progress: Callable[[int], None] | None = None,
    ) -> Shared:
        """Write the selected rows with their pictures and metadata as one HTML page, which works without anything else.

        It opens from a mail's attachment, without a network, and shows the same three panels.

        Parameters
        ----------
        path : path
            The file, ``.html``. Nothing is there until it is whole.
        rows : str
            ``"selection"`` for the rows that are selected, else the one that is shown; ``"view"`` for all that are
            shown.
        limit : int, optional
            How many bytes the page may have; 20,000,000 unless told. Of more rows the first are taken, and the page
            says so.
        overwrite : bool
            Whether to replace a file.
        progress : callable, optional
            Is told now and then how many rows have been dealt with.

        Returns
        -------
        Shared
            Where it is, how many rows it has, and of how many.

        Raises
        ------
        ExplorerError
            Where something is there already, no row is selected, or it cannot be written. Nothing is left then.
        """
        from h5explorer_py.share import MOST_BYTES, share

        if rows not in {"view", "selection"}:
            raise BadRequestError(f'rows is "selection" or "view", not {shorten(str(rows))!r}.')
        view = self._session.view
        ranges: tuple[tuple[int, int], ...] = ((0, view.num_rows),)
        if rows == "selection":
            here = () if self.current is None else ((self.current, self.current + 1),)
            ranges = self.selection.ranges or here
        return share(
            view,
            path,
            ranges,
            most_bytes=MOST_BYTES if limit is None else limit,
            overwrite=overwrite,
            progress=progress or (lambda _: None),
        )

    def export(
        self,
        path: str | os.PathLike[str],
        *,
        rows: Literal["view", "selection"] = "view",
        overwrite: bool = False,
        images_per_shard: int | None = None,
        progress: Callable[[int], None] | None = None,
    ) -> Exported:
        """Write the rows that are shown, or those of them that are selected, in their order.

        Parameters
        ----------
        path : path
            A file ``.parquet``, ``.csv``, ``.tsv``, ``.csv.gz`` or ``.tsv.gz`` for the rows of the lookup; any other
            is a folder, for a smaller data set with their images and metadata, which
            ``Explorer(folder / "lookup.parquet")`` opens. Nothing is there until it is whole.
        rows : str
            ``"view"`` for all that are shown, ``"selection"`` for those that are selected.
        overwrite : bool
            Whether to replace a file, or a folder that h5explorer has written.
        images_per_shard : int, optional
            How many images a shard has at most; 10,000 unless told.
        progress : callable, optional
            Is told now and then how many rows have been dealt with.

        Returns
        -------
        Exported
            Where it is, how many rows it has, and what could not be read.

        Raises
        ------
        ExplorerError
            Where something is there already, no row is selected, or it cannot be written. Nothing is left then.
        """
        from h5explorer_py.bulk.shard_writer import IMAGES_PER_SHARD
        from h5explorer_py.view.export import export

        if rows not in {"view", "selection"}:
            raise BadRequestError(f'rows is "view" or "selection", not {shorten(str(rows))!r}.')
        if rows == "selection" and not self.selection.ranges:
            raise BadRequestError("No row is selected.", action='Select some, or pass rows="view".')
        return export(
            self._session.view,
            path,
            self.selection.ranges if rows == "selection" else None,
            overwrite=overwrite,
            images_per_shard=IMAGES_PER_SHARD if images_per_shard is None else images_per_shard,
            progress=progress,
        )

    def find(self, text: str) -> int:
        """Return the first row that a text names.

        A uuid equal to the text goes before one that begins with it, or a filepath that contains it; ``uuid:`` and
        ``path:`` in front of the text look in that column only.

        Raises
        ------
        KeyNotFoundError
            Where nothing matches.
        """
        from h5explorer_py.lookup.find import Query, parse

        query = parse(text)
        if query.row is not None:  # a text of digits names a uuid here: row numbers need no search
            query = Query(text.strip())
        row = self._session.view.find(query, None, lambda: None)
        if row is None:
            raise KeyNotFoundError(f"Nothing in the lookup matches {shorten(text)!r}.", key=text)
        return row

    # Images and metadata

    def _entry(self, key: str | SupportsIndex) -> tuple[Dataset, Entry]:
        view = self._session.view
        row = view.row_of(key) if isinstance(key, str) else operator.index(key)
        return view.dataset, view.entry(row)

    def image(self, key: str | SupportsIndex) -> Image:
        """Return an image as it is stored.

        Parameters
        ----------
        key : str or int
            A uuid, or a row number.

        Raises
        ------
        ExplorerError
            With the reason: no such key, no such file, no encoded image.
        """
        dataset, entry = self._entry(key)
        return dataset.image(entry)

    def metadata(self, key: str | SupportsIndex) -> dict[str, Any]:
        """Return the metadata of an image.

        Parameters
        ----------
        key : str or int
            A uuid, or a row number.

        Returns
        -------
        dict
            The columns in their order, values as pyarrow's ``to_pylist`` gives them, as text where Python has no such
            value (the year 30000). A column whose name came before gets a number behind it.

        Raises
        ------
        ExplorerError
            With the reason.
        """
        dataset, entry = self._entry(key)
        from h5explorer_py.metadata.record import values_by_name

        return values_by_name(dataset.record(entry).table)

    # The widget

    def close(self) -> None:
        """Take the widget off the page and let go of all files."""
        if sys.is_finalizing():
            return  # Python ends: the system lets go of all, and no thread can be begun any more
        if hasattr(self, "_dispatcher"):
            self._dispatcher.close()
            self._session.close()
        super().close()

    def __repr__(self) -> str:
        try:
            lookup = self._session.dataset.lookup
        except ExplorerError:
            return "Explorer(closed)"
        return f"Explorer({lookup.name!r}, {lookup.num_rows:,} records)"

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        bundle = super()._repr_mimebundle_(**kwargs)
        if bundle is None:
            return None
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle, {})
        data["text/plain"] = f"{self!r}: run this cell with a kernel that has h5explorer to see it."
        data["text/html"] = self._still_html()
        data[_STILL_TYPE] = {}
        return data, metadata

    def _still_html(self) -> str:
        """Return the still picture; without the picture where it takes too long or there is none."""
        lookup = self._session.dataset.lookup
        row = self.current
        still = None if row is None else still_in_time(lambda: self._still_of(row), _STILL_SECONDS)
        return still or still_html(lookup.name, lookup.num_rows, None)

    def _still_of(self, row: int) -> str:
        lookup = self._session.dataset.lookup
        image = self.image(row)
        return still_html(lookup.name, lookup.num_rows, None if is_truncated(image.data, image.format) else image)


def _limit(limit: int | str | None) -> int | None:
    return None if limit is None else parse_size(limit)


def _cache(cache: bool | str | os.PathLike[str]) -> bool | str:  # noqa: FBT001
    return cache if isinstance(cache, bool) else os.path.abspath(os.path.expanduser(cache))
