"""A real ipykernel: the page is answered while a cell runs, on whatever subshell it asks."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.fixtures.datasets import key
from tests.py.kernels import Kernel, kernel
from tests.py.support import runs, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def live() -> Iterator[Kernel]:
    made = kernel()
    yield made
    made.close()


@pytest.fixture(scope="module")
def subshell(live: Kernel) -> str:
    return live.subshell()


@pytest.fixture
def lookup(contract: Path) -> str:
    return str(contract / "lookup.parquet")


PIDS = "from h5explorer_py.images.readers import reader_pool; print([r.pid for r in reader_pool()._free])"
MAKE = "from h5explorer_py import Explorer; import time; ex = Explorer({!r})\n"


def test_the_first_message_is_answered_while_the_cell_that_made_the_widget_still_runs(
    live: Kernel, subshell: str, lookup: str
) -> None:
    cell = live.start(MAKE.format(lookup) + "time.sleep(30)")
    comm = live.comm_of(cell)
    assert live.answered(live.ask(comm, "rows", subshell, start=0, stop=50))["rows"] == 50
    assert live.answered(live.ask(comm, "image", subshell, row=7))["key"] == key(7)
    live.stop(cell)


def test_it_is_answered_after_a_running_cell_has_set_a_trait(live: Kernel, subshell: str, lookup: str) -> None:
    made = live.start(MAKE.format(lookup))
    comm = live.comm_of(made)
    wait_for(lambda: live.ended(made))
    cell = live.start("ex.current = 3; ex.selection = [3, 4]; print('set', flush=True); time.sleep(30)")
    wait_for(lambda: "set" in live.printed(cell))
    for row in (1, 2):
        assert live.answered(live.ask(comm, "image", subshell, row=row))["key"] == key(row)
    live.send(comm, {"method": "update", "state": {"current": 9}, "buffer_paths": []}, subshell)
    assert live.answered(live.ask(comm, "metadata", subshell, row=9))["key"] == key(9)
    live.stop(cell)
    assert live.run("print(ex.current)") == "9\n"


def test_two_pages_on_two_subshells_are_both_answered(live: Kernel, subshell: str, lookup: str) -> None:
    other = live.subshell()
    assert other != subshell
    cell = live.start(MAKE.format(lookup) + "ex.current = 5; time.sleep(30)")
    comm = live.comm_of(cell)
    for _ in range(3):
        names = {shell: live.ask(comm, "image", shell, row=row) for row, shell in enumerate((subshell, other))}
        assert [live.answered(name)["row"] for name in names.values()] == [0, 1]
    live.stop(cell)


def test_a_picture_arrives_as_bytes(live: Kernel, subshell: str, lookup: str) -> None:
    import h5py

    comm = live.comm_of(live.start(MAKE.format(lookup)))
    answer = live.answered(live.ask(comm, "image", subshell, row=0), 10)
    with h5py.File(answer["source"], "r") as file:
        assert answer["buffers"] == [file["images"][key(0)][()].tobytes()]


def test_the_kernel_keeps_nothing_of_a_message(live: Kernel, subshell: str, lookup: str) -> None:
    comm = live.comm_of(live.start(MAKE.format(lookup)))
    for name in [live.ask(comm, "rows", subshell, start=0, stop=3) for _ in range(50)]:
        live.answered(name, 10)
    assert live.run("print(len(ex.comm._reply_subshell_ids), len(ex._dispatcher._running))") == "0 0\n"


def test_the_parts_of_the_front_end_come_while_a_cell_runs(live: Kernel, subshell: str, lookup: str) -> None:
    cell = live.start(MAKE.format(lookup) + "time.sleep(30)")
    live.comm_of(cell)
    opened = [message["content"]["data"]["state"] for message in live.messages("comm_open")]
    assets = [state["_assets"] for state in opened if "_assets" in state][-1]
    answer = live.answered(live.ask(assets["model"], "asset", subshell, name=assets["decoder"]))
    assert len(answer["buffers"][0]) > 1000
    live.stop(cell)


def test_an_interrupt_leaves_the_readers_as_they_are(live: Kernel, subshell: str, lookup: str) -> None:
    comm = live.comm_of(live.start(MAKE.format(lookup)))
    live.answered(live.ask(comm, "image", subshell, row=0), 10)
    before = json.loads(live.run(PIDS))
    assert before
    assert all(map(runs, before))
    cell = live.start("print('begun', flush=True); time.sleep(30)")
    wait_for(lambda: "begun" in live.printed(cell))
    live.stop(cell)
    live.run("ex._session.dataset._images.clear()")
    assert live.answered(live.ask(comm, "image", subshell, row=1))["key"] == key(1)
    assert json.loads(live.run(PIDS)) == before


def test_a_burst_of_requests_has_an_answer_each(live: Kernel, subshell: str, lookup: str) -> None:
    cell = live.start(MAKE.format(lookup) + "time.sleep(30)")
    comm = live.comm_of(cell)
    names = [live.ask(comm, "image", subshell, row=number % 300) for number in range(200)]
    rows = [live.answered(name, 10)["row"] for name in names]
    assert rows == [number % 300 for number in range(200)]
    live.stop(cell)
    assert {len(live.answers(name)) for name in names} == {1}


def test_without_the_kernels_own_method_it_works_as_well(lookup: str) -> None:
    """Another version of ipykernel may lack what is replaced; a page without subshells asks on the main shell."""
    other = kernel()
    try:
        other.run("import ipykernel.comm.comm as module; del module.BaseComm._reply_subshell_for")
        comm = other.comm_of(other.start(MAKE.format(lookup)))
        subshell = other.subshell()
        for shell in (None, subshell):
            assert other.answered(other.ask(comm, "rows", shell, start=0, stop=5), 10)["rows"] == 5
            assert other.answered(other.ask(comm, "image", shell, row=2), 10)["key"] == key(2)
        assert other.run("print(ex.image(0).format, hasattr(ex.comm, '_reply_subshell_for'))") == "PNG False\n"
    finally:
        other.close()


def test_readers_end_when_the_kernel_does(lookup: str) -> None:
    other = kernel()
    try:
        pids = json.loads(other.run(MAKE.format(lookup) + "ex.image(0)\n" + PIDS))
        assert pids
        assert all(map(runs, pids))
    finally:
        other.close()
    wait_for(lambda: not any(map(runs, pids)))


def test_a_cell_shows_the_widget_and_a_still_picture(live: Kernel, lookup: str) -> None:
    cell = live.start(MAKE.format(lookup) + "ex")
    comm = live.comm_of(cell)
    wait_for(lambda: live.ended(cell))
    shown = live.messages("execute_result", cell) + live.messages("display_data", cell)
    data = shown[0]["content"]["data"]
    assert data["application/vnd.jupyter.widget-view+json"]["model_id"] == comm
    assert "323 records" in data["text/html"]
    assert "data:image/jpeg;base64," in data["text/html"]
    assert (
        data["application/vnd.h5explorer.still+json"] == {}
    )  # has the extension show the HTML where the widget is gone


def test_nothing_is_printed_on_the_way(live: Kernel, subshell: str, lookup: str) -> None:
    cell = live.start(MAKE.format(lookup))
    comm = live.comm_of(cell)
    for method, params in (("image", {"row": 0}), ("metadata", {"row": 0}), ("stats", {}), ("find", {"text": "x"})):
        live.answered(live.ask(comm, method, subshell, **params), 10)
    wait_for(lambda: live.ended(cell))
    live.run("pass")
    assert [message["content"] for message in live.messages("stream", cell)] == []
