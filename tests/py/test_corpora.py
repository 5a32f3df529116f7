"""Files that are known to break readers: a typed error or a result, in time, and all else goes on."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from h5explorer_py import errors
from h5explorer_py.dataset import Dataset
from h5explorer_py.images import readers
from h5explorer_py.images.readers import ReaderPool
from h5explorer_py.lookup.find import Query
from h5explorer_py.metadata.record import for_page, type_name
from h5explorer_py.metadata.store import MetadataStore
from h5explorer_py.options import KeyColumns
from h5explorer_py.wire import to_parquet
from tests.fixtures.datasets import write_images
from tests.fixtures.pictures import encoded
from tests.py.support import COLUMNS, SHARED, image_of, within

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

LIMIT = 10
HDF5 = sorted(path.name for path in (SHARED / "corpora" / "hdf5").glob("cve*")) or ["absent"]
PARQUET = sorted(
    path.name for path in (SHARED / "corpora" / "parquet").glob("*") if path.suffix not in {".md", ".proto"}
)
PARQUET = PARQUET or ["absent"]


@pytest.fixture(scope="module")
def pool() -> Iterator[ReaderPool]:
    """Readers that are given up soon; the files need not be waited for."""
    with pytest.MonkeyPatch.context() as patch:
        made = ReaderPool(1)
        patch.setattr(readers, "_pool", made)
        patch.setattr(readers, "SECONDS", 3)
        yield made
        made.close()


def outcome(work: Callable[[], Any]) -> Any:
    """Return a result or a typed error; anything else fails, as does what takes too long."""
    try:
        result = within(LIMIT, work)
    except errors.ExplorerError as error:
        result = error
    assert not isinstance(result, errors.ExplorerError) or 0 < len(str(result)) < 3000
    assert "\n" not in getattr(result, "message", "")
    return result


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("good") / "good_images.h5"
    write_images(path, {"a": encoded(1)})
    return path


@pytest.mark.parametrize("name", HDF5)
def test_damaged_hdf5_as_a_shard_and_as_a_lookup(
    shared: Path, pool: ReaderPool, good: Path, tmp_path: Path, name: str
) -> None:
    path = tmp_path / "s_images.h5"
    shutil.copyfile(shared / "corpora" / "hdf5" / name, path)
    outcome(lambda: image_of(path))
    lookup = outcome(lambda: Dataset(path, COLUMNS))
    if isinstance(lookup, Dataset):
        for row in range(min(lookup.num_rows, 5)):
            outcome(lambda row=row: lookup.image(lookup.entry(row)))
        lookup.close()
    assert image_of(good) == encoded(1)


@pytest.mark.parametrize("name", HDF5)
def test_every_object_of_damaged_hdf5_under_the_name_that_is_looked_for(
    shared: Path, pool: ReaderPool, good: Path, tmp_path: Path, name: str
) -> None:
    """The damaged file as one that a shard's group leads to: its objects are reached, and not only its root."""
    import h5py

    shutil.copyfile(shared / "corpora" / "hdf5" / name, tmp_path / "damaged.h5")
    with h5py.File(tmp_path / "s_images.h5", "w") as file:
        file["images"] = h5py.ExternalLink("damaged.h5", "/")
    lookup = outcome(lambda: Dataset(tmp_path / "s_images.h5", COLUMNS))
    if isinstance(lookup, Dataset):
        for row in range(min(lookup.num_rows, 20)):
            outcome(lambda row=row: lookup.image(lookup.entry(row)))
        lookup.close()
    assert image_of(good) == encoded(1)


def columns_of(path: Path) -> list[KeyColumns]:
    """The usual names, and names of columns that are there."""
    try:
        names = pq.read_schema(path).names
    except (pa.ArrowException, OSError, ValueError):
        return [COLUMNS]
    return [COLUMNS, *(KeyColumns(name, name) for name in dict.fromkeys(names[:6]) if name)]


@pytest.mark.parametrize("road", ["groups", "sql", "stream"])
@pytest.mark.parametrize("name", PARQUET)
def test_damaged_parquet_as_a_lookup(shared: Path, monkeypatch: pytest.MonkeyPatch, name: str, road: str) -> None:
    if road != "groups":
        monkeypatch.setattr("h5explorer_py.lookup.parquet.SMALL_GROUP", 0)
    if road == "sql":
        monkeypatch.setattr("h5explorer_py.lookup.parquet.FIRST_ROWS", 0)
    path = shared / "corpora" / "parquet" / name
    for columns in columns_of(path):
        opened = outcome(lambda columns=columns: Dataset(path, columns))
        if not isinstance(opened, Dataset):
            continue
        for work in (
            lambda opened=opened: to_parquet(opened.keys(0, 100)),
            lambda opened=opened: opened.lookup.read(0, 100),
            lambda opened=opened: opened.entry(0),
            lambda opened=opened: opened.row_of("x"),
            lambda opened=opened: opened.find(Query("x"), None, lambda: None),
            lambda opened=opened: opened.filepaths(lambda: None),
        ):
            outcome(work)
        opened.close()


@pytest.mark.parametrize("name", PARQUET)
def test_damaged_parquet_as_metadata(shared: Path, name: str) -> None:
    path = shared / "corpora" / "parquet" / name
    for columns in columns_of(path):
        store = MetadataStore((columns.uuid,))
        record = outcome(lambda store=store: store.record(str(path), "x"))
        assert isinstance(record, errors.ExplorerError) or record.table.num_rows == 1


@pytest.mark.parametrize("name", PARQUET)
def test_records_of_odd_parquet_reach_the_page(shared: Path, name: str) -> None:
    """Whatever pyarrow reads out of such a file can be sent, and its types have names."""
    try:
        table = within(LIMIT, lambda: pq.read_table(shared / "corpora" / "parquet" / name).slice(0, 3))
        table.validate(full=True)
    except (pa.ArrowException, OSError, ValueError):
        return
    sent = pq.read_table(pa.BufferReader(to_parquet(for_page(table))))
    assert sent.num_rows == table.num_rows
    assert sent.column_names == table.column_names
    assert all(type_name(field.type) for field in table.schema)
