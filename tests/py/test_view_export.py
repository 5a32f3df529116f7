"""Exporting what is shown or selected: the files hold just these rows, and open again."""

from __future__ import annotations

import csv
import gzip
from typing import TYPE_CHECKING, Any

import h5py
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from h5explorer_py import Explorer, errors
from h5explorer_py.bulk import export_lookup
from h5explorer_py.view import export as module
from tests.fixtures.datasets import GOOD_PER_SHARD, key
from tests.py.test_extract import is_faithful

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Make = Callable[..., Explorer]

GOOD = "filepath LIKE 'shard%'"


@pytest.fixture(autouse=True)
def _small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_BLOCK_ROWS", 7)
    monkeypatch.setattr(module, "UNORDERED_ROWS", 11)
    monkeypatch.setattr(export_lookup, "_BATCH_ROWS", 13)


def uuids(path: Path) -> list[str]:
    return pq.read_table(path)["uuid"].to_pylist()


def test_tables_of_what_is_shown(explorer: Make, contract: Path, tmp_path: Path) -> None:
    whole = pq.read_table(contract / "lookup.parquet")
    ex = explorer()
    done = ex.export(tmp_path / "all.parquet")
    assert (done.rows, done.images, done.failed) == (len(whole), None, 0)
    assert pq.read_table(done.path).equals(whole)
    ex.filter = "filepath = 'shard_001'"
    ex.sort = [("uuid", "desc")]
    rows = sorted(range(GOOD_PER_SHARD, 2 * GOOD_PER_SHARD), key=key, reverse=True)
    told: list[int] = []
    done = ex.export(tmp_path / "some.parquet", progress=told.append)
    assert pq.read_table(done.path).equals(whole.take(pa.array(rows)))
    assert told == sorted(told)
    assert told[-1] == done.rows == 100
    with open(ex.export(tmp_path / "some.tsv").path, newline="", encoding="utf-8") as file:
        assert list(csv.reader(file, delimiter="\t"))[1:] == [[key(row), "shard_001"] for row in rows]
    with gzip.open(ex.export(tmp_path / "some.csv.gz").path, "rt", newline="", encoding="utf-8") as packed:
        assert list(csv.reader(packed))[1:] == [[key(row), "shard_001"] for row in rows]
    assert f"Its filepaths start from {contract}" in str(done)


def test_tables_of_what_is_selected(explorer: Make, tmp_path: Path) -> None:
    ex = explorer()
    ex.filter = GOOD
    ex.sort = [("uuid", "asc")]
    ex.selection = [*range(3, 20), 50, *range(290, 300)]
    done = ex.export(tmp_path / "some.parquet", rows="selection")
    ordered = sorted(map(key, range(300)))
    assert uuids(tmp_path / "some.parquet") == [ordered[at] for at in ex.selection]
    assert done.rows == 28


def test_a_folder_is_a_smaller_data_set(explorer: Make, contract: Path, tmp_path: Path) -> None:
    ex = explorer()
    ex.filter = "alpha_last >= 250"  # of the metadata
    done = ex.export(tmp_path / "subset", images_per_shard=20)
    assert done.images is not None
    assert (done.rows, done.images.images, done.images.shards, done.failed) == (50, 50, 3, 0)
    assert done.path == str(tmp_path / "subset" / "lookup.parquet")
    is_faithful(contract / "lookup.parquet", list(range(250, 300)), tmp_path / "subset")
    opened = explorer(tmp_path / "subset" / "lookup.parquet")
    assert len(opened) == 50
    assert opened.image(7).data == ex.image(7).data
    assert str(opened.metadata(49)) == str(ex.metadata(49))  # NaN is not equal to itself
    ex.selection = range(10, 12)
    ex.export(tmp_path / "subset", rows="selection", overwrite=True)
    assert uuids(tmp_path / "subset" / "lookup.parquet") == [key(260), key(261)]
    with h5py.File(next((tmp_path / "subset").glob("*_images.h5"))) as file:
        assert sorted(file["images"]) == sorted([key(260), key(261)])


def test_what_cannot_be_read_is_reported(explorer: Make, tmp_path: Path) -> None:
    ex = explorer()
    ex.selection = [5, 300]  # the second has no shard
    done = ex.export(tmp_path / "subset", rows="selection")
    assert done.images is not None
    assert (done.rows, done.failed, done.images.failures[0].row) == (1, 1, 300)
    assert "Rows left out" in str(done)


def test_what_is_refused(explorer: Make, tmp_path: Path) -> None:
    ex = explorer()
    wrong: Any = "all"
    with pytest.raises(errors.BadRequestError, match="selection"):
        ex.export(tmp_path / "o.csv", rows=wrong)
    with pytest.raises(errors.BadRequestError, match="No row is selected"):
        ex.export(tmp_path / "o.csv", rows="selection")
    (tmp_path / "o.csv").write_text("mine")
    with pytest.raises(errors.TargetExistsError):
        ex.export(tmp_path / "o.csv")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "mine").write_text("mine")
    for overwrite in (False, True):
        with pytest.raises(errors.TargetExistsError):
            ex.export(tmp_path / "folder", overwrite=overwrite)
    with pytest.raises(errors.UnsupportedError):
        ex.export(tmp_path / "o.parquet.gz")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder", "o.csv"]
    assert (tmp_path / "o.csv").read_text() == "mine"
    ex.close()
    with pytest.raises(errors.ClosedError):
        ex.export(tmp_path / "new.csv")


def test_an_interrupt_leaves_nothing(explorer: Make, tmp_path: Path) -> None:
    def stop(_: int) -> None:
        raise KeyboardInterrupt

    for name in ("o.csv", "folder"):
        with pytest.raises(KeyboardInterrupt):
            explorer().export(tmp_path / name, progress=stop)
    assert list(tmp_path.iterdir()) == []
