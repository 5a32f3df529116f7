"""Stores as sources: what lies in HDF5 files, Zarr stores and shards becomes the same pictures again."""

from __future__ import annotations

import json
import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zarr
from PIL import Image as pil

from h5explorer_py import errors
from h5explorer_py.making.convert import convert as convert_pictures
from h5explorer_py.making.items import find_items
from h5explorer_py.making.job import Context, JobOptions, make_plan
from h5explorer_py.making.reading import ReadOptions, survey
from h5explorer_py.making.stores import sources
from tests.py.making import SIDE, convert, h5manager_file, images, make_folder, texts, truth
from tests.py.pictures import numbers
from tests.py.support import SHARED

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, np.ndarray]:
    folder = tmp_path_factory.mktemp("store")
    pictures = make_folder(folder / "in", 6)
    (pictures / "p003.png").write_bytes(b"broken")
    names = [path.name for path in sorted(pictures.iterdir())]
    labels = pa.table({"filename": names, "label": list("abcdef"), "width": [7] * 6})
    convert(pictures, folder / "s.h5", metadata=labels)
    expected = images(folder / "s.h5")
    np.testing.assert_array_equal(expected[0], truth_of(pictures / "p000.png"))
    return folder / "s.h5", expected


def truth_of(path: Path) -> np.ndarray:
    with pil.open(path) as opened:
        return np.asarray(opened.convert("RGB").resize((SIDE, SIDE), pil.Resampling.BILINEAR))


def plan_of(*named: Path, **options: Any) -> Any:
    with ThreadPoolExecutor(1) as threads:
        return make_plan(list(named), JobOptions(**options), Context(threads))


def test_facts_come_from_the_array_and_lost_ones_stay_lost(store: tuple[Path, np.ndarray]) -> None:
    plan = plan_of(store[0])
    assert [item.name for item in plan.items] == [f"p00{n}.png" for n in range(6)]
    facts = plan.outcomes[0].facts
    assert (facts.format, facts.kind, facts.channels, facts.height, facts.width, facts.dtype) == (
        *("HDF5", "colour", 3, SIDE, SIDE, "uint8"),
    )
    assert [bool(each.code) for each in plan.outcomes] == [False, False, False, True, False, False]
    assert "lost when the store was made" in plan.outcomes[3].error
    assert plan.labels.table.column_names == ["label", "width"]  # their own, and not what was found out


def test_an_hdf5_file_becomes_another(store: tuple[Path, np.ndarray], tmp_path: Path) -> None:
    report = convert(store[0], tmp_path / "a.h5", size=None)
    np.testing.assert_array_equal(images(tmp_path / "a.h5"), store[1])
    assert texts(tmp_path / "a.h5", "labels") == list("abcdef")
    assert report.failed == 1
    convert(store[0], tmp_path / "b.h5", size=None, on_error="skip", processes=1)
    np.testing.assert_array_equal(images(tmp_path / "b.h5"), store[1][[0, 1, 2, 4, 5]])
    assert texts(tmp_path / "b.h5", "names") == [f"p00{n}.png" for n in (0, 1, 2, 4, 5)]
    assert texts(tmp_path / "b.h5", "labels") == list("abcef")
    with h5py.File(tmp_path / "b.h5") as file:
        assert file["metadata/width"][...].tolist() == [7] * 5
        assert file["metadata/image_width"][...].tolist() == [SIDE] * 5


def test_a_file_of_h5manager(tmp_path: Path) -> None:
    values = np.random.default_rng(3).integers(0, 256, (9, 8, 8, 3)).astype(np.int16)
    old = h5manager_file(tmp_path / "old.h5", values)
    with pytest.raises(errors.LossyError, match="int16"):
        convert(old, tmp_path / "a.h5", size=None)
    convert(old, tmp_path / "a.h5", size=None, dtype="uint8")
    np.testing.assert_array_equal(images(tmp_path / "a.h5"), values)
    assert texts(tmp_path / "a.h5", "names")[8] == "old.h5#8"


def test_pictures_and_stores_together(store: tuple[Path, np.ndarray], tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "in", 2, start=50)
    metadata = pa.table({"filename": ["p050.png", "p000.png"], "note": ["new", "old"]})
    convert([folder, store[0]], tmp_path / "a.h5", metadata=metadata)
    np.testing.assert_array_equal(images(tmp_path / "a.h5"), np.concatenate([truth(folder), store[1]]))
    assert texts(tmp_path / "a.h5", "labels") == ["", "", *"abcdef"]
    assert texts(tmp_path / "a.h5", "metadata/note") == ["new", "", "old", *[""] * 5]


@pytest.mark.parametrize("zarr_format", [2, 3])
@pytest.mark.parametrize("shape", [(5, 3, 6, 7), (5, 1, 6, 7), (5, 6, 7)])
def test_zarr_of_both_versions(tmp_path: Path, zarr_format: Any, shape: tuple[int, ...]) -> None:
    values = np.random.default_rng(4).integers(0, 256, shape).astype(np.uint8)
    path = tmp_path / "s" / "images.zarr"
    group = zarr.open_group(path, mode="w", zarr_format=zarr_format)
    group.create_array("images", data=values, chunks=(1, *shape[1:]))
    names = [f"n{number}.png" for number in range(7)]  # two more rows, of an addition that was not finished
    table = pa.table({"filename": names, "label": list(range(7)), "error": [None, "bad", *[None] * 5]})
    pq.write_table(table, tmp_path / "s" / "images_metadata.parquet")
    expected = values if len(shape) == 4 else values[:, None]
    expected = np.moveaxis(np.broadcast_to(expected, (5, 3, 6, 7)), 1, -1).copy()
    for named in (path, tmp_path / "s"):
        report = convert(named, tmp_path / "a.h5", size=None, overwrite=True)
        made = images(tmp_path / "a.h5")
        np.testing.assert_array_equal(made[[0, 2, 3, 4]], expected[[0, 2, 3, 4]])
        assert not made[1].any()
        assert report.failed == 1
        assert texts(tmp_path / "a.h5", "names") == names[:5]
        with h5py.File(tmp_path / "a.h5") as file:
            assert file["labels"][...].tolist() == list(range(5))


