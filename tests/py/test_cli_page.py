"""The command that writes the page without a kernel."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from h5explorer_py import built
from h5explorer_py.cli import main
from h5explorer_py.cli import page as page_command

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_the_folder_holds_the_page_and_every_file_that_it_names(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["page", str(tmp_path / "site")]) == 0
    told = capsys.readouterr()
    assert told.out.strip() == str(tmp_path / "site" / "index.html")
    assert "Range" in told.err
    files = {path.name for path in (tmp_path / "site").iterdir()}
    html = (tmp_path / "site" / "index.html").read_text()
    named = set(re.findall(r'(?:src|href)="([^"]+)"', html))
    assert len(named) == 3
    assert named <= files
    assert "<script>" not in html
    assert len([name for name in files if re.fullmatch(r"(hdf5|tables)-worker\.[0-9a-f]{16}\.js", name)]) == 2
    (wasm,) = [name for name in files if name.endswith(".wasm")]
    assert (tmp_path / "site" / wasm).read_bytes()[:4] == b"\0asm"
    assert "NIST" in (tmp_path / "site" / "notices.txt").read_text()


def test_the_package_holds_the_parts_gzipped_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (wasm,) = [path.name for path in built.STATIC.glob("*.wasm")]
    slim = tmp_path / "slim"
    slim.mkdir()
    for path in built.STATIC.iterdir():
        if not (built.STATIC / f"{path.name}.gz").exists():
            (slim / path.name).symlink_to(path)
    whole = (built.STATIC / wasm).read_bytes()
    monkeypatch.setattr(built, "STATIC", slim)
    assert main(["page", str(tmp_path / "site")]) == 0
    assert (tmp_path / "site" / wasm).read_bytes() == whole


def test_a_page_is_replaced_by_the_next_one_and_nothing_else_is(tmp_path: Path) -> None:
    (tmp_path / "data.parquet").write_text("mine")
    assert main(["page", str(tmp_path)]) == 0
    manifest = tmp_path / page_command.MANIFEST
    old = tmp_path / "plain.0000000000000000.js"
    old.write_text("of an older version")
    written = json.loads(manifest.read_text())
    manifest.write_text(json.dumps({"files": [*written["files"], old.name, "../data.parquet"]}))
    assert main(["page", str(tmp_path)]) == 0
    assert not old.exists()
    assert (tmp_path / "data.parquet").read_text() == "mine"


def test_what_is_there_is_not_written_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "index.html").write_text("mine")
    assert main(["page", str(tmp_path)]) == 1
    assert "was not written by h5explorer page" in capsys.readouterr().err
    assert (tmp_path / "index.html").read_text() == "mine"
    assert [path.name for path in tmp_path.iterdir()] == ["index.html"]
