"""`h5explorer visualize --save`: contact sheets, held against the pixels of what they show."""

from __future__ import annotations

import io
import json
from contextlib import closing
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from PIL import Image

from h5explorer_py.cli import main
from h5explorer_py.dataset import Dataset
from tests.fixtures.datasets import key
from tests.py.served import served
from tests.py.support import COLUMNS, SHARED

GAP, LINE = 12, 18


def cell(sheet: Path, number: int, columns: int, side: int) -> np.ndarray:
    """The pixels of one cell of a sheet."""
    left = GAP + number % columns * (side + GAP)
    top = GAP + number // columns * (side + LINE + GAP)
    with Image.open(sheet) as image:
        return np.asarray(image.convert("RGB").crop((left, top, left + side, top + side)))


def ended(*arguments: Any) -> int:
    try:
        return main([str(each) for each in arguments])
    except SystemExit as exit_:
        return int(exit_.code or 0)


@pytest.fixture
def frames(tmp_path: Path) -> tuple[Path, np.ndarray]:
    """A file as h5manager writes it, with values that are none of a picture's."""
    pictures = np.random.default_rng(1).integers(-20, 300, (10, 64, 64, 3)).astype(np.int16)
    path = tmp_path / "frames.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("images", data=pictures, compression="gzip", chunks=(4, 16, 32, 1))
    return path, np.clip(pictures, 0, 255).astype(np.uint8)


def test_an_array_of_pictures_is_drawn_pixel_for_pixel(frames: tuple[Path, np.ndarray], tmp_path: Path) -> None:
    path, pictures = frames
    sheet = tmp_path / "sheet.png"
    assert ended("visualize", path, "--save", sheet, "--columns", 4, "--rows", 2, "--row", 3) == 0
    with Image.open(sheet) as image:
        assert image.size == (GAP + 4 * (64 + GAP), GAP + 2 * (64 + LINE + GAP))
    for number, picture in enumerate(pictures[3:10]):
        assert (cell(sheet, number, 4, 64) == picture).all()
    assert (cell(sheet, 7, 4, 64) == 255).all()  # there are no more


@pytest.mark.parametrize("name", ["a", "b"])
def test_files_of_h5manager_itself_are_drawn(shared: Path, tmp_path: Path, name: str) -> None:
    truth = np.load(SHARED / "samples" / "h5manager" / f"{name}.npy")
    sheet = tmp_path / "sheet.png"
    assert ended("visualize", shared / "samples" / "h5manager" / f"{name}.h5", "--save", sheet) == 0
    for number, picture in enumerate(truth[:12]):
        assert (cell(sheet, number, 4, truth.shape[1]) == picture).all()


def test_a_shard_is_drawn_with_its_first_images(
    contract: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], expected: dict[str, Any]
) -> None:
    sheet = tmp_path / "sheet.png"
    shard = contract / "shard_000_images.h5"
    uuids = [uuid for uuid, name in expected["rows"] if name and name.endswith("shard_000")][:6]
    assert ended("visualize", shard, "--save", sheet, "--columns", 3, "--rows", 2) == 0
    said = capsys.readouterr()
    assert said.out.strip() == str(sheet)
    assert said.err == "Images: 6.\n"
    with h5py.File(shard) as file:
        for number, uuid in enumerate(uuids):
            (tmp_path / "one").write_bytes(file["images"][uuid][...].tobytes())
            with Image.open(tmp_path / "one") as image:
                picture = np.asarray(image.convert("RGB")).astype(int)
            height, width, _ = picture.shape
            side = 64
            drawn = cell(sheet, number, 3, side)
            top, left = (side - height) // 2, (side - width) // 2
            difference = np.abs(drawn[top : top + height, left : left + width] - picture)
            assert difference.mean() < 6
            assert (drawn[:top] == 255).all()


