from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, settings

from tests.fixtures.datasets import write_contract
from tests.py.support import ROOT, SHARED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.py.served import Served

# A deadline would fail tests on a loaded machine; the number of examples is what bounds the run.
settings.register_profile(
    "h5explorer", deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
settings.load_profile("h5explorer")


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("H5EXPLORER_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def contract(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the data set with every kind of row; not to be changed."""
    folder = tmp_path_factory.mktemp("contract") / "data"
    write_contract(folder)
    return folder


@pytest.fixture(scope="session")
def expected(contract: Path) -> dict[str, Any]:
    return json.loads((contract / "expected.json").read_text())


@pytest.fixture(scope="session")
def wheel_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel that people install, built of the checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (file,) = folder.glob("*.whl")
    return file


@pytest.fixture(scope="session")
def shared() -> Path:
    if not SHARED.is_dir():
        pytest.skip(f"The folder {SHARED} with files known to break readers is not there.")
    return SHARED


@pytest.fixture(scope="session")
def hostile_strings(shared: Path) -> list[str]:
    kinds = json.loads((shared / "corpora" / "hostile_strings.json").read_text())
    return [text for texts in kinds.values() for text in texts]


@pytest.fixture(scope="module")
def server(contract: Path) -> Iterator[Served]:
    """`h5explorer open` on the data set with every kind of row."""
    from tests.py.served import served

    with served("open", str(contract / "lookup.parquet"), "--no-browser") as started:
        yield started


@pytest.fixture(scope="module")
def cookie(server: Served) -> str:
    """What a browser shows that has been let in."""
    return server.admit()


@pytest.fixture
def explorer(contract: Path) -> Callable[..., Any]:
    """Make explorers, of the contract's data set unless another lookup is given."""
    from h5explorer_py import Explorer

    def make(lookup: Any = None, **options: Any) -> Any:
        return Explorer(contract / "lookup.parquet" if lookup is None else lookup, **options)

    return make


@pytest.fixture(autouse=True)
def _nothing_stays_open() -> Iterator[None]:
    yield
    import sys

    widgets = sys.modules.get("ipywidgets.widgets.widget")
    explorers = sys.modules.get("h5explorer_py.widget")
    if widgets is None or explorers is None:
        return
    for widget in list(widgets._instances.values()):
        if isinstance(widget, explorers.Explorer):
            widget.close()


@pytest.fixture(scope="session", autouse=True)
def _no_reader_stays() -> Iterator[None]:
    yield
    from h5explorer_py.images.readers import reader_pool

    reader_pool().close()
