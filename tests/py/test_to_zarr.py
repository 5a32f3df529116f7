"""Zarr stores hold what the decoder gives, in the files' order, with the labels of their names."""

from __future__ import annotations

import csv
import dataclasses
import hashlib
import json
import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import tifffile
import zarr
from astropy.io import fits
from PIL import Image as pil

from h5explorer_py import errors
from h5explorer_py.making.convert import convert
from h5explorer_py.making.rule import Rule
from h5explorer_py.making.zarr.layout import COMPRESSORS, codec_of, description_of, layout_of
from h5explorer_py.making.zarr.store import described
from tests.py.pictures import fits_of, numbers, saved, tiff
from tests.py.support import SHARED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from h5explorer_py.making.report import ConvertReport


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "pictures"
    made.mkdir()
    return made


@pytest.fixture(scope="module")
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as executor:
        yield executor


@pytest.fixture
def make(folder: Path, tmp_path: Path, threads: ThreadPoolExecutor) -> Any:
    def made(output: str | Path = "out", sources: Any = None, **options: Any) -> ConvertReport:
        where = tmp_path / output if "://" not in str(output) else output
        sources = folder if sources is None else sources
        return convert(sources, where, to="zarr", scheduler=threads, progress=False, **options)

    return made


def grey(folder: Path, name: str, value: int, size: tuple[int, int] = (8, 6), dtype: str = "uint8") -> None:
    values = np.full(size, value, dtype)
    (folder / name).write_bytes(tiff(values) if name.endswith("tif") else saved(pil.fromarray(values), "PNG"))


def array(report: ConvertReport) -> NDArray[Any]:
    return np.asarray(zarr.open_group(report.output, mode="r")["images"][:])


def table(report: ConvertReport) -> pa.Table:
    assert report.metadata is not None
    return pq.read_table(report.metadata)


def column(report: ConvertReport, name: str) -> list[Any]:
    values: list[Any] = table(report)[name].to_pylist()
    return values


@pytest.mark.parametrize("shard_size", [None, 3, "1KiB"])
@pytest.mark.parametrize("chunk_shape", [(1, 256, 256), (2, 256, 256), (1, 5, 4), (3, 7, 100)])
@pytest.mark.parametrize("compressor", ["lz4", "zstd"])
def test_pixels(folder: Path, make: Any, shard_size: Any, chunk_shape: Any, compressor: str) -> None:
    values = numbers((7, 20, 13, 3), "uint8")
    for number, each in enumerate(values):
        pil.fromarray(each).save(folder / f"p{number}.png")
    report = make(shard_size=shard_size, chunk_shape=chunk_shape, compressor=compressor)
    np.testing.assert_array_equal(array(report), values.transpose(0, 3, 1, 2))
    stored = zarr.open_group(report.output)["images"]
    assert stored.shards is not None
    assert stored.chunks == (chunk_shape[0], 3, min(20, chunk_shape[1]), min(13, chunk_shape[2]))
    assert column(report, "filename") == [f"p{number}.png" for number in range(7)]


@pytest.mark.parametrize("compressor", ["lz4", "zstd", "blosc", "gzip", "none"])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32", "float64", "int16"])
def test_every_type_and_compressor(folder: Path, make: Any, compressor: str, dtype: str) -> None:
    values = numbers((5, 9, 11), dtype)
    for number, each in enumerate(values):
        (folder / f"p{number}.tif").write_bytes(tiff(each))
    report = make(compressor=compressor, level=7)
    assert array(report).dtype == dtype
    np.testing.assert_array_equal(array(report), values[:, None])
    for number in (0, 4):
        np.testing.assert_array_equal(zarr.open_group(report.output)["images"][number, 0], values[number])