def test_images_that_cannot_be_read_are_counted_and_drawn_as_a_sentence(
    contract: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sheet = tmp_path / "sheet.jpg"
    assert ended("visualize", contract / "odd_images.h5", "--save", sheet, "--columns", 6, "--rows", 4) == 3
    assert "Could not be read: " in capsys.readouterr().err
    with Image.open(sheet) as image:
        assert image.format == "JPEG"


def test_what_cannot_be_drawn_is_told(contract: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shard = contract / "shard_000_images.h5"
    floats, linked = tmp_path / "floats.h5", tmp_path / "linked.h5"
    with h5py.File(floats, "w") as file:
        file["images"] = np.zeros((2, 4, 4), np.float32)
    with h5py.File(linked, "w") as file:
        file["images"] = h5py.ExternalLink(str(floats), "images")
    there = tmp_path / "there.png"
    there.write_bytes(b"mine")
    cases = [
        (("--save", tmp_path / "sheet.pdf"), 1, ".png, .jpg"),
        (("--save", there), 1, "is there already"),
        (("--save", tmp_path / "no.png", "--row", "100000"), 1, "has no image 100,000"),
        (("--save", tmp_path / "no.png", "--size", "9"), 2, "from 64 to 512"),
        (("--save", tmp_path / "no.png", "--columns", "0"), 2, "from 1 to 100"),
    ]
    for more, code, sentence in cases:
        assert ended("visualize", shard, *more) == code
        assert sentence in capsys.readouterr().err
    assert there.read_bytes() == b"mine"
    assert ended("visualize", shard, "--save", there, "--overwrite") == 0
    capsys.readouterr()
    for path, sentence in ((floats, "array"), (linked, "no group named images"), (tmp_path / "none.h5", "no file")):
        assert ended("visualize", path, "--save", tmp_path / "no.png") == 1
        assert sentence in capsys.readouterr().err
    assert not (tmp_path / "no.png").exists()


def test_an_array_of_pictures_is_a_data_set_of_its_own(frames: tuple[Path, np.ndarray]) -> None:
    path, pictures = frames
    with closing(Dataset(str(path), COLUMNS)) as dataset:
        assert dataset.keys(0, 20).column(0).to_pylist() == [str(number) for number in range(10)]
        for row in (0, 9):
            with Image.open(io.BytesIO(dataset.image(dataset.entry(row)).data)) as image:
                assert (np.asarray(image) == pictures[row]).all()
    with h5py.File(path, "a") as file:
        file["names"] = [f"n{number}.png" for number in range(10)]
    with closing(Dataset(str(path), COLUMNS)) as dataset:
        assert dataset.keys(8, 20).column(0).to_pylist() == ["n8.png", "n9.png"]
        with Image.open(io.BytesIO(dataset.image(dataset.entry(8)).data)) as image:
            assert (np.asarray(image) == pictures[8]).all()
    with h5py.File(path, "a") as file:
        file["names"][3] = "n4.png"  # twice
    with closing(Dataset(str(path), COLUMNS)) as dataset:
        assert dataset.entry(4).key == "4"


@pytest.mark.parametrize("name", ["a", "b"])
def test_files_of_h5manager_itself_are_data_sets(shared: Path, name: str) -> None:
    truth = np.load(SHARED / "samples" / "h5manager" / f"{name}.npy")
    with closing(Dataset(str(shared / "samples" / "h5manager" / f"{name}.h5"), COLUMNS)) as dataset:
        assert dataset.num_rows == len(truth)
        for row, picture in enumerate(truth):
            with Image.open(io.BytesIO(dataset.image(dataset.entry(row)).data)) as image:
                assert (np.asarray(image) == picture).all()


def test_an_array_of_pictures_has_a_page(frames: tuple[Path, np.ndarray]) -> None:
    with served("visualize", str(frames[0]), "--no-browser") as server:
        assert server.ask("/", server.admit()).status == 200


def test_every_command_says_how_it_is_used(capsys: pytest.CaptureFixture[str]) -> None:
    for command in ("open", "visualize", "info", "doctor"):
        assert ended(command, "--help") == 0
        assert f"usage: h5explorer {command}" in capsys.readouterr().out


# Info


def test_info_says_what_is_there(contract: Path, expected: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    import pyarrow.parquet as pq

    assert ended("info", contract / "lookup.parquet", "--json") == 0
    facts = json.loads(capsys.readouterr().out)
    truth = pq.ParquetFile(contract / "lookup.parquet")
    assert facts["rows"] == truth.metadata.num_rows == len(expected["rows"])
    assert facts["filepaths"] == expected["filepaths"]
    assert facts["row_groups"]["count"] == truth.metadata.num_row_groups
    assert [each["name"] for each in facts["columns"]] == truth.schema_arrow.names
    assert facts["files"] == [
        {"path": str(contract / "lookup.parquet"), "bytes": (contract / "lookup.parquet").stat().st_size}
    ]
    assert facts["cache"] is None
    assert facts["metadata_columns"][0]["name"] == "uuid"
    found = {shard["path"]: shard["bytes"] for shard in facts["shards"]["found"]}
    assert found
    for path, size in found.items():
        assert Path(path).stat().st_size == size
    images = facts["images"]
    assert images["looked_at"] == 24
    assert images["read"] + len(images["not_read"]) <= 24
    assert {"PNG", "JPEG", "WebP", "GIF", "BMP"} <= set(images["formats"])
    assert images["widths"] == {"least": 40, "median": 40, "most": 40}
    truth.close()


def test_info_is_read_by_people_too(contract: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert ended("info", contract) == 0
    said = capsys.readouterr().out
    assert "shards: " in said
    assert "looked at can be read" in said
    lookup = tmp_path / "l.csv"
    lookup.write_text(f"uuid,filepath\n{key(0)},/nowhere/at/all\n")
    assert ended("info", lookup) == 0
    said = capsys.readouterr().out
    assert "shards: 0 of the 1 looked at are there" in said
    assert "Files below /nowhere/at are not there" in said
    lookup.write_text("uuid,filepath\n")
    assert ended("info", lookup) == 0
    assert "rows: 0" in capsys.readouterr().out
    assert ended("info", tmp_path / "nothing.csv") == 1


@pytest.mark.parametrize(
    ("name", "options"), [("s.webp", ["--columns", 100]), ("s.png", ["--columns", 100, "--rows", 100])]
)
def test_a_sheet_that_cannot_be_written_is_refused_before_anything_is_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, options: list[Any]
) -> None:
    assert ended("visualize", tmp_path / "absent.h5", "--save", tmp_path / name, *options) == 1
    assert "is too large" in capsys.readouterr().err
