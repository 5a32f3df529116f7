"""What people install: one wheel with the kernel's side and the built front end, and nothing else."""

import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import h5explorer_py

ROOT = Path(h5explorer_py.__file__).parents[1]
STATIC = "h5explorer_py/static/"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (file,) = folder.glob("*.whl")
    with zipfile.ZipFile(file) as opened:
        yield opened


def test_the_wheel_holds_the_front_end_and_every_part_that_it_names(wheel):
    names = {name.removeprefix(STATIC) for name in wheel.namelist() if name.startswith(STATIC)}
    parts = json.loads(wheel.read(STATIC + "assets.json"))
    page = wheel.read(STATIC + "index.html").decode()
    named = set(re.findall(r'"([\w-]+\.[0-9a-f]{16}\.\w+)"', page))
    files = set(json.loads(wheel.read(STATIC + "page.json"))["files"])
    assert set(parts.values()) < named < files
    assert len(named) == 5
    plain = {"widget.js", "widget.css", "assets.json", "index.html", "page.json", "share.js", "share.css"}
    assert names == plain | {"notices.txt"} | {f"{name}.gz" for name in files - {"notices.txt"}}


def test_what_travels_with_every_widget_is_small(wheel):
    assert len(wheel.read(STATIC + "widget.js")) < 300_000


def test_the_wheel_holds_every_module_and_no_test(wheel):
    modules = {str(path.relative_to(ROOT)) for path in (ROOT / "h5explorer_py").rglob("*.py")}
    packed = {name for name in wheel.namelist() if name.endswith(".py")}
    assert packed == modules
    assert "h5explorer_py/py.typed" in wheel.namelist()


def test_python_npm_and_the_wheel_have_one_version(wheel):
    npm = json.loads((ROOT / "package.json").read_text())["version"]
    assert wheel.filename is not None
    assert Path(wheel.filename).name.startswith(f"h5explorer-{npm}-py3-none-any")
    assert h5explorer_py.__version__ == npm
    lock = json.loads((ROOT / "package-lock.json").read_text())
    assert lock["version"] == npm