@pytest.mark.parametrize("level", [1, 4, 9])
def test_the_level_is_taken_as_it_is(folder: Path, make: Any, level: int) -> None:
    pil.fromarray(numbers((64, 64, 3), "uint8") // 8).save(folder / "a.png")
    report = make(compressor="zstd", level=level)
    (codec,) = zarr.open_group(report.output)["images"].compressors
    assert codec.level == level
    assert zarr.open_group(report.output).attrs["compression_level"] == level


def test_what_is_no_compressor_is_refused(folder: Path, make: Any, tmp_path: Path) -> None:
    grey(folder, "a.png", 1)
    with pytest.raises(errors.UnsupportedError, match="bz2"):
        make(compressor="bz2")
    with pytest.raises(ValueError, match="from 1 to 9"):
        make(level=10)
    assert os.listdir(tmp_path) == ["pictures"]


def test_few_files(folder: Path, make: Any) -> None:
    for number in range(100):
        grey(folder, f"p{number:03d}.png", number + 1)
    report = make()
    files = [name for _, _, names in os.walk(report.output) for name in names]
    assert len(files) == 3
    assert array(report)[:, 0, 0, 0].tolist() == list(range(1, 101))


def test_resized_as_pillow_does(folder: Path, make: Any) -> None:
    sizes = [(40, 30), (25, 50), (64, 64)]
    values = [numbers((*size, 3), "uint8", seed) for seed, size in enumerate(sizes)]
    for number, each in enumerate(values):
        pil.fromarray(each).save(folder / f"p{number}.png")
    for order, method in ((0, pil.Resampling.NEAREST), (1, pil.Resampling.BILINEAR), (3, pil.Resampling.BICUBIC)):
        report = make(f"out{order}", resize=(20, 33), interpolation_order=order)
        for number, each in enumerate(values):
            expected = np.asarray(pil.fromarray(each).resize((33, 20), method)).transpose(2, 0, 1)
            np.testing.assert_array_equal(array(report)[number], expected)


def test_different_sizes_are_refused_before_anything_is_written(folder: Path, make: Any, tmp_path: Path) -> None:
    for number in range(5):
        grey(folder, f"p{number}.png", 1, (8, 6) if number < 4 else (9, 9))
    with pytest.raises(errors.MixedPicturesError, match=r"6 × 8 \(4\), 9 × 9 \(1\)"):
        make()
    assert os.listdir(tmp_path) == ["pictures"]
    assert make(resize=(8, 6), fit="pad").images == 5


def test_labels_go_by_names(folder: Path, make: Any, tmp_path: Path) -> None:
    for name, value in (("a.png", 10), ("b.png", 20), ("c.png", 30)):
        grey(folder, name, value)
    labels = tmp_path / "m.csv"
    labels.write_text("filename,label,code\nc.png,LC,00777\na.png,LA,00778\nabsent.png,LX,00779\n")
    report = make(metadata=labels)
    assert column(report, "filename") == ["a.png", "b.png", "c.png"]
    assert column(report, "label") == ["LA", None, "LC"]
    assert column(report, "code") == ["00778", None, "00777"]
    assert array(report)[:, 0, 0, 0].tolist() == [10, 20, 30]
    assert report.without_picture == ("absent.png",)
    assert report.without_labels == ("b.png",)
    assert table(report).column_names[0] == "filename"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("filename,label\na.png,1\na.png,2\n", "several rows for 'a.png'"),
        ("name,label\na.png,1\n", "no column 'filename'"),
        ("filename,x,x\na.png,1,2\n", "several columns called 'x'"),
        ("filename,label\nsame.png,1\n", "may be any of 2 pictures"),
    ],
)
def test_labels_that_cannot_be_joined_are_refused(
    folder: Path, make: Any, tmp_path: Path, text: str, said: str
) -> None:
    grey(folder, "a.png", 1)
    for below in ("one", "two"):
        (folder / below).mkdir()
        grey(folder / below, "same.png", 1)
    labels = tmp_path / "m.csv"
    labels.write_text(text)
    with pytest.raises(errors.LabelsError, match=said):
        make(metadata=labels, recursive=True)
    assert not (tmp_path / "out").exists()


def test_names_below_folders(folder: Path, make: Any, tmp_path: Path) -> None:
    grey(folder, "a.png", 1)
    for number, below in enumerate(("one", "two")):
        (folder / below).mkdir()
        grey(folder / below, "same.png", number + 2)
    labels = tmp_path / "m.csv"
    labels.write_text("filename,label\ntwo/same.png,second\none/same.png,first\n")
    report = make(metadata=labels, recursive=True)
    assert column(report, "filename") == ["a.png", "one/same.png", "two/same.png"]
    assert column(report, "label") == [None, "first", "second"]
    assert array(report)[:, 0, 0, 0].tolist() == [1, 2, 3]


