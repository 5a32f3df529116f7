"""`h5explorer doctor`: what is amiss is found, and what is well is left alone."""

from __future__ import annotations

import json
import os
import stat
import sys
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
import pytest

from h5explorer_py import __version__
from h5explorer_py.cli import main
from h5explorer_py.doctor import hdf5, kernels, places, storage

if TYPE_CHECKING:
    from pathlib import Path

    from h5explorer_py.doctor.finding import Finding


@pytest.fixture
def jupyter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which Jupyter looks before all others."""
    folder = tmp_path / "jupyter"
    folder.mkdir()
    monkeypatch.setenv("JUPYTER_PATH", str(folder))
    return folder


def kernel(folder: Path, name: str, program: str, language: str = "python") -> None:
    place = folder / "kernels" / name
    place.mkdir(parents=True)
    spec = {"argv": [program, "-m", "ipykernel_launcher"], "language": language}
    (place / "kernel.json").write_text(json.dumps(spec))


def script(path: Path, text: str) -> str:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


def about(found: list[Finding], name: str) -> list[Finding]:
    return [each for each in found if each.about == name]


def test_a_sound_environment_ends_with_0(contract: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", str(contract / "lookup.parquet"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert {each["level"] for each in found} <= {"good", "note"}
    texts = {each["about"]: each["text"] for each in found}
    assert texts["h5explorer"].startswith(__version__)
    for name in ("anywidget", "duckdb", "h5py", "hdf5plugin", "numpy", "pillow", "pyarrow", "tornado"):
        assert texts[name]
    assert "ms" in texts["file system"]
    assert "blosc" in texts["HDF5 filters"]
    assert "images" in texts["shard"]
    assert main(["doctor"]) == 0
    assert "file locks: HDF5_USE_FILE_LOCKING" in capsys.readouterr().out


def test_kernels_without_h5explorer_are_named_with_the_command(jupyter: Path, tmp_path: Path) -> None:
    kernel(jupyter, "bare", script(tmp_path / "bare", "echo '[null, \"7.1.0\"]'"))
    kernel(jupyter, "old", script(tmp_path / "old", 'echo \'["0.0.1", "6.29.5"]\''))
    kernel(jupyter, "broken", script(tmp_path / "broken", "exit 3"))
    kernel(jupyter, "gone", str(tmp_path / "gone"))
    kernel(jupyter, "good", sys.executable)
    kernel(jupyter, "julia", "julia", "julia")
    (jupyter / "kernels" / "torn").mkdir()
    (jupyter / "kernels" / "torn" / "kernel.json").write_text("{")
    found = list(kernels.kernels())
    levels = {each.about: [one.level for one in about(found, each.about)] for each in found}
    assert levels["kernel bare"] == ["bad"]
    assert levels["kernel old"] == ["note", "note"]
    assert levels["kernel broken"] == levels["kernel gone"] == ["bad"]
    assert levels["kernel good"] == ["good"]
    assert "kernel julia" not in levels
    assert about(found, "kernel bare")[0].command == f"{tmp_path / 'bare'} -m pip install h5explorer"
    assert "ipykernel>=7" in about(found, "kernel old")[1].command
    assert "jupyter kernelspec remove gone" in about(found, "kernel gone")[0].command


def test_a_kernel_that_does_not_answer_is_not_waited_for(
    jupyter: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kernels, "_SECONDS", 0.3)
    kernel(jupyter, "asleep", script(tmp_path / "asleep", "exec sleep 30"))
    (found,) = about(list(kernels.kernels()), "kernel asleep")
    assert found.level == "bad"
    assert "does not answer" in found.text


def test_jupyters_own_folders_are_looked_through(jupyter: Path) -> None:
    found = places.jupyter_folders()
    assert found[0] == str(jupyter)
    assert os.path.join(sys.prefix, "share", "jupyter") in found


@pytest.mark.parametrize(("style", "wide"), [("earliest", True), ("latest", False)])
def test_a_wide_group_of_the_old_style_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, style: str, wide: bool
) -> None:
    monkeypatch.setattr(hdf5, "WIDE", 50)
    path = tmp_path / "wide_images.h5"
    with h5py.File(path, "w", libver=style) as file:
        group = file.create_group("images")
        for number in range(60):
            group[str(number)] = np.zeros(3, np.uint8)
    (found,) = hdf5.shard(str(path))
    assert found.level == ("note" if wide else "good")
    assert "60 images" in found.text
    assert ("h5explorer extract" in found.command) == wide


def test_a_filter_that_is_missing_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "rare_images.h5"
    with h5py.File(path, "w") as file:
        made = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        made.set_chunk((8,))
        made.set_filter(32_099, h5py.h5z.FLAG_OPTIONAL, ())
        group = file.create_group("images")
        h5py.h5d.create(group.id, b"a", h5py.h5t.NATIVE_UINT8, h5py.h5s.create_simple((8,)), made)
    assert main(["doctor", str(path)]) == 1
    said = capsys.readouterr().out
    assert "! shard: rare_images.h5 takes the HDF5 filter" in said
    assert "32099" in said


def test_what_is_no_data_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", str(tmp_path)]) == 1
    assert main(["doctor", str(tmp_path / "nowhere.parquet")]) == 1
    (tmp_path / "torn_images.h5").write_bytes(b"no file")
    assert main(["doctor", str(tmp_path / "torn_images.h5")]) == 1
    assert "Traceback" not in capsys.readouterr().err


def test_a_slow_file_system_is_told_with_its_kind(
    contract: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text(
        f"/dev/sda / ext4 rw 0 0\nserver:/data {contract} nfs4 rw 0 0\nx {contract}-other lustre rw 0 0\n"
    )
    path = str(contract / "lookup.parquet")
    assert storage.file_system(path, str(mounts)) == ("nfs4", str(contract))
    assert storage.file_system("/", str(mounts)) == ("ext4", "/")
    assert storage.file_system("/", str(tmp_path / "none")) is None
    monkeypatch.setattr(storage, "_SLOW_SECONDS", 0)
    monkeypatch.setattr(storage, "file_system", lambda _: ("nfs4", str(contract)))
    found = list(storage.mount(path))
    assert [each.level for each in found] == ["note", "note"]
    assert "slow" in found[0].text
    assert "nfs4" in found[0].text


def test_a_file_system_without_locks_is_told(contract: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import fcntl

    def refuse(*_: Any) -> None:
        raise OSError(37, "No locks available")

    path = str(contract / "shard_000_images.h5")
    monkeypatch.delenv("HDF5_USE_FILE_LOCKING", raising=False)
    assert [each.level for each in storage.locks(path)] == ["good"]
    monkeypatch.setattr(fcntl, "flock", refuse)
    _, found = storage.locks(path)
    assert found.command == "export HDF5_USE_FILE_LOCKING=FALSE"
    monkeypatch.setenv("HDF5_USE_FILE_LOCKING", "FALSE")
    assert len(list(storage.locks(path))) == 1


def test_a_cache_that_cannot_be_written_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert storage.cache(str(tmp_path / "new")).level == "good"
    (tmp_path / "file").write_text("")
    found = storage.cache(str(tmp_path / "file" / "cache"))
    assert found.level == "bad"
    assert "H5EXPLORER_CACHE" in found.command
    monkeypatch.setattr(storage, "_LEAST_ROOM", 1 << 60)
    assert storage.cache(str(tmp_path)).level == "note"
