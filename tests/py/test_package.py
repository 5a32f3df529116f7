"""The package as it is imported and installed."""

from __future__ import annotations

import json
import tomllib
from importlib import metadata
from typing import TYPE_CHECKING

import pytest

import h5explorer_py
from tests.fixtures.datasets import key
from tests.py.support import ROOT, python

if TYPE_CHECKING:
    from pathlib import Path

SLOW = ("pyarrow", "h5py", "ipywidgets", "anywidget", "numpy", "duckdb", "PIL", "hdf5plugin", "IPython", "pandas")


def imported_by(code: str) -> set[str]:
    done = python(f"import sys\n{code}\nprint(*sorted(sys.modules))")
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


def test_importing_the_package_imports_nothing_slow() -> None:
    assert not imported_by("import h5explorer_py") & set(SLOW)


def test_the_command_line_imports_nothing_slow_to_say_its_version() -> None:
    code = "from h5explorer_py.cli import main\ntry:\n    main(['--version'])\nexcept SystemExit:\n    pass"
    assert not imported_by(code) & set(SLOW)


def test_a_reader_imports_neither_tables_nor_widgets() -> None:
    modules = imported_by("import h5explorer_py.images.reader")
    assert "h5py" in modules
    assert not modules & {"pyarrow", "ipywidgets", "anywidget", "duckdb", "PIL", "hdf5plugin"}


def test_the_kernel_never_parses_hdf5(contract: Path) -> None:
    """A damaged file would bring it down."""
    code = (
        "from h5explorer_py import Explorer\n"
        f"ex = Explorer({str(contract / 'lookup.parquet')!r})\n"
        "ex.image(0).to_pil(); ex.metadata(0); ex.stats; ex.find('a'); ex._repr_mimebundle_()\n"
        f"Explorer({str(contract / 'odd_images.h5')!r})"
    )
    assert not imported_by(code) & {"h5py", "hdf5plugin"}


@pytest.mark.parametrize("name", ["lookup.parquet", "l.csv", "shard_000_images.h5"])
def test_rows_pictures_and_metadata_need_no_pandas(contract: Path, tmp_path: Path, name: str) -> None:
    """Importing it takes longer than all the rest together."""
    (tmp_path / "l.csv").write_text(f"uuid,filepath\n{key(0)},{contract / 'shard_000'}\n")
    lookup = tmp_path / name if name == "l.csv" else contract / name
    code = (
        "from h5explorer_py.handlers import handlers\n"
        "from h5explorer_py.jobs import Job\n"
        "from h5explorer_py.options import Options\n"
        "from h5explorer_py.protocol import Request\n"
        "from h5explorer_py.session import Session\n"
        f"session = Session({str(lookup)!r}, Options())\n"
        "for method, params in (('rows', {'start': 0, 'stop': 9}), ('image', {'row': 0}), ('metadata', {'row': 0})):\n"
        "    job = Job(lambda job: None, lambda result, error: None, 60)\n"
        "    handlers(session)[method].handle(Request('a', method, params), job)\n"
        "session.close()"
    )
    assert "pandas" not in imported_by(code)


def test_public_names() -> None:
    assert h5explorer_py.__all__ == [
        "Explorer",
        "ExplorerError",
        "Image",
        "Selection",
        "SplitDataset",
        "SplitWriter",
        "__version__",
        "convert",
        "save_to_split_dataset",
    ]
    for name in h5explorer_py.__all__:
        assert getattr(h5explorer_py, name)
        assert name in dir(h5explorer_py)
    with pytest.raises(AttributeError, match="no attribute 'Exploder'"):
        _ = h5explorer_py.Exploder
    from h5explorer_py import Explorer, ExplorerError
    from h5explorer_py.errors import ExplorerError as Base
    from h5explorer_py.widget import Explorer as Widget

    assert Explorer is Widget
    assert ExplorerError is Base


def test_the_version_is_the_same_everywhere() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert h5explorer_py.__version__ == project["version"]
    assert h5explorer_py.__version__ == json.loads((ROOT / "package.json").read_text())["version"]
    assert h5explorer_py.__version__ == metadata.version("h5explorer")


def test_what_it_depends_on_can_be_imported() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    names = {requirement.partition(">")[0] for requirement in project["dependencies"]}
    assert names == {"anywidget", "duckdb", "h5py", "hdf5plugin", "numpy", "pillow", "pyarrow"}
    assert project["requires-python"] == ">=3.11"
    assert project["scripts"] == {"h5explorer": "h5explorer_py.cli:main"}


def test_types_are_declared() -> None:
    assert (ROOT / "h5explorer_py" / "py.typed").is_file()