def test_labels_of_people_keep_their_names(folder: Path, make: Any) -> None:
    grey(folder, "a.png", 1)
    labels = pa.table({"filename": ["a.png"], "width": ["wide"], "error": [0.5], "min": [None]})
    report = make(metadata=labels)
    assert column(report, "width") == ["wide"]
    assert column(report, "image_width") == [6]
    assert column(report, "error") == [0.5]
    assert column(report, "image_error") == [None]


def test_what_is_known_of_each(folder: Path, make: Any) -> None:
    values = numbers((20, 30, 3), "uint8")
    pil.fromarray(values).save(folder / "a.JPEG", quality=90)
    decoded = np.asarray(pil.open(folder / "a.JPEG"))
    report = make(resize=(5, 5))
    (row,) = table(report).to_pylist()
    data = (folder / "a.JPEG").read_bytes()
    assert row == {
        "filename": "a.JPEG",
        "original_filename": "a.JPEG",
        "original_extension": ".jpeg",
        "format": "JPEG",
        "mode": "RGB",
        "width": 30,
        "height": 20,
        "channels": 3,
        "dtype": "uint8",
        "pages": 1,
        "page": 0,
        "file_size": len(data),
        "min": float(decoded.min()),
        "max": float(decoded.max()),
        "mean": pytest.approx(decoded.mean(), rel=1e-12),
        "checksum": hashlib.sha256(data).hexdigest(),
        "error": None,
        "source_path": str(folder / "a.JPEG"),
    }


def test_one_type_over_all_files(folder: Path, make: Any) -> None:
    """The type is not that of the first three: a later 16-bit value of 1000 stays 1000, and FITS integers too."""
    for number in range(4):
        grey(folder, f"a{number}.tif", 100 + number)
    grey(folder, "b.tif", 1000, dtype="uint16")
    report = make()
    assert array(report).dtype == np.uint16
    assert array(report)[:, 0, 0, 0].tolist() == [100, 101, 102, 103, 1000]
    assert any("uint8 (4), uint16 (1)" in notice for notice in report.notices)
    with pytest.raises(errors.UnsupportedError):
        make("other", dtype="uint8", compressor="?")
    narrowed = make("narrow", dtype="uint8")
    assert array(narrowed)[:, 0, 0, 0].tolist() == [100, 101, 102, 103, 255]


@pytest.mark.parametrize("dtype", ["int16", "int32", "float32", "float64", "uint16"])
def test_fits_is_stored_as_it_is(folder: Path, make: Any, dtype: str) -> None:
    values = numbers((3, 8, 9), dtype)
    if np.dtype(dtype).kind == "f":
        values[0, 0, 0] = np.nan
    for number, each in enumerate(values):
        (folder / f"f{number}.fits").write_bytes(fits_of(fits.PrimaryHDU(each)))
    report = make()
    assert array(report).dtype == dtype
    np.testing.assert_array_equal(array(report), values[:, None])
    assert column(report, "min")[1] == float(values[1].min())


def test_one_kind_over_all_files(folder: Path, make: Any) -> None:
    """Grey pictures among colours are grey, not red; palettes are their colours; colours after greys are not lost."""
    for number in range(3):
        grey(folder, f"a{number}.png", 50 + number)
    colours = numbers((8, 6, 3), "uint8")
    pil.fromarray(colours).save(folder / "b.png")
    palette = pil.fromarray(numbers((8, 6), "uint8") % 3, "P")
    palette.putpalette([9, 8, 7, 200, 100, 50, 1, 2, 3])
    palette.save(folder / "c.png")
    found = array(make())
    assert found.shape == (5, 3, 8, 6)
    for number in range(3):
        assert (found[number] == 50 + number).all()
    np.testing.assert_array_equal(found[3], colours.transpose(2, 0, 1))
    np.testing.assert_array_equal(found[4], np.asarray(palette.convert("RGB")).transpose(2, 0, 1))


def test_grey_pictures_have_an_axis_of_channels(folder: Path, make: Any) -> None:
    grey(folder, "a.png", 3)
    assert array(make()).shape == (1, 1, 8, 6)


def test_five_bands(folder: Path, make: Any) -> None:
    values = numbers((8, 6, 5), "uint8")
    (folder / "a.tif").write_bytes(tiff(values, photometric="minisblack", planarconfig="contig"))
    np.testing.assert_array_equal(array(make())[0], values.transpose(2, 0, 1))


