"""What a tab of JupyterLab asks of its kernel."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import comm
import ipywidgets
import pytest

import h5explorer_py
from h5explorer_py import lab
from h5explorer_py.errors import LookupNotFoundError
from tests.py.support import ROOT
from tests.py.test_widget import Recorded

if TYPE_CHECKING:
    from pathlib import Path

    from h5explorer_py import Explorer


@pytest.fixture(autouse=True)
def _recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comm, "create_comm", Recorded)
    monkeypatch.setattr("h5explorer_py.assets._shared", None)
    monkeypatch.setattr(lab, "_tabs", {})


def opened(contract: Path, **wish: Any) -> Explorer:
    request = {"version": lab.VERSION, "root": str(contract.parent), "path": f"{contract.name}/lookup.parquet", **wish}
    reply = lab.open_tab(json.dumps(request)).fields
    assert "error" not in reply, reply
    explorer: Explorer = ipywidgets.widgets.widget._instances[reply["model"]]
    return explorer


def test_a_tab_gets_an_explorer_that_fills_it(contract: Path) -> None:
    explorer = opened(contract, cache=False, look={"rowHeight": 32})
    assert explorer.height == "100%"
    assert explorer.get_state("_look") == {"_look": {"rowHeight": 32}}
    assert len(explorer) == 323


def test_a_page_that_is_loaded_again_meets_the_same_explorer(contract: Path) -> None:
    first = opened(contract)
    first.current = 7
    again = opened(contract, row=3)
    assert again is first
    assert again.current == 7
    assert opened(contract, look={"rowHeight": 40})._look == {"rowHeight": 40}
    first._look = {"shares": {"columns": [0.5, 0.25, 0.25]}}
    assert opened(contract, look={"rowHeight": 20, "shares": {}})._look == {
        "rowHeight": 20,
        "shares": {"columns": [0.5, 0.25, 0.25]},
    }
    first.close()
    assert opened(contract) is not first


def test_filter_order_and_row_are_as_they_were(contract: Path) -> None:
    explorer = opened(contract, filter="filepath LIKE '%shard_001%'", sort=[["uuid", "desc"]], row=6)
    assert explorer.filter == "filepath LIKE '%shard_001%'"
    assert explorer.sort == [("uuid", "desc")]
    assert explorer.current == 6


@pytest.mark.parametrize(
    "wish", [{"filter": "no_such_column = 1"}, {"row": 10**9}, {"row": "x"}, {"sort": [["gone", "asc"]]}]
)
def test_what_the_file_has_no_more_is_left_out(contract: Path, wish: dict[str, Any]) -> None:
    explorer = opened(contract, **wish)
    assert explorer.filter == ""
    assert explorer.current == 0


def test_what_is_refused_is_told_as_data(contract: Path) -> None:
    request = {"version": lab.VERSION, "root": str(contract), "path": "wrong_columns.parquet"}
    reply = lab.open_tab(json.dumps(request))
    error = reply._repr_json_()["error"]
    assert error["code"] == "wrong_columns"
    assert error["message"]
    assert "in a cell of a notebook" in error["action"]


@pytest.mark.parametrize("wish", [{"version": lab.VERSION + 1}, {}, {"version": "1", "root": [], "path": {}}])
def test_an_extension_of_another_version_is_told_the_version_alone(wish: dict[str, Any]) -> None:
    reply = lab.open_tab(json.dumps(wish))
    assert reply._repr_json_() == {"version": lab.VERSION, "package": h5explorer_py.__version__}
    assert lab._tabs == {}


def test_the_extension_and_the_package_speak_one_version() -> None:
    script = (ROOT / "src/lab/python.ts").read_text()
    assert f"export const VERSION = {lab.VERSION};\n" in script


def test_a_file_is_found_below_the_servers_folder_or_where_the_kernel_began(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = 'it\'s "a" \n{x} \\ é 😀.parquet'
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / name).touch()
    there = os.path.join(tmp_path, "sub", name)
    assert lab.find_file(str(tmp_path), f"sub/{name}") == there
    monkeypatch.setenv("HOME", str(tmp_path))
    assert lab.find_file("~", f"sub/{name}") == there
    monkeypatch.chdir(tmp_path / "sub")
    for root in ("", "/not/on/this/machine"):
        assert lab.find_file(root, f"sub/{name}") == there
    with pytest.raises(LookupNotFoundError, match="This kernel sees no /gone/absent"):
        lab.find_file("/gone", "absent.parquet")
