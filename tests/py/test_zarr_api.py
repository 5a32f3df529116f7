"""The functions of images_to_zarr, used as people who come from it use them."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import fsspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zarr
from astropy.io import fits
from PIL import Image as pil

from h5explorer_py import errors
from h5explorer_py.cli import main
from h5explorer_py.zarr import configure_logging, convert, display_sample_images, inspect
from h5explorer_py.zarr import display as display_module
from tests.py.pictures import fits_of, numbers, saved, tiff
from tests.py.support import SHARED

if TYPE_CHECKING:
    from numpy.typing import NDArray

QUIET = {"progress": False}
SAMPLES = SHARED / "samples" / "zarr"


def photographs(folder: Path, count: int = 3, size: tuple[int, int] = (24, 20)) -> NDArray[np.uint8]:
    folder.mkdir(exist_ok=True)
    values = numbers((count, *size, 3), "uint8")
    for number, each in enumerate(values):
        pil.fromarray(each).save(folder / f"image{number:03d}.png")
    return values.transpose(0, 3, 1, 2)


def array(store: Path | str) -> NDArray[Any]:
    return np.asarray(zarr.open_group(str(store), mode="r")["images"][:])


def rows(path: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = pq.read_table(path).to_pylist()
    return found


# The examples of the documentation


def test_folders_with_metadata(tmp_path: Path) -> None:
    values = photographs(tmp_path / "images")
    (tmp_path / "metadata.csv").write_text(
        "filename,source_id,ra,magnitude\nimage002.png,12347,125.678,17.8\nimage000.png,12345,123.456,18.5\n"
    )
    zarr_path = convert(
        folders=[str(tmp_path / "images")],
        recursive=True,
        metadata=str(tmp_path / "metadata.csv"),
        output_dir=str(tmp_path / "out"),
        num_parallel_workers=8,
        chunk_shape=(1, 256, 256),
        compressor="zstd",
        clevel=4,
        **QUIET,
    )
    assert zarr_path == tmp_path / "out" / "images.zarr"
    assert isinstance(zarr_path, Path)
    np.testing.assert_array_equal(array(zarr_path), values)
    assert zarr.open_group(zarr_path)["images"].compressors[0].level == 4
    found = rows(tmp_path / "out" / "images_metadata.parquet")
    assert [row["filename"] for row in found] == ["image000.png", "image001.png", "image002.png"]
    assert [row["source_id"] for row in found] == [12345, None, 12347]
    assert sorted(os.listdir(tmp_path / "out")) == ["images.zarr", "images_metadata.parquet"]


def test_arrays_in_memory_then_more(tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    images = random.random((100, 3, 12, 10)).astype(np.float32)
    zarr_path = convert(output_dir=tmp_path / "out", images=images, compressor="lz4", overwrite=True, **QUIET)
    assert zarr_path == tmp_path / "out" / "images.zarr"
    metadata = [{"id": i, "source": "generated"} for i in range(100)]
    zarr_path = convert(
        output_dir=str(tmp_path / "out"),
        images=images,
        image_metadata=metadata,
        chunk_shape=(10, 224, 224),
        overwrite=True,
        **QUIET,
    )
    assert zarr.open_group(zarr_path)["images"].chunks == (10, 3, 12, 10)
    new_images = random.random((50, 3, 12, 10)).astype(np.float32)
    new_metadata = [{"id": i, "source": "appended"} for i in range(100, 150)]
    zarr_path = convert(
        output_dir=tmp_path / "out", images=new_images, image_metadata=new_metadata, append=True, **QUIET
    )
    last = random.random((25, 3, 12, 10)).astype(np.float32)
    zarr_path = convert(output_dir=tmp_path / "out", images=last, append=True, **QUIET)
    np.testing.assert_array_equal(array(zarr_path), np.concatenate([images, new_images, last]))
    found = rows(tmp_path / "out" / "images_metadata.parquet")
    assert len(found) == 175
    assert [row["id"] for row in found] == [*range(150), *([None] * 25)]
    assert {row["source"] for row in found[100:150]} == {"appended"}
    assert found[0]["min"] == float(images[0].min())
    assert found[120]["mean"] == pytest.approx(new_images[20].mean(dtype=np.float64), rel=1e-12)
    history = zarr.open_group(zarr_path).attrs["append_history"]
    counts = [{key: each[key] for key in ("appended_count", "start_index", "end_index")} for each in history]
    assert counts == [
        {"appended_count": 50, "start_index": 100, "end_index": 150},
        {"appended_count": 25, "start_index": 150, "end_index": 175},
    ]


def test_a_store_named_zarr_is_the_store(tmp_path: Path) -> None:
    images = numbers((5, 3, 8, 8), "uint8")
    where = convert(output_dir=f"{tmp_path}/dataset.zarr", images=images, overwrite=True, **QUIET)
    assert where == tmp_path / "dataset.zarr"
    convert(output_dir=f"{tmp_path}/dataset.zarr", images=images, append=True, **QUIET)
    root = zarr.open_group(store=zarr.storage.LocalStore(where), mode="r")
    assert root["images"].shape == (10, 3, 8, 8)
    assert sorted(os.listdir(tmp_path)) == ["dataset.zarr", "dataset_metadata.parquet"]


def test_files_are_added_to_pictures_of_memory_and_the_other_way_round(tmp_path: Path) -> None:
    values = photographs(tmp_path / "images")
    first = numbers((4, 3, 24, 20), "uint8", 5)
    meta = pa.table({"label": list("abcd")})
    where = convert(tmp_path / "s.zarr", images=first, image_metadata=meta, **QUIET)
    convert(tmp_path / "s.zarr", tmp_path / "images", append=True, **QUIET)
    convert(tmp_path / "s.zarr", images=first[:1], append=True, **QUIET)
    np.testing.assert_array_equal(array(where), np.concatenate([first, values, first[:1]]))
    found = rows(tmp_path / "s_metadata.parquet")
    assert [row["label"] for row in found] == ["a", "b", "c", "d", None, None, None, None]
    assert [row["filename"] for row in found[4:]] == ["image000.png", "image001.png", "image002.png", "image_000007"]


def test_options_stand_where_they_stood(tmp_path: Path) -> None:
    """Positions and names of the arguments are those that scripts already use."""
    photographs(tmp_path / "images", size=(30, 40))
    where = convert(tmp_path / "o", [tmp_path / "images"], None, False, 2, None, (16, 8), 3, progress=False)
    attributes = zarr.open_group(where).attrs
    assert array(where).shape == (3, 3, 16, 8)
    assert attributes["creation_info"]["interpolation_order"] == 3
    for name in ("total_images", "image_shape", "chunk_shape", "compressor", "compression_level", "metadata_file"):
        assert name in attributes
    assert attributes["creation_info"]["direct_memory_conversion"] is False


@pytest.mark.parametrize(
    ("extension", "planes"), [(None, [0]), (1, [1]), ("SCI", [1]), ([0, 1, "ERR"], [0, 1, 2]), (("ERR",), [2])]
)
def test_units_of_fits(tmp_path: Path, extension: Any, planes: list[int]) -> None:
    values = numbers((3, 7, 9), "float32")
    units = [fits.PrimaryHDU(values[0]), fits.ImageHDU(values[1], name="SCI"), fits.ImageHDU(values[2], name="ERR")]
    (tmp_path / "a.fits").write_bytes(fits_of(*units))
    where = convert(tmp_path / "o", [tmp_path / "a.fits"], fits_extension=extension, **QUIET)
    np.testing.assert_array_equal(array(where)[0], values[planes])


@pytest.mark.parametrize("metadata", [[{"a": 1}], [{"a": 1}] * 3, [], pa.table({"a": [1, 2, 3]})])
def test_metadata_of_another_length_are_refused(tmp_path: Path, metadata: Any) -> None:
    with pytest.raises(errors.LabelsError, match="There are 2 pictures, and metadata for"):
        convert(tmp_path / "o", images=numbers((2, 3, 8, 8), "uint8"), image_metadata=metadata, **QUIET)
    assert not os.listdir(tmp_path)


@pytest.mark.parametrize(
    "shape", [(2, 24, 20, 3), (2, 24, 20, 1), (2, 24, 20, 4), (24, 20, 3), (24, 20), (0, 3, 8, 8), (2, 3, 0, 8)]
)
def test_arrays_of_other_axes_are_refused(tmp_path: Path, shape: tuple[int, ...]) -> None:
    with pytest.raises(errors.MixedPicturesError, match="shape"):
        convert(tmp_path / "o", images=np.zeros(shape, np.uint8), **QUIET)
    assert not os.listdir(tmp_path)


@pytest.mark.parametrize("dtype", ["complex64", "U3", "O", "M8[s]", "longdouble"])
def test_arrays_of_other_values_are_refused(tmp_path: Path, dtype: str) -> None:
    with pytest.raises(errors.MixedPicturesError, match="type"):
        convert(tmp_path / "o", images=np.zeros((2, 3, 4, 5), dtype), **QUIET)
    assert not os.listdir(tmp_path)


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint16", "int64", "float16", "float32", "float64", ">u2", ">f4"])
@pytest.mark.parametrize("channels", [1, 2, 3, 4, 5])
def test_arrays_of_all_types(tmp_path: Path, dtype: str, channels: int) -> None:
    images = (
        numbers((3, channels, 6, 7), "uint8") % 2 if dtype == "bool" else numbers((3, channels, 6, 7), "int8")
    ).astype(dtype)
    where = convert(tmp_path / "o", images=images, **QUIET)
    np.testing.assert_array_equal(array(where), images)
    display_sample_images(where, save_path=tmp_path / "sheet.png")
    inspect(where)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, "Give folders"),
        ({"folders": "x", "images": np.zeros((1, 3, 4, 5), np.uint8)}, "Give folders and metadata, or"),
        ({"metadata": "x", "images": np.zeros((1, 3, 4, 5), np.uint8)}, "Give folders and metadata, or"),
        ({"folders": "x", "image_metadata": [{}]}, "image_metadata"),
        ({"images": np.zeros((1, 3, 4, 5), np.uint8), "resize": (3, 3)}, "resize"),
        ({"images": np.zeros((1, 3, 4, 5), np.uint8), "chunk_shape": (1, 2)}, "three sizes"),
        ({"images": np.zeros((1, 3, 4, 5), np.uint8), "chunk_shape": (0, 2, 2)}, "at least 1"),
        ({"images": np.zeros((1, 3, 4, 5), np.uint8), "clevel": 0}, "from 1 to 9"),
        ({"images": np.zeros((1, 3, 4, 5), np.uint8), "append": True, "overwrite": True}, "both"),
    ],
)
def test_what_makes_no_sense_is_refused(tmp_path: Path, options: dict[str, Any], said: str) -> None:
    with pytest.raises((ValueError, TypeError), match=said):
        convert(tmp_path / "o", **options, **QUIET)
    assert not os.listdir(tmp_path)


@pytest.mark.parametrize("compressor", ["bz2", "lzma", "zlib", "LZ4 ", "snappy", ""])
def test_other_compressors_are_refused(tmp_path: Path, compressor: str) -> None:
    with pytest.raises(errors.UnsupportedError, match="There is no compressor"):
        convert(tmp_path / "o", images=np.zeros((1, 3, 4, 5), np.uint8), compressor=compressor, **QUIET)


def test_nothing_is_replaced_unasked(tmp_path: Path) -> None:
    images = np.full((2, 1, 4, 4), 7, np.uint8)
    where = convert(tmp_path / "o", images=images, **QUIET)
    with pytest.raises(errors.TargetExistsError):
        convert(tmp_path / "o", images=images + 1, **QUIET)
    assert (array(where) == 7).all()


def test_object_stores_have_a_url(tmp_path: Path) -> None:
    where = convert("memory://api/x.zarr", images=np.full((2, 1, 4, 4), 7, np.uint8), overwrite=True, **QUIET)
    assert where == "memory://api/x.zarr"
    inspect(where)
    display_sample_images(where, save_path=tmp_path / "s.png")
    fsspec.filesystem("memory").rm("/api", recursive=True)


def test_logging_is_turned_on_and_off(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    photographs(tmp_path / "images")
    configure_logging(enable=True, level="DEBUG")
    try:
        convert(tmp_path / "a", tmp_path / "images", **QUIET)
        assert "Converting: 3 pictures" in capfd.readouterr().err
        with pytest.raises(ValueError, match="LOUD"):
            configure_logging(enable=True, level="loud")
    finally:
        configure_logging(enable=False)
    convert(tmp_path / "b", tmp_path / "images", **QUIET)
    assert capfd.readouterr().err == ""
    line = f"convert {tmp_path}/images --out {tmp_path}/c --workers 1 --quiet --log {tmp_path}/c.log"
    assert main(line.split()) == 0
    assert "Converting: 3 pictures" in (tmp_path / "c.log").read_text()  # that was asked for by itself


# Inspect


def printed(store: Any, capsys: pytest.CaptureFixture[str]) -> str:
    capsys.readouterr()
    inspect(store)
    return capsys.readouterr().out


def mixed(tmp_path: Path) -> Path:
    """A store of every format, two of them damaged, one of zeros."""
    folder = tmp_path / "mixed"
    folder.mkdir()
    for name, kind in (("a.png", "PNG"), ("b.jpg", "JPEG"), ("c.jpeg", "JPEG"), ("d.webp", "WebP")):
        (folder / name).write_bytes(saved(pil.fromarray(numbers((8, 6, 3), "uint8")), kind))
    (folder / "e.tif").write_bytes(tiff(numbers((8, 6), "uint16")))
    (folder / "f.fits").write_bytes(fits_of(fits.PrimaryHDU(numbers((4, 5), "int16"))))
    (folder / "g.png").write_bytes(b"")
    (folder / "h.jpg").write_bytes((folder / "b.jpg").read_bytes()[:120])
    found = convert(tmp_path / "out", folder, resize=(8, 6), shard_size=1, compressor="zstd", clevel=7, **QUIET)
    assert isinstance(found, Path)
    return found


def test_what_inspect_prints(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    where = mixed(tmp_path)
    size = sum(path.stat().st_size for path in where.rglob("*") if path.is_file())
    files = sum(path.is_file() for path in where.rglob("*"))
    for given in (where, str(where), where.parent, f"{where}/"):
        text = printed(given, capsys)
        assert f"Store: {where} (Zarr v3)\n" in text
        assert "Total images across all files: 8\n" in text
        assert f"Total storage size: {size / 1e6:,.2f} MB in {files} files\n" in text
        assert "Image dimensions: (3, 8, 6)\n" in text
        assert "Data type: int32\n" in text
        assert "Compression: zstd (level 7)\n" in text
        assert "Chunks: (1, 3, 8, 6)\n" in text
        assert "Shards: (1, 3, 8, 6) (8 files)\n" in text
        assert "(8 rows)" in text
        assert "Images that could not be read, which are zeros: 2\n  g.png: The file is empty" in text
        assert "  6 × 8: 5 (62.5%)\n" in text
        assert "  5 × 4: 1 (12.5%)\n" in text


@pytest.mark.parametrize("title", ["Format", "Original data type", "Original size"])
def test_shares_add_up(tmp_path: Path, capsys: pytest.CaptureFixture[str], title: str) -> None:
    lines = printed(mixed(tmp_path), capsys).splitlines()
    start = next(at for at, line in enumerate(lines) if line.startswith(f"{title} distribution"))
    shown = []
    for line in lines[start + 1 :]:
        if not line.startswith("  "):
            break
        shown.append(line)
    assert sum(int(line.rpartition(": ")[2].split()[0]) for line in shown) == 8
    assert sum(float(line.rpartition("(")[2].rstrip("%)")) for line in shown) == pytest.approx(100)


def test_json_says_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    where = mixed(tmp_path)
    capsys.readouterr()
    assert main(["inspect", str(where), "--json"]) == 3
    facts = json.loads(capsys.readouterr().out)
    assert facts["images"] == facts["rows"] == facts["chunk_files"] == facts["chunk_files_most"] == 8
    assert facts["shape"] == [8, 3, 8, 6]
    assert facts["failed"] == 2
    assert [name for name, _ in facts["errors"]] == ["g.png", "h.jpg"]
    assert facts["formats"] == {"PNG": 2, "JPEG": 3, "WebP": 1, "TIFF": 1, "FITS": 1}
    assert facts["compression"] == "zstd (level 7)"
    assert facts["format"] == 3
    assert main(["inspect", str(where)]) == 3
    assert main(["inspect", str(tmp_path)]) == 1
    assert "holds no Zarr group" in capsys.readouterr().err


def test_chunks_that_are_not_there_count(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Plain Zarr leaves out files of zeros: they are of the array all the same."""
    group = zarr.open_group(tmp_path / "x.zarr", mode="w")
    values = numbers((6, 1, 8, 8), "uint8") | 1
    values[2:4] = 0
    group.create_array("images", data=values, chunks=(1, 1, 8, 8))
    text = printed(tmp_path / "x.zarr", capsys)
    assert "Shards: none; chunks as files (4 files, 2 more hold only zeros)\n" in text
    assert "There is no table of metadata" in text


