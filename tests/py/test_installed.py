"""What a person has who installs the wheel with pip, beside JupyterLab, in an empty environment without Node."""

from __future__ import annotations

import gzip
import http.client
import json
import os
import re
import subprocess
import sys
import tomllib
import venv
from contextlib import closing
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

import h5explorer_py
from tests.py.support import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

STATIC = f"lib/python{sys.version_info.major}.{sys.version_info.minor}/site-packages/h5explorer_py/static"


class Environment:
    """An environment, and nothing of the one of the tests."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.home = place / "home"
        self.variables = {
            "HOME": str(self.home),
            "PATH": str(place / "bin"),
            "JUPYTER_PLATFORM_DIRS": "0",
            "H5EXPLORER_CACHE": str(place / "cache"),
            "LC_ALL": "C.UTF-8",
        }

    def start(self, program: str, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [str(self.place / "bin" / program), *arguments],
            cwd=self.home,
            env=self.variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, program: str, *arguments: str) -> str:
        with self.start(program, *arguments) as process:
            said, _ = process.communicate(timeout=100)
        assert process.returncode == 0, said
        return said


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory, wheel_file: Path) -> Environment:
    """The wheel, installed by pip; what it depends on is there already, as pip has no cache of unpacked packages."""
    place = tmp_path_factory.mktemp("installed")
    venv.create(place, with_pip=False, symlinks=True)
    python = str(place / "bin" / "python")
    needed = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    uv = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--python", python]
    subprocess.run([*uv, "--constraint", "requirements.lock", "jupyterlab", *needed], cwd=ROOT, check=True)
    pip = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "--no-index", str(wheel_file)], check=True)
    environment = Environment(place)
    environment.home.mkdir()
    return environment


def test_there_is_no_node(installed: Environment) -> None:
    code = "import shutil, h5explorer_py; print(shutil.which('node'), shutil.which('npm'), h5explorer_py.__file__)"
    node, npm, package = installed.run("python", "-c", code).split()
    assert (node, npm) == ("None", "None")
    assert package.startswith(str(installed.place))


def test_jupyterlab_has_the_extension(installed: Environment) -> None:
    said = installed.run("jupyter", "labextension", "list")
    (line,) = [line for line in said.splitlines() if "h5explorer" in line]
    assert f"h5explorer v{h5explorer_py.__version__}" in line
    assert "enabled" in line
    assert "OK" in line
    assert "(python, h5explorer)" in line
    assert re.search(r"anywidget v\S+ .*enabled.*OK", said)


def test_the_versions_of_python_and_of_both_halves_agree(installed: Environment) -> None:
    version = h5explorer_py.__version__
    assert installed.run("h5explorer", "--version").split()[-1] == version
    code = "from importlib.metadata import version; print(version('h5explorer'))"
    assert installed.run("python", "-c", code).strip() == version
    extension = installed.place / "share/jupyter/labextensions/h5explorer/package.json"
    assert json.loads(extension.read_text())["version"] == version


def test_the_widget_shows_itself(installed: Environment, contract: Path) -> None:
    code = (
        "import json, sys\n"
        "from h5explorer_py import Explorer\n"
        "ex = Explorer(sys.argv[1])\n"
        "data = ex._repr_mimebundle_()[0]\n"
        "print(json.dumps([sorted(data), len(ex._esm), len(ex._css), len(ex), ex.image(0).format]))"
    )
    kinds, script, style, rows, form = json.loads(
        installed.run("python", "-c", code, str(contract / "lookup.parquet")).splitlines()[-1]
    )
    assert {"application/vnd.jupyter.widget-view+json", "text/html"} <= set(kinds)
    built = installed.place / STATIC
    assert script == len((built / "widget.js").read_text())
    assert style == len((built / "widget.css").read_text())
    assert (rows, form) == (323, "PNG")


def test_the_commands_answer(installed: Environment, contract: Path) -> None:
    lookup = str(contract / "lookup.parquet")
    facts: dict[str, Any] = json.loads(installed.run("h5explorer", "info", "--json", lookup))
    assert facts["rows"] == 323
    said = installed.run("h5explorer", "doctor", lookup)
    assert not [line for line in said.splitlines() if line.startswith("!")]
    installed.run("h5explorer", "page", str(installed.home / "site"))
    assert "index.html" in os.listdir(installed.home / "site")


@pytest.fixture
def address(installed: Environment, contract: Path) -> Iterator[str]:
    with installed.start("h5explorer", "open", str(contract / "lookup.parquet"), "--no-browser") as process:
        assert process.stdout is not None
        line = process.stdout.readline().strip()
        yield line
        process.terminate()
        process.stdout.read()


def test_a_page_is_served(installed: Environment, address: str) -> None:
    parts = urlsplit(address)

    def asked(path: str, cookie: str = "") -> tuple[str, bytes]:
        with closing(http.client.HTTPConnection(parts.netloc, timeout=30)) as connection:
            connection.request("GET", path, headers={"Cookie": cookie} if cookie else {})
            with connection.getresponse() as response:
                assert response.status < 400
                return response.getheader("Set-Cookie") or "", response.read()

    cookie = asked(f"{parts.path}?{parts.query}")[0].partition(";")[0]
    _, markup = asked("/", cookie)
    (script,) = re.findall(r'"(page\.[0-9a-f]{16}\.js)"', markup.decode())
    packed = (installed.place / STATIC / f"{script}.gz").read_bytes()
    assert asked(f"/{script}", cookie)[1] == gzip.decompress(packed)