def test_stores_of_images_to_zarr_itself(shared: Path, tmp_path: Path) -> None:
    samples = SHARED / "samples" / "zarr"
    for name in ("rgb_lz4", "with_corrupt"):
        convert(samples / f"{name}.zarr", tmp_path / "a.h5", size=None, overwrite=True)
        np.testing.assert_array_equal(images(tmp_path / "a.h5"), np.moveaxis(np.load(samples / f"{name}.npy"), 1, -1))
    convert(samples / "fits_float32.zarr", tmp_path / "a.h5", size=None, dtype="float32", overwrite=True)
    truth_ = np.load(samples / "fits_float32.npy")
    np.testing.assert_array_equal(images(tmp_path / "a.h5")[..., 1], truth_.reshape(len(truth_), *truth_.shape[-2:]))


def test_shards_by_their_lookup_their_folder_or_one_of_them(contract: Path, tmp_path: Path) -> None:
    expected = json.loads((contract / "expected.json").read_text())
    wanted = [key for key, name in expected["rows"] if name and name.endswith("shard_000")]
    folder = tmp_path / "data"
    folder.mkdir()
    for name in ("shard_000_images.h5", "shard_000_metadata.parquet"):
        shutil.copy(contract / name, folder / name)
    for named in (folder, folder / "shard_000_images.h5"):
        convert(named, tmp_path / "a.h5", overwrite=True)
        found = texts(tmp_path / "a.h5", "names")
        assert set(wanted) <= set(found)
        with h5py.File(folder / "shard_000_images.h5", locking=False) as file:
            for place in (0, len(found) - 1):
                (tmp_path / "one").write_bytes(file["images"][found[place]][...].tobytes())
                np.testing.assert_array_equal(images(tmp_path / "a.h5")[place], truth_of(tmp_path / "one"))
    pq.write_table(pa.table({"uuid": found[:3], "filepath": ["shard_000"] * 3}), folder / "lookup.parquet")
    convert(folder / "lookup.parquet", tmp_path / "a.h5", overwrite=True)
    assert texts(tmp_path / "a.h5", "names") == found[:3]


def test_what_is_no_store_is_none(tmp_path: Path) -> None:
    make_folder(tmp_path / "in", 1)
    (tmp_path / "a.txt").write_text("x")
    pq.write_table(pa.table({"uuid": ["a"], "filepath": ["b"]}), tmp_path / "in" / "lookup.parquet")
    (tmp_path / "in" / "images.zarr").mkdir()
    assert [sources.store_kind(str(tmp_path / name)) for name in ("in", "a.txt", "none")] == ["", "", ""]
    (tmp_path / "a.h5").write_text("no HDF5")
    with pytest.raises(errors.ShardUnreadableError):
        find_items([tmp_path / "a.h5"])
    (tmp_path / "bad.zarr").mkdir()
    (tmp_path / "bad.zarr" / "zarr.json").write_text("{")
    with pytest.raises(errors.SourceNotFoundError, match=r"bad\.zarr cannot be read as Zarr"):
        find_items([tmp_path / "bad.zarr"])


def test_a_store_that_changes_is_opened_anew(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["images"] = np.zeros((2, 3, 4, 3), np.uint8)
    items = find_items([path]).items
    assert survey(items[1], ReadOptions()).facts is not None
    os.remove(path)
    with h5py.File(path, "w") as file:
        file["images"] = np.zeros((1, 5, 6, 3), np.uint8)
    facts = survey(items[0], ReadOptions()).facts
    assert facts is not None
    assert (facts.height, facts.width) == (5, 6)
    os.remove(path)
    assert survey(items[0], ReadOptions()).code == "source_not_found"


def test_a_file_that_brings_its_reader_down_is_refused(tmp_path: Path) -> None:
    with pytest.raises(errors.ShardUnreadableError, match="ended"):
        sources.looked_at(crash, str(tmp_path / "a.h5"))


def crash(path: str) -> Any:
    os.abort()


def test_pictures_of_stores_become_shards_and_again_a_store(tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    values = [numbers((9, 7, 3), "uint8", seed) for seed in range(5)]
    for number, each in enumerate(values):
        pil.fromarray(each).save(folder / f"p{number}.png")
    with ThreadPoolExecutor(1) as executor:
        shown = {"scheduler": executor, "progress": False}
        for first, second in (("a.zarr", {"dtype": "float32"}), ("a.h5", {})):
            convert_pictures(folder, tmp_path / first, **second, **shown)
            convert_pictures(tmp_path / first, tmp_path / f"{first} shards", to="shards", **shown)
            again = convert_pictures(tmp_path / f"{first} shards", tmp_path / f"{first} again.zarr", **shown)
            found = zarr.open_group(again.output)["images"][:]
            assert found.dtype == second.get("dtype", "uint8")
            np.testing.assert_array_equal(found, np.stack(values).transpose(0, 3, 1, 2))
