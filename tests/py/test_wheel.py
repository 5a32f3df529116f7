"""What people install: one wheel with the kernel's side, the built front end and the JupyterLab extension, no more."""

import gzip
import json
import re
import zipfile
from pathlib import Path

import pytest

import h5explorer_py

ROOT = Path(h5explorer_py.__file__).parents[1]
STATIC = "h5explorer_py/static/"
EXTENSION = f"h5explorer-{h5explorer_py.__version__}.data/data/share/jupyter/labextensions/h5explorer/"
LARGEST = 8_000_000


@pytest.fixture(scope="module")
def wheel(wheel_file):
    with zipfile.ZipFile(wheel_file) as opened:
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


def test_the_wheel_holds_the_extension_with_the_same_parts_as_they_are(wheel):
    names = {name.removeprefix(EXTENSION) for name in wheel.namelist() if name.startswith(EXTENSION)}
    parts = json.loads(wheel.read(STATIC + "assets.json"))
    assert {"install.json", "package.json", "schemas/h5explorer/plugin.json"} <= names
    for part in parts.values():
        assert wheel.read(f"{EXTENSION}static/{part}") == gzip.decompress(wheel.read(f"{STATIC}{part}.gz"))
    package = json.loads(wheel.read(EXTENSION + "package.json"))
    assert package["name"] == "h5explorer"
    assert package["version"] == h5explorer_py.__version__
    assert package["jupyterlab"]["_build"]["load"] in names
    assert json.loads(wheel.read(EXTENSION + "install.json"))["packageName"] == "h5explorer"
    on_demand = {name for name in names if re.search(r"/\w+-worker\.[0-9a-f]+\.js$|\.so$", name)}
    assert {"hdf5-worker", "tables-worker", "libH5Zzstd"} <= {re.split(r"[/.]", name)[1] for name in on_demand}
    own = [name for name in names - on_demand if name.startswith("static/")]
    own = [name for name in own if name.removeprefix("static/") not in parts.values()]
    assert sum(len(wheel.read(EXTENSION + name)) for name in own) < 300_000


def test_the_wheel_is_small_and_holds_nothing_twice(wheel):
    assert Path(wheel.filename).stat().st_size < LARGEST
    assert not [name for name in wheel.namelist() if name.startswith("h5explorer_py/labextension")]
    assert len(wheel.namelist()) == len(set(wheel.namelist()))


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