def test_columns_of_people_do_not_mislead(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    photographs(tmp_path / "images")
    names = [f"image{number:03d}.png" for number in range(3)]
    columns = {"filename": names, "error": [0.1, 0.2, 0.3], "dtype": ["x", "y", "z"], "width": ["a", "b", "c"]}
    where = convert(tmp_path / "o", tmp_path / "images", pa.table({**columns, "min": [-5.0] * 3}), **QUIET)
    text = printed(where, capsys)
    assert "could not be read" not in text
    assert "  uint8: 3 (100.0%)\n" in text
    assert "  20 × 24: 3 (100.0%)\n" in text
    assert "Values of the originals: 0 to 255\n" in text


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="the stores of images_to_zarr are not beside the checkout")
@pytest.mark.parametrize("name", ["rgb_lz4", "fits_float32", "with_corrupt"])
def test_old_stores_are_inspected_and_shown(tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    before = np.load(SAMPLES / f"{name}.npy")
    table = pq.read_table(SAMPLES / f"{name}_metadata.parquet")
    text = printed(SAMPLES / f"{name}.zarr", capsys)
    assert f"Total images across all files: {len(before)}\n" in text
    assert f"Data type: {before.dtype}\n" in text
    assert "Compression: blosc (lz4, level 1)\n" in text
    assert "(Zarr v3)" in text
    said = [each for each in table["error"].to_pylist() if each] if "error" in table.column_names else []
    assert (f"which are zeros: {len(said)}\n" in text) == bool(said)
    for line in text.splitlines():
        assert not line.startswith("  unknown") or name == "with_corrupt"
    display_sample_images(SAMPLES / f"{name}.zarr", num_samples=6, save_path=tmp_path / "sheet.png")


# Display


def sheet_of(store: Any, path: Path, **options: Any) -> NDArray[np.uint8]:
    display_sample_images(store, save_path=path, **options)
    return np.asarray(pil.open(path).convert("RGB"))


def test_pictures_are_the_right_way_up(tmp_path: Path) -> None:
    images = np.zeros((1, 1, 40, 40), np.uint8)
    images[:, :, :20] = 255
    where = convert(tmp_path / "o", images=images, **QUIET)
    shown = sheet_of(where, tmp_path / "s.png", num_samples=1, figsize=(4, 4))
    inside = shown[20:-60, shown.shape[1] // 2, 0].astype(int)
    assert inside[: len(inside) // 4].mean() > 250
    assert inside[-len(inside) // 4 :].mean() < 5


@pytest.mark.parametrize("normalise", ["each", "together", "none"])
def test_deep_values_are_brought_to_what_is_seen(tmp_path: Path, normalise: Any) -> None:
    images = np.zeros((2, 1, 8, 8), np.uint16)
    images[0], images[0, 0, 0] = 1_000, 2_000
    images[1], images[1, 0, 0] = 10_000, 60_000
    limits = {"each": [(1_000, 2_000), (10_000, 60_000)], "together": [(1_000, 60_000)] * 2, "none": [(0, 65_535)] * 2}
    where = convert(tmp_path / "o", images=images, **QUIET)
    shown = display_module.sample_pictures(str(where), 2, normalise=normalise)
    for (_, picture), values, (low, high) in zip(shown, images, limits[normalise], strict=True):
        expected = np.floor((values[0].astype(float) - low) / (high - low) * 255 + 0.5)
        np.testing.assert_allclose(np.asarray(picture), expected, atol=1)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_no_number_is_no_trouble(tmp_path: Path, value: float) -> None:
    images = np.linspace(-5, 5, 64, dtype=np.float32).reshape(1, 1, 8, 8).copy()
    images[0, 0, 0, 0] = value
    where = convert(tmp_path / "o", images=images, **QUIET)
    ((_, picture),) = display_module.sample_pictures(str(where), 1)
    shown = np.asarray(picture)
    assert shown[0, 0] == (255 if value == np.inf else 0)
    assert shown[0, 1] < 10
    assert shown[7, 7] == 255
    images[:] = value
    where = convert(tmp_path / "p", images=images, **QUIET)
    sheet_of(where, tmp_path / "s.png")


@pytest.mark.parametrize(("channels", "mode"), [(1, "L"), (2, "LA"), (3, "RGB"), (4, "RGBA"), (5, "L")])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_channels_are_shown_as_what_they_are(tmp_path: Path, channels: int, mode: str, dtype: str) -> None:
    top = np.iinfo(dtype).max if np.dtype(dtype).kind == "u" else 1
    ramp = np.linspace(0, 1, 48).reshape(1, 1, 6, 8)
    images = (np.repeat(ramp, channels, axis=1) * top).astype(dtype)
    if channels in {2, 4}:
        images[:, -1] = top  # opaque
    where = convert(tmp_path / "o", images=images, **QUIET)
    ((_, picture),) = display_module.sample_pictures(str(where), 1)
    assert picture.mode == mode
    expected = np.floor(images[0].astype(float) / top * 255 + 0.5).astype(np.uint8)
    shown = np.moveaxis(np.atleast_3d(np.asarray(picture)), -1, 0)
    np.testing.assert_allclose(shown, expected[: len(shown)], atol=1)


def test_bands_are_no_colours_with_alpha(tmp_path: Path) -> None:
    values = numbers((4, 7, 9), "uint8")
    units = [fits.PrimaryHDU(values[0]), *(fits.ImageHDU(each) for each in values[1:])]
    (tmp_path / "a.fits").write_bytes(fits_of(*units))
    where = convert(tmp_path / "o", [tmp_path / "a.fits"], fits_extension=[0, 1, 2, 3], **QUIET)
    ((_, picture),) = display_module.sample_pictures(str(where), 1)
    np.testing.assert_array_equal(np.asarray(picture), values[0])


@pytest.mark.parametrize("options", [{"num_samples": 0}, {"figsize": (0, 4)}, {"normalise": "x"}])
def test_sheets_that_make_no_sense_are_refused(tmp_path: Path, options: dict[str, Any]) -> None:
    where = convert(tmp_path / "o", images=np.zeros((1, 1, 8, 8), np.uint8), **QUIET)
    with pytest.raises(ValueError, match=next(iter(options))):
        display_sample_images(where, save_path=tmp_path / "s.png", **options)


def test_more_are_asked_for_than_are_there(tmp_path: Path) -> None:
    where = convert(tmp_path / "o", images=numbers((3, 1, 8, 8), "uint8"), **QUIET)
    assert len(display_module.sample_pictures(str(where), 100)) == 3
    first, again = (display_module.sample_pictures(str(where), 2, seed=5) for _ in range(2))
    assert [name for name, _ in first] == [name for name, _ in again]


def test_stores_without_a_table_are_shown(tmp_path: Path) -> None:
    where = convert(tmp_path / "x.zarr", images=numbers((3, 1, 8, 8), "uint8"), **QUIET)
    os.unlink(tmp_path / "x_metadata.parquet")
    assert [name for name, _ in display_module.sample_pictures(str(where), 3)] == ["0", "1", "2"]
    shutil.rmtree(tmp_path / "x.zarr" / "images")
    with pytest.raises(errors.SourceNotFoundError):
        display_sample_images(where, save_path=tmp_path / "s.png")
