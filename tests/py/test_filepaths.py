"""From the filepath of a row to its two files: relative, absolute, moved, and never somewhere else."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from jupyter_client.session import json_packer, json_unpacker

from h5explorer_py import errors
from h5explorer_py.dataset import Dataset
from h5explorer_py.shards import ShardPaths, files_of
from tests.fixtures.datasets import write_images
from tests.fixtures.pictures import encoded
from tests.py.support import COLUMNS

if TYPE_CHECKING:
    from collections.abc import Mapping


@pytest.mark.parametrize(
    ("path", "images", "metadata"),
    [
        ("s", "s_images.h5", "s_metadata.parquet"),
        ("/x/s", "/x/s_images.h5", "/x/s_metadata.parquet"),
        ("s_images.h5", "s_images.h5", "s_metadata.parquet"),
        ("s_metadata.parquet", "s_images.h5", "s_metadata.parquet"),
        ("s.h5", "s.h5", "s_metadata.parquet"),
        ("s.v2.hdf5", "s.v2.hdf5", "s.v2_metadata.parquet"),
        ("s.v2", "s.v2_images.h5", "s.v2_metadata.parquet"),
        ("s_images", "s_images_images.h5", "s_images_metadata.parquet"),
    ],
)
def test_the_two_files_of_a_shard(path: str, images: str, metadata: str) -> None:
    assert files_of(path) == (images, metadata)


@pytest.mark.parametrize(
    ("root", "filepath", "images"),
    [
        (None, "s", "/lookup/s_images.h5"),
        (None, "below/s", "/lookup/below/s_images.h5"),
        (None, "../s", "/lookup/../s_images.h5"),
        (None, "/abs/s", "/abs/s_images.h5"),
        ("/new", "s", "/new/s_images.h5"),
        ("/new", "/abs/s", "/abs/s_images.h5"),
        ({"/old": "/new"}, "/old/x/s", "/new/x/s_images.h5"),
        ({"/old/": "/new/"}, "/old/x/s", "/new/x/s_images.h5"),
        ({"/old": "/new"}, "/older/s", "/older/s_images.h5"),
        ({"/old": "/new"}, "/x/old/s", "/x/old/s_images.h5"),
        ({"/old": "/new"}, "s", "/lookup/s_images.h5"),
        ({"rel": "/new"}, "rel/s", "/new/s_images.h5"),
        ({"/old": "/a", "/old/x": "/b"}, "/old/x/s", "/b/s_images.h5"),
        ({"/old/x": "/b", "/old": "/a"}, "/old/y/s", "/a/y/s_images.h5"),
        ({"/": "/new"}, "/old/s", "/new/old/s_images.h5"),
    ],
)
def test_where_a_filepath_leads(root: str | Mapping[str, str] | None, filepath: str, images: str) -> None:
    assert ShardPaths(root).files(filepath, "/lookup").images == images


@pytest.mark.parametrize("root", ["here", Path("here"), {"/old": "here"}])
def test_a_relative_root_is_one_of_the_working_folder_of_its_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, root: str
) -> None:
    monkeypatch.chdir(tmp_path)
    paths = ShardPaths(root)
    monkeypatch.chdir("/")
    filepath = "/old/s" if isinstance(root, dict) else "s"
    assert paths.files(filepath, "/lookup").images == str(tmp_path / "here" / "s_images.h5")


@pytest.mark.parametrize("root", ["~/new", {"/old": "~/new"}])
def test_a_root_may_begin_at_home(monkeypatch: pytest.MonkeyPatch, root: str) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    filepath = "/old/s" if isinstance(root, dict) else "s"
    assert ShardPaths(root).files(filepath, "/lookup").images == "/home/me/new/s_images.h5"


def test_an_absolute_path_is_looked_for_below_the_root_where_it_has_moved(tmp_path: Path) -> None:
    (tmp_path / "set" / "below").mkdir(parents=True)
    (tmp_path / "set" / "below" / "s_images.h5").touch()
    paths = ShardPaths(tmp_path)
    assert paths.files("/gone/away/set/below/s", "/lookup").images == str(tmp_path / "set" / "below" / "s_images.h5")
    assert paths.files(str(tmp_path / "set" / "below" / "s"), "/lookup").images.startswith(str(tmp_path / "set"))
    assert paths.files("/gone/away/other", "/lookup").images == "/gone/away/other_images.h5"


@pytest.mark.parametrize("address", ["s3://bucket/s", "https://x.org/s"])
def test_addresses_are_refused(address: str) -> None:
    with pytest.raises(errors.UnsupportedError, match="root="):
        ShardPaths().files(address, "/lookup")


def test_a_nul_is_in_no_path() -> None:
    with pytest.raises(errors.ShardNotFoundError):
        ShardPaths().files("s\0", "/lookup")


def test_filepaths_start_from_the_lookup_and_not_from_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, working = tmp_path / "data", tmp_path / "working"
    for number, folder in enumerate((data, working)):
        folder.mkdir()
        write_images(folder / "s_images.h5", {"a": encoded(number)})
    pq.write_table(pa.table({"uuid": ["a"], "filepath": ["s"]}), data / "lookup.parquet")
    monkeypatch.chdir(working)
    dataset = Dataset(os.path.relpath(data / "lookup.parquet"), COLUMNS)
    image = dataset.image(dataset.entry(0))
    assert image.data == encoded(0)
    assert image.source == str(data / "s_images.h5")
    dataset.close()


def test_a_moved_data_set_is_read_where_it_is_now(tmp_path: Path) -> None:
    (tmp_path / "now").mkdir()
    write_images(tmp_path / "now" / "s_images.h5", {"a": encoded(5)})
    table = pa.table({"uuid": ["a"], "filepath": ["/then/s"]})
    dataset = Dataset(table, COLUMNS)
    with pytest.raises(errors.ShardNotFoundError, match="root="):
        dataset.image(dataset.entry(0))
    dataset.close()
    for root in (tmp_path / "now", {"/then": str(tmp_path / "now")}):
        dataset = Dataset(table, COLUMNS, root)
        assert dataset.image(dataset.entry(0)).data == encoded(5)
        dataset.close()


def test_a_shard_is_looked_for_in_every_place_each_time_that_it_is_not_there(tmp_path: Path) -> None:
    now, later = tmp_path / "then", tmp_path / "now" / "below"
    for folder in (now, later):
        folder.mkdir(parents=True)
    table = pa.table({"uuid": ["a"], "filepath": [str(now / "below" / "s")]})
    dataset = Dataset(table, COLUMNS, tmp_path / "now")
    entry = dataset.entry(0)
    for look in (dataset.image, dataset.image_state, dataset.record):
        with pytest.raises(FileNotFoundError):
            look(entry)
    write_images(later / "s_images.h5", {"a": encoded(1)})
    assert dataset.image(entry).data == encoded(1)
    assert dataset.image(entry).source == str(later / "s_images.h5")
    (later / "s_images.h5").unlink()
    (now / "below").mkdir()
    write_images(now / "below" / "s_images.h5", {"a": encoded(2)})
    with pytest.raises(FileNotFoundError):
        dataset.image_state(entry)
    assert dataset.image(entry).data == encoded(2)
    dataset.close()


@pytest.mark.skipif(sys.platform != "linux", reason="other systems' file names are Unicode")
@pytest.mark.parametrize("kind", ["parquet", "csv", "folder", "giant"])
def test_names_of_folders_that_are_no_utf_8(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """As programs of another time left them; what is shown of such a name can be sent to a page."""
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/gr\xfcn"))
    folder.mkdir()
    write_images(tmp_path / "s_images.h5", {"a": encoded(1)})
    os.replace(tmp_path / "s_images.h5", folder / "s_images.h5")
    for name, table in (
        ("s_metadata", pa.table({"uuid": ["a"], "x": [3]})),
        ("l", pa.table({"uuid": ["a"], "filepath": ["s"]})),
    ):
        pq.write_table(table, tmp_path / "t.parquet")
        os.replace(tmp_path / "t.parquet", folder / f"{name}.parquet")
    (folder / "l.csv").write_text("uuid,filepath\na,s\n")
    if kind == "giant":
        monkeypatch.setattr("h5explorer_py.lookup.parquet.SMALL_GROUP", 0)
        monkeypatch.setattr("h5explorer_py.lookup.parquet.FIRST_ROWS", 0)
    lookup = {"parquet": "l.parquet", "csv": "l.csv", "folder": "", "giant": "l.parquet"}[kind]
    dataset = Dataset(folder / lookup, COLUMNS)
    assert dataset.keys(0, 9).column("uuid").to_pylist() == ["a"]
    assert dataset.lookup.read(0, 9).num_rows == 1
    assert dataset.filepaths(lambda: None) == 1
    image = dataset.image(dataset.entry(0))
    assert image.data == encoded(1)
    assert json_unpacker(json_packer({"source": image.source}))["source"].endswith("s_images.h5")
    assert dataset.record(dataset.entry(0)).table.column("x").to_pylist() == [3]
    dataset.close()


@pytest.mark.parametrize(
    "filepath", ["\U0001f600", "x" * 5000, "a\nb", " ", ".", "..", "-rf", "%2e%2e/s", "$HOME", "~"]
)
def test_odd_filepaths_are_only_files_that_are_not_there(tmp_path: Path, filepath: str) -> None:
    pq.write_table(pa.table({"uuid": ["a"], "filepath": [filepath]}), tmp_path / "lookup.parquet")
    dataset = Dataset(tmp_path / "lookup.parquet", COLUMNS)
    with pytest.raises(errors.ExplorerError) as caught:
        dataset.image(dataset.entry(0))
    assert type(caught.value) in {errors.ShardNotFoundError, errors.ShardUnreadableError}
    dataset.close()