def test_first_files_that_are_damaged_spoil_no_others(folder: Path, make: Any) -> None:
    for name in ("a.png", "b.jpg", "c.png"):
        (folder / name).write_bytes(b"no picture")
    (folder / "d.png").write_bytes(b"")
    truncated = saved(pil.fromarray(numbers((8, 6, 3), "uint8")), "PNG")
    (folder / "e.png").write_bytes(truncated[:-40])
    colours = numbers((8, 6, 3), "uint8")
    pil.fromarray(colours).save(folder / "f.png")
    report = make()
    found = array(report)
    assert found.shape == (6, 3, 8, 6)
    assert not found[:5].any()
    np.testing.assert_array_equal(found[5], colours.transpose(2, 0, 1))
    said = column(report, "error")
    assert all(said[:5])
    assert said[5] is None
    assert column(report, "original_extension") == [".png", ".jpg", ".png", ".png", ".png", ".png"]
    assert column(report, "dtype")[0] is None
    assert (report.failed, report.exit_code) == (5, 3)
    assert [each.name for each in report.failures] == ["a.png", "b.jpg", "c.png", "d.png", "e.png"]


@pytest.mark.parametrize("bad", [["a"], ["d"], ["b", "c"], ["a", "e"], ["c", "d", "e"]])
def test_what_is_skipped_leaves_no_gap(folder: Path, make: Any, bad: list[str], tmp_path: Path) -> None:
    labels = [["filename", "label"]]
    for number, name in enumerate("abcde"):
        data = saved(pil.fromarray(np.full((8, 6), 10 * number + 5, np.uint8)), "PNG")
        (folder / f"{name}.png").write_bytes(data[:45] if name in bad else data)
        labels.append([f"{name}.png", f"label {name}"])
    with open(tmp_path / "m.csv", "w", newline="") as file:
        csv.writer(file).writerows(labels)
    report = make(on_error="skip", shard_size=2, metadata=tmp_path / "m.csv")
    left = [name for name in "abcde" if name not in bad]
    assert column(report, "filename") == [f"{name}.png" for name in left]
    assert column(report, "label") == [f"label {name}" for name in left]
    assert array(report)[:, 0, 0, 0].tolist() == [10 * "abcde".index(name) + 5 for name in left]
    assert zarr.open_group(report.output).attrs["total_images"] == len(left)
    assert sorted(os.listdir(Path(report.output) / "images" / "c")) == [str(n) for n in range(-(-len(left) // 2))]
    assert report.failed == len(bad)


def test_stopped_at_the_first(folder: Path, make: Any, tmp_path: Path) -> None:
    grey(folder, "a.png", 1)
    data = (folder / "a.png").read_bytes()
    (folder / "b.png").write_bytes(data[:45])
    with pytest.raises(errors.ConvertFailedError, match=r"b\.png cannot be read"):
        make(on_error="stop")
    (folder / "b.png").write_bytes(b"")
    with pytest.raises(errors.ConvertFailedError, match=r"b\.png cannot be read"):
        make(on_error="stop")
    assert os.listdir(tmp_path) == ["pictures"]


def test_nothing_there_is_replaced_unasked(folder: Path, make: Any, tmp_path: Path) -> None:
    grey(folder, "a.png", 1)
    make("x.zarr")
    grey(folder, "a.png", 2)
    with pytest.raises(errors.TargetExistsError):
        make("x.zarr")
    assert array(make("x.zarr", overwrite=True))[0, 0, 0, 0] == 2
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine.zarr").mkdir()
    (tmp_path / "mine.zarr" / "notes.txt").write_text("mine")
    with pytest.raises(errors.TargetExistsError, match="no Zarr store"):
        make("mine.zarr", overwrite=True)
    assert (tmp_path / "mine.zarr" / "notes.txt").read_text() == "mine"
    with pytest.raises(ValueError, match="both"):
        make("x.zarr", overwrite=True, append=True)
    (tmp_path / "y_metadata.parquet").write_text("mine")
    with pytest.raises(errors.TargetExistsError, match="y_metadata"):
        make("y.zarr")
    assert not (tmp_path / "y.zarr").exists()


def test_missing_sources(folder: Path, make: Any, tmp_path: Path) -> None:
    grey(folder, "a.png", 1)
    report = make(sources=[folder, tmp_path / "absent"])
    assert (report.images, report.failed, report.exit_code) == (1, 1, 3)
    assert report.failures[0].code == "source_not_found"
    with pytest.raises(errors.SourceNotFoundError, match="absent is not there"):
        make("other", sources=[tmp_path / "absent"])
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "notes.txt").write_text("x")
    with pytest.raises(errors.SourceNotFoundError, match="1 other files"):
        make("other", sources=[tmp_path / "empty"])
    with pytest.raises(errors.SourceNotFoundError):
        make("other", sources=[folder, tmp_path / "absent"], on_error="stop")


def test_patterns_and_lists(folder: Path, make: Any, tmp_path: Path) -> None:
    for name in ("a1.png", "a2.png", "b1.png"):
        grey(folder, name, ord(name[0]) + int(name[1]))
    report = make("one", sources=[folder / "a*.png"])
    assert column(report, "filename") == ["a1.png", "a2.png"]
    (tmp_path / "list.txt").write_text("pictures/b1.png\npictures/a1.png\n")
    report = make("two", sources=[f"@{tmp_path / 'list.txt'}"])
    assert column(report, "filename") == ["b1.png", "a1.png"]


def test_each_page(folder: Path, make: Any) -> None:
    pages = numbers((3, 8, 6), "uint16")
    (folder / "a.tif").write_bytes(tiff(pages, photometric="minisblack"))
    (folder / "b.tif").write_bytes(tiff(pages[0] // 2))
    first = make("first")
    np.testing.assert_array_equal(array(first)[:, 0], [pages[0], pages[0] // 2])
    assert any("Files of several pictures: 1" in notice for notice in first.notices)
    every = make("each", pages="each")
    np.testing.assert_array_equal(array(every)[:, 0], [*pages, pages[0] // 2])
    assert column(every, "filename") == ["a.tif#0", "a.tif#1", "a.tif#2", "b.tif"]


@pytest.mark.parametrize("shard_size", [1, 3, 4, 100])
def test_appending_keeps_what_is_there(folder: Path, make: Any, tmp_path: Path, shard_size: int) -> None:
    for name, value in (("a.png", 97), ("b.png", 98), ("c.png", 99)):
        grey(folder, name, value)
    make("s.zarr", shard_size=shard_size)
    more = tmp_path / "more"
    more.mkdir()
    for name, value in (("x.png", 200), ("y.png", 210)):
        grey(more, name, value)
    report = make("s.zarr", sources=more, append=True)
    assert array(report)[:, 0, 0, 0].tolist() == [97, 98, 99, 200, 210]
    assert column(report, "filename") == ["a.png", "b.png", "c.png", "x.png", "y.png"]
    report = make("s.zarr", sources=[more / "y.png"], append=True)
    assert array(report)[:, 0, 0, 0].tolist() == [97, 98, 99, 200, 210, 210]
    history = zarr.open_group(report.output).attrs["append_history"]
    kept = [(each["appended_count"], each["start_index"], each["end_index"]) for each in history]
    assert kept == [(2, 3, 5), (1, 5, 6)]
    assert zarr.open_group(report.output).attrs["total_images"] == 6


def test_appending_to_nothing_begins_a_store(folder: Path, make: Any) -> None:
    grey(folder, "a.png", 5)
    assert array(make(append=True))[:, 0, 0, 0].tolist() == [5]


def test_what_does_not_fit_is_refused_before_anything_is_written(folder: Path, make: Any, tmp_path: Path) -> None:
    colours = numbers((8, 6, 3), "uint8")
    pil.fromarray(colours).save(folder / "a.png")
    report = make("s.zarr")
    before = {path: path.read_bytes() for path in Path(report.output).rglob("*") if path.is_file()}
    more = tmp_path / "more"
    more.mkdir()
    cases: list[tuple[bytes, type[Exception], str]] = [
        (saved(pil.fromarray(numbers((9, 6, 3), "uint8")), "PNG"), errors.MixedPicturesError, "6 × 9"),
        (tiff(numbers((8, 6), "uint16")), errors.LossyError, "holds uint8"),
        (saved(pil.fromarray(numbers((8, 6, 4), "uint8")), "PNG"), errors.MixedPicturesError, "4 channels"),
        (
            tiff(numbers((8, 6, 5), "uint8"), photometric="minisblack", planarconfig="contig"),
            errors.MixedPicturesError,
            "5 channels",
        ),
    ]
    for data, kind, said in cases:
        (more / "b.png").write_bytes(data)
        with pytest.raises(kind, match=said):
            make("s.zarr", sources=more, append=True)
        assert {path: path.read_bytes() for path in Path(report.output).rglob("*") if path.is_file()} == before
    (more / "b.png").write_bytes(tiff(np.full((8, 6), 1000, np.uint16)))
    assert (array(make("s.zarr", sources=more, append=True, dtype="uint8"))[1] == 255).all()
    (more / "b.png").write_bytes(saved(pil.fromarray(np.full((8, 6), 9, np.uint8)), "PNG"))
    assert (array(make("s.zarr", sources=more, append=True))[2] == 9).all()
    (more / "b.png").write_bytes(saved(pil.fromarray(numbers((30, 30, 3), "uint8")), "PNG"))
    assert array(make("s.zarr", sources=more, append=True, resize=(8, 6))).shape == (4, 3, 8, 6)


SAMPLES = SHARED / "samples" / "zarr"


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="the stores of images_to_zarr are not beside the checkout")
@pytest.mark.parametrize("name", ["rgb_lz4", "fits_float32", "with_corrupt"])
def test_stores_of_images_to_zarr_are_read_and_grow(folder: Path, make: Any, tmp_path: Path, name: str) -> None:
    shutil.copytree(SAMPLES / f"{name}.zarr", tmp_path / f"{name}.zarr")
    shutil.copy(SAMPLES / f"{name}_metadata.parquet", tmp_path)
    before = np.load(SAMPLES / f"{name}.npy")
    rows = pq.read_table(SAMPLES / f"{name}_metadata.parquet")
    size = before.shape[-2:]
    values = numbers((2, *size), "uint8") if name != "fits_float32" else numbers((2, *size), "float32")
    for number, each in enumerate(values):
        if each.dtype == np.uint8:
            pil.fromarray(each).save(folder / f"n{number}.png")
        else:
            (folder / f"n{number}.fits").write_bytes(fits_of(fits.PrimaryHDU(each)))
    report = make(f"{name}.zarr", append=True)
    found = array(report)
    np.testing.assert_array_equal(found[: len(before)], before)
    new = found[len(before) :]
    for number, each in enumerate(values):
        np.testing.assert_array_equal(new[number], np.broadcast_to(each, new[number].shape))
    made = table(report)
    assert made.num_rows == len(before) + 2
    names = rows.column_names
    assert made.select(names).slice(0, len(before)).to_pylist() == rows.to_pylist()
    assert made["filename"].to_pylist()[-2:] == [item.name for item in sorted(folder.iterdir())]


def test_object_stores(folder: Path, make: Any) -> None:
    for number in range(5):
        grey(folder, f"p{number}.png", number + 1)
    report = make("memory://bucket/set/x.zarr", shard_size=2)
    assert array(report)[:, 0, 0, 0].tolist() == [1, 2, 3, 4, 5]
    with pytest.raises(errors.TargetExistsError):
        make("memory://bucket/set/x.zarr")
    report = make("memory://bucket/set/x.zarr", append=True)
    assert array(report)[:, 0, 0, 0].tolist() == [1, 2, 3, 4, 5] * 2
    import fsspec

    with fsspec.open("memory://bucket/set/x_metadata.parquet", "rb") as file:
        assert pq.read_table(file).num_rows == 10
    report = make("memory://bucket/set/x.zarr", overwrite=True, resize=(4, 4))
    assert array(report).shape == (5, 1, 4, 4)


@pytest.mark.skipif(not (SHARED / "corpora").is_dir(), reason="the hostile files are not beside the checkout")
def test_hostile_files(make: Any) -> None:
    hostile = SHARED / "corpora" / "images"
    report = make(sources=hostile, resize=(16, 16))
    assert report.images + len(report.left_out) == len(list(hostile.iterdir()))
    said = column(report, "error")
    assert sum(map(bool, said)) == report.failed > 100
    assert array(report).shape[0] == report.images


class Counting(ThreadPoolExecutor):
    """Counts what it does, and is lost after so many."""

    def __init__(self, most: int = 1_000) -> None:
        super().__init__(1)
        self.done = 0
        self.most = most

    def submit(self, fn: Any, /, *args: Any, **named: Any) -> Any:
        self.done += 1
        if self.done > self.most:
            raise KeyboardInterrupt
        return super().submit(fn, *args, **named)


def test_an_append_that_was_stopped_is_gone_on_with(folder: Path, make: Any, tmp_path: Path) -> None:
    grey(folder, "first.png", 250)
    make("s.zarr", shard_size=2)
    before = {path: path.read_bytes() for path in Path(tmp_path / "s.zarr").rglob("*") if path.is_file()}
    more = tmp_path / "more"
    more.mkdir()
    for number in range(20):
        grey(more, f"p{number:02d}.png", number)
    (more / "p07.png").write_bytes(b"no picture")
    with Counting(6) as stopped, pytest.raises(KeyboardInterrupt):
        convert(more, tmp_path / "s.zarr", append=True, scheduler=stopped, progress=False)
    for path, data in before.items():
        if "images/c" not in str(path):
            assert path.read_bytes() == data
    assert zarr.open_group(tmp_path / "s.zarr")["images"].shape[0] == 1
    assert (zarr.open_group(tmp_path / "s.zarr")["images"][0] == 250).all()
    with Counting() as executor:
        report = convert(more, tmp_path / "s.zarr", append=True, scheduler=executor, progress=False)
        assert executor.done < 9  # one for the headers, eleven in all
    expected = [250, *(0 if number == 7 else number for number in range(20))]
    assert array(report)[:, 0, 0, 0].tolist() == expected
    assert report.failed == 1
    assert column(report, "file_size")[1:] == [os.path.getsize(more / f"p{number:02d}.png") for number in range(20)]
    assert not [name for name in os.listdir(report.output) if name.startswith(".")]


def test_an_append_of_others_is_not_gone_on_with(folder: Path, make: Any, tmp_path: Path) -> None:
    grey(folder, "first.png", 250)
    make("s.zarr", shard_size=2)
    more = tmp_path / "more"
    more.mkdir()
    for number in range(20):
        grey(more, f"p{number:02d}.png", number)
    with Counting(6) as stopped, pytest.raises(KeyboardInterrupt):
        convert(more, tmp_path / "s.zarr", append=True, scheduler=stopped, progress=False)
    grey(more, "p02.png", 99)
    (more / "p19.png").unlink()
    report = make("s.zarr", sources=more, append=True)
    assert array(report)[:, 0, 0, 0].tolist() == [250, 0, 1, 99, *range(3, 19)]


def test_two_do_not_add_at_once(folder: Path, make: Any, tmp_path: Path) -> None:
    grey(folder, "a.png", 1)
    make("s.zarr")
    from h5explorer_py.making.zarr.journal import NAME
    from h5explorer_py.owner import Owner

    other = Owner.own().to_json() | {"pid": 1, "started": None}
    from h5explorer_py.owner import started_at

    other["started"] = started_at(1)
    (tmp_path / "s.zarr" / NAME).write_text(json.dumps({"owner": other, "digest": ""}) + "\n")
    with pytest.raises(errors.TargetExistsError, match="is being added to by process 1"):
        make("s.zarr", append=True)
    other["started"] = "7"
    (tmp_path / "s.zarr" / NAME).write_text(json.dumps({"owner": other, "digest": ""}) + "\n")
    assert array(make("s.zarr", append=True)).shape[0] == 2


@pytest.mark.parametrize("compressor", COMPRESSORS)
@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint64", "float32", "float64"])
def test_the_description_is_what_zarr_would_write(compressor: str, dtype: str) -> None:
    layout = layout_of(10, Rule("colour", 3, 20, 30, dtype), (2, 8, 8))
    codecs = {
        "lz4": zarr.codecs.BloscCodec(cname="lz4", clevel=3, typesize=np.dtype(dtype).itemsize),
        "blosc": zarr.codecs.BloscCodec(cname="zstd", clevel=3, typesize=np.dtype(dtype).itemsize),
        "zstd": zarr.codecs.ZstdCodec(level=3),
        "gzip": zarr.codecs.GzipCodec(level=3),
        "none": None,
    }
    codec: Any = codecs[compressor]
    if isinstance(codec, zarr.codecs.BloscCodec):
        codec = dataclasses.replace(codec, shuffle="noshuffle" if dtype == "uint8" else "shuffle")
    array = zarr.create_array(
        zarr.storage.MemoryStore(),
        shape=layout.shape,
        chunks=layout.chunks,
        shards=layout.shards,
        dtype=dtype,
        compressors=codec,
        filters=None,
        fill_value=0,
        dimension_names=("image", "channel", "y", "x"),
    )
    ours = description_of(layout, dtype, codec_of(compressor, 3, dtype))
    assert json.loads(json.dumps(ours)) == described(array)


def test_small_pictures_are_for_several_workers() -> None:
    assert layout_of(60_000, Rule("grey", 1, 28, 28, "uint8")).step == 1_024
    assert layout_of(60_000, Rule("grey", 1, 28, 28, "uint8"), shard_size=30_000).step == 30_000


def test_pages_have_their_own_sizes_and_types(folder: Path, make: Any) -> None:
    first, second = numbers((8, 6), "uint8"), numbers((5, 7), "uint16")
    with tifffile.TiffWriter(folder / "a.tif") as file:
        file.write(first, photometric="minisblack")
        file.write(second, photometric="minisblack")
    with pytest.raises(errors.MixedPicturesError, match=r"6 × 8 \(1\), 7 × 5 \(1\)"):
        make(pages="each")
    report = make(pages="each", resize=(5, 7), interpolation_order=0)
    assert report.failed == 0
    assert array(report).dtype == np.uint16
    np.testing.assert_array_equal(array(report)[1, 0], second)
    assert column(report, "width") == [6, 7]
    assert column(report, "dtype") == ["uint8", "uint16"]


def test_pages_of_eight_bits_have_their_own_sizes(folder: Path, make: Any) -> None:
    pages = [pil.fromarray(numbers(size, "uint8")) for size in ((8, 6), (5, 7, 3))]
    pages[0].save(folder / "a.tif", save_all=True, append_images=pages[1:])
    with pytest.raises(errors.MixedPicturesError, match=r"6 × 8 \(1\), 7 × 5 \(1\)"):
        make(pages="each")
    found = array(make(pages="each", resize=(5, 7)))
    np.testing.assert_array_equal(found[1], np.asarray(pages[1]).transpose(2, 0, 1))


def test_what_is_turned_unlike_its_header_is_no_stretched_picture(folder: Path, make: Any) -> None:
    """A turn that stands behind the pixels is not known when sizes are compared: not without a word."""
    exif = pil.Exif()
    exif[0x0112] = 6
    plain = saved(pil.fromarray(numbers((8, 6), "uint8")), "PNG")
    turned = saved(pil.fromarray(numbers((8, 6), "uint8")), "PNG", exif=exif)
    start = turned.index(b"eXIf") - 4
    stop = start + 12 + int.from_bytes(turned[start : start + 4], "big")
    moved = turned[:start] + turned[stop:-12] + turned[start:stop] + turned[-12:]
    (folder / "a.png").write_bytes(plain)
    (folder / "b.png").write_bytes(moved)
    report = make()
    assert report.failed == 1
    assert "8 × 6 pixels once it is decoded" in column(report, "error")[1]
    assert not array(report)[1].any()


def test_what_an_old_store_says_twice_is_said_rightly(folder: Path, make: Any, tmp_path: Path) -> None:
    """Consolidated metadata hold an array's length once more: a store that has grown must not be read by the old."""
    values = numbers((2, 1, 8, 6), "uint8")
    for version in (2, 3):
        where = tmp_path / f"v{version}.zarr"
        made = zarr.open_group(where, mode="w", zarr_format=version)
        made.create_array("images", data=values, chunks=(1, 1, 8, 6))
        zarr.consolidate_metadata(where)
        grey(folder, "a.png", 7)
        for count in (3, 4):
            make(where.name, append=True)
            found = zarr.open_group(where, mode="r")["images"]
            assert found.shape[0] == count
            np.testing.assert_array_equal(found[:2], values)
            assert (found[2:] == 7).all()
