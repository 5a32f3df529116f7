"""`h5explorer merge` as people type it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from h5explorer_py.cli import main
from h5explorer_py.making.naming import h5_path
from tests.py.making import images


def ended(*arguments: Any) -> int:
    try:
        return main([str(each) for each in arguments])
    except SystemExit as exit_:
        return int(exit_.code or 0)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for number, name in enumerate(["a.h5", "b.h5", "x,y.h5"]):
        with h5py.File(tmp_path / name, "w") as file:
            file["images"] = np.full((2, 4, 4, 3), number, np.uint8)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def seen(path: str) -> list[int]:
    return images(Path(path))[:, 0, 0, 0].tolist()


def test_as_the_ancestor_is_used(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert ended("merge", "--inputs", "a.h5,b.h5", "--output", "tmp/merged") == 0
    said = capsys.readouterr()
    assert said.out == f"{folder}/tmp/merged.h5\n"
    assert "4 pictures of 2 files" in said.err
    assert seen("tmp/merged.h5") == [0, 0, 1, 1]


def test_a_suffix_that_is_none_is_part_of_the_name(folder: Path) -> None:
    assert ended("merge", "--inputs", "a.h5", "--output", "v1.2_hot") == 0
    assert os.path.exists("v1.2_hot.h5")
    assert not os.path.exists("v1.h5")
    assert [h5_path(name) for name in ("a", "a.h5", "a.HDF5", "a.h5.old", "d.h5/a")] == [
        "a.h5",
        "a.h5",
        "a.HDF5",
        "a.h5.old.h5",
        "d.h5/a.h5",
    ]


def test_inputs_one_by_one_with_patterns_and_commas_in_their_names(folder: Path) -> None:
    assert ended("merge", "--inputs", "x,y.h5", "b.h5,a.h5", "--output", "m") == 0
    assert seen("m.h5") == [2, 2, 1, 1, 0, 0]
    assert ended("merge", "--inputs", "[ab].h5", "--inputs", "x,y.h5", "--output", "n.hdf5") == 0
    assert seen("n.hdf5") == [0, 0, 1, 1, 2, 2]


def test_what_is_refused_ends_with_1_and_what_is_not_understood_with_2(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(os.listdir())
    for arguments, code, sentence in (
        (("--inputs", "a.h5,c.h5", "--output", "m"), 1, "Not there: c.h5"),
        (("--inputs", "a.h5,b.h5", "--output", "a.h5"), 1, "which is read"),
        (("--inputs", "a.h5,b.h5", "--output", "a", "--overwrite"), 1, "which is read"),
        (("--inputs", ",", "--output", "m"), 1, "No files"),
        (("--inputs", "a.h5"), 2, "--output"),
        (("--output", "m"), 2, "--inputs"),
        (("--input", "a.h5", "--output", "m"), 2, "--inputs"),
        (("--inputs", "a.h5", "--output", "m", "--over"), 2, "--over"),
    ):
        assert ended("merge", *arguments) == code
        assert sentence in capsys.readouterr().err
    assert sorted(os.listdir()) == before


def test_what_is_there_is_replaced_only_when_asked(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("m.h5").write_bytes(b"mine")
    assert ended("merge", "--inputs", "a.h5", "--output", "m") == 1
    assert "is there already" in capsys.readouterr().err
    assert Path("m.h5").read_bytes() == b"mine"
    assert ended("merge", "--inputs", "a.h5", "--output", "m", "--overwrite") == 0
    assert seen("m.h5") == [0, 0]


def test_pictures_that_cannot_be_read_end_it_with_3(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with h5py.File("wide.h5", "w") as file:
        file["images"] = np.zeros((2, 4, 4, 3), np.int16)
    with h5py.File("bad.h5", "w") as file:
        made = file.create_dataset(
            "images", data=np.ones((2, 4, 4, 3), np.uint8), chunks=(1, 4, 4, 3), compression="gzip"
        )
        info = made.id.get_chunk_info(1)
    with open("bad.h5", "r+b") as raw:
        raw.seek(info.byte_offset)
        raw.write(bytes(info.size))
    assert ended("merge", "--inputs", "wide.h5,bad.h5", "--output", "m") == 3
    assert "could not be read, and are zeros: 1." in capsys.readouterr().err
    assert seen("m.h5") == [0, 0, 1, 0]
