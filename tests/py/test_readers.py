"""The processes that parse HDF5: what ends, blocks or shadows them costs one error and no more."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from h5explorer_py import errors
from h5explorer_py.images import process, readers
from h5explorer_py.images.readers import Reader, ReaderPool
from tests.fixtures.datasets import write_images_for_hdf5
from tests.fixtures.pictures import encoded
from tests.py.support import ROOT, dataset_of, image_of, python, runs, wait_for, within

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

OPEN_ONE = """
import os, sys
from h5explorer_py.dataset import Dataset
from h5explorer_py.images.readers import reader_pool
from h5explorer_py.options import KeyColumns

def pids():
    return [reader.pid for reader in reader_pool()._free]

def picture():
    opened = Dataset(sys.argv[1], KeyColumns())
    data = opened.image(opened.entry(0)).data
    opened.close()
    return data

data = picture()
"""


@pytest.fixture
def pool(monkeypatch: pytest.MonkeyPatch) -> Iterator[ReaderPool]:
    """Readers of this test's own, which are to be given up after a second."""
    made = ReaderPool(1)
    monkeypatch.setattr(readers, "_pool", made)
    monkeypatch.setattr(readers, "SECONDS", 1)
    yield made
    made.close()


@pytest.fixture
def shard(tmp_path: Path) -> Path:
    write_images_for_hdf5(tmp_path / "s_images.h5", {"a": encoded(1), "b": encoded(2)})
    pq.write_table(pa.table({"uuid": ["a"], "filepath": ["s"]}), tmp_path / "lookup.parquet")
    return tmp_path / "s_images.h5"


@pytest.fixture
def lookup(shard: Path) -> str:
    return str(shard.with_name("lookup.parquet"))


def pid_of(pool: ReaderPool) -> int:
    return pool._free[-1].pid


def suppressed(work: Callable[[], object]) -> object:
    """Return what ``work`` returns, or raises."""
    try:
        return work()
    except errors.ExplorerError as error:
        return error


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_a_reader_that_stands_still_is_given_up_and_replaced(pool: ReaderPool, shard: Path) -> None:
    image_of(shard)
    stopped = pid_of(pool)
    os.kill(stopped, signal.SIGSTOP)
    started = time.monotonic()
    with pytest.raises(errors.ReaderStalledError) as caught:
        image_of(shard)
    assert 0.9 < time.monotonic() - started < 3
    assert isinstance(caught.value, TimeoutError)
    assert "within 1 s" in str(caught.value)
    wait_for(lambda: not runs(stopped))
    assert image_of(shard) == encoded(1)
    assert pid_of(pool) != stopped


def kill_at_work(pid: int) -> None:
    os.kill(pid, signal.SIGSTOP)  # so that it is still at work when it is killed
    threading.Timer(0.2, lambda: os.kill(pid, signal.SIGKILL)).start()


def test_a_reader_that_is_killed_while_it_works_is_replaced(pool: ReaderPool, shard: Path) -> None:
    image_of(shard)
    killed = pid_of(pool)
    pool._free[0].gathering = ""
    kill_at_work(killed)
    with pytest.raises(errors.ReaderFailedError) as caught:
        image_of(shard)
    assert "s_images.h5" in str(caught.value)
    assert image_of(shard) == encoded(1)
    assert not runs(killed)


def test_one_that_ends_over_what_nobody_asked_for_costs_no_error_and_does_it_no_more(
    pool: ReaderPool, shard: Path
) -> None:
    image_of(shard)
    kill_at_work(pid_of(pool))  # as a damaged image beside the one that is wanted may
    assert image_of(shard, "b") == encoded(2)
    assert pool._not_gathered == {str(shard)}
    assert pool._free[0].gathering == ""
    assert image_of(shard) == encoded(1)


def test_an_image_that_ends_every_reader_costs_one_error(shard: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pool = ReaderPool(2)
    monkeypatch.setattr(readers, "_pool", pool)
    both = [Reader(), Reader()]
    for reader in both:  # each has something to look at that nobody asked for
        pool._free = [reader]
        image_of(shard)
        assert reader.gathering == str(shard)
    pool._free = list(both)
    starting = Reader.__init__

    def start(self: Reader) -> None:
        starting(self)
        kill_at_work(self.pid)

    for reader in both:
        kill_at_work(reader.pid)
    monkeypatch.setattr(Reader, "__init__", start)
    with pytest.raises(errors.ReaderFailedError):
        image_of(shard)
    monkeypatch.setattr(Reader, "__init__", starting)
    wait_for(lambda: not any(runs(reader.pid) for reader in both))
    assert image_of(shard) == encoded(1)
    assert "" not in pool._not_gathered
    pool.close()


def test_a_reader_that_ended_between_two_images_is_not_noticed(pool: ReaderPool, shard: Path) -> None:
    image_of(shard)
    killed = pid_of(pool)
    os.kill(killed, signal.SIGKILL)
    wait_for(lambda: not runs(killed))
    assert image_of(shard) == encoded(1)


def test_readers_that_fail_leave_nothing_behind(pool: ReaderPool, shard: Path) -> None:
    image_of(shard)
    before = descriptors()
    for _ in range(5):
        killed = pid_of(pool)
        os.kill(killed, signal.SIGKILL)
        wait_for(lambda pid=killed: not runs(pid))
        image_of(shard)
    assert descriptors() == before
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    assert killed not in map(int, children)


def test_while_one_reader_stands_still_another_works(
    shard: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = ReaderPool(2)
    monkeypatch.setattr(readers, "_pool", pool)
    monkeypatch.setattr(readers, "SECONDS", 3)
    write_images_for_hdf5(tmp_path / "t_images.h5", {"a": encoded(7)})
    image_of(shard)
    os.kill(pid_of(pool), signal.SIGSTOP)
    outcome: list[type[BaseException]] = []

    def blocked() -> None:
        try:
            image_of(shard)
        except errors.ExplorerError as error:
            outcome.append(type(error))

    thread = threading.Thread(target=blocked)
    thread.start()
    wait_for(lambda: not pool._free)
    assert within(2.5, lambda: image_of(tmp_path / "t_images.h5")) == encoded(7)
    assert outcome == []
    thread.join()
    assert outcome == [errors.ReaderStalledError]
    pool.close()


def test_who_is_no_longer_waited_for_waits_for_no_reader(
    pool: ReaderPool, shard: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readers, "SECONDS", 60)
    image_of(shard)
    [reader] = pool._free
    os.kill(reader.pid, signal.SIGSTOP)
    held = threading.Thread(target=lambda: suppressed(lambda: image_of(shard)))
    held.start()
    wait_for(lambda: not pool._free)
    wanted = True

    def give_up() -> None:
        if not wanted:
            raise errors.CancelledError("The request was withdrawn.")

    outcome: list[object] = []
    dataset = dataset_of(shard, "b")
    waiting = threading.Thread(
        target=lambda: outcome.append(suppressed(lambda: dataset.image(dataset.entry(0), give_up)))
    )
    waiting.start()
    waiting.join(0.5)
    assert outcome == []
    wanted = False
    waiting.join(20)
    assert [type(each) for each in outcome] == [errors.CancelledError]
    os.kill(reader.pid, signal.SIGCONT)
    held.join()
    assert image_of(shard, "b") == encoded(2)
    dataset.close()


def test_no_more_readers_run_than_are_allowed(shard: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pool = ReaderPool(2)
    monkeypatch.setattr(readers, "_pool", pool)
    threads = [threading.Thread(target=image_of, args=(shard, key)) for key in "abababab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 1 <= len(pool._free) <= 2
    pool.close()


def test_a_reader_that_is_slow_to_start_is_waited_for(
    pool: ReaderPool, shard: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The libraries may come from a file system that takes longer than an image may."""
    monkeypatch.setattr(process, "_START", "import time\ntime.sleep(1.5)\n" + process._START)
    assert image_of(shard) == encoded(1)


def test_a_reader_that_cannot_start_says_so(
    pool: ReaderPool, shard: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "absent"))
    pool.warm()
    with pytest.raises(errors.ReaderFailedError, match="no such file"):
        image_of(shard)
    monkeypatch.undo()
    assert image_of(shard) == encoded(1)


def test_a_reader_that_ends_at_once_says_so(pool: ReaderPool, shard: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "_START", "raise SystemExit(3)")
    with pytest.raises(errors.ReaderFailedError):
        image_of(shard)


def test_what_a_reader_prints_does_not_disturb_it(
    pool: ReaderPool, shard: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    noisy = "import h5explorer_py.images.hdf5 as h\nold = h.Shard.find\n"
    noisy += "h.Shard.find = lambda *a: (print('noise', flush=True), old(*a))[1]\nmain()"
    monkeypatch.setattr(process, "_START", process._START.replace("main()", noisy))
    assert image_of(shard) == encoded(1)
    assert image_of(shard, "b") == encoded(2)


@pytest.mark.parametrize("end", ["os._exit(0)", "os.kill(os.getpid(), 9)", "sys.exit()", "reader_pool().close()"])
def test_readers_end_with_their_parent(lookup: str, end: str) -> None:
    done = python(OPEN_ONE + f"print(*pids(), flush=True)\n{end}", lookup)
    pids = [int(pid) for pid in done.stdout.split()]
    assert pids, done.stderr
    wait_for(lambda: not any(map(runs, pids)))


def test_an_interrupt_of_the_kernel_is_none_of_the_readers(lookup: str) -> None:
    code = OPEN_ONE + (
        "import time\nbefore = pids()\n"
        "try:\n    print('ready', flush=True)\n    time.sleep(30)\nexcept KeyboardInterrupt:\n    pass\n"
        "assert picture() == data\nassert pids() == before, (before, pids())\nprint('same', flush=True)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, lookup],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        start_new_session=True,
    ) as kernel:
        assert kernel.stdout.readline() == "ready\n"
        os.killpg(kernel.pid, signal.SIGINT)
        out, err = kernel.communicate(timeout=20)
    assert out == "same\n", err


def test_an_unguarded_script_is_run_once(lookup: str, tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text("print('begins', flush=True)\n" + OPEN_ONE + "print(len(data))\n")
    done = subprocess.run(
        [sys.executable, str(script), lookup],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout == f"begins\n{len(encoded(1))}\n", done.stderr


@pytest.mark.parametrize("entry", ["''", "os.getcwd()"], ids=["notebook", "script"])
def test_files_beside_the_notebook_do_not_shadow_the_readers_libraries(lookup: str, tmp_path: Path, entry: str) -> None:
    """The kernel has imported what it needs before the working folder comes to the front of its path."""
    folder = tmp_path / "notebooks"
    folder.mkdir()
    for name in ("h5py", "json", "struct", "hdf5plugin", "numpy", "typing"):
        (folder / f"{name}.py").write_text("raise SystemExit('shadowed')\n")
    before = f"import os, sys, json, struct, numpy, pyarrow\nsys.path.append({str(ROOT)!r})\n"
    after = f"sys.path.insert(0, {entry})\n"
    code = before + "import h5explorer_py.dataset\n" + after + OPEN_ONE + "print(len(data))"
    done = subprocess.run(
        [sys.executable, "-P", "-c", code, lookup],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout == f"{len(encoded(1))}\n", done.stderr


def test_a_library_that_only_the_kernel_was_told_of_is_found(
    pool: ReaderPool, shard: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "only_here.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(process, "_START", process._START.replace("main()", "import only_here\nmain()"))
    assert image_of(shard) == encoded(1)


def test_after_a_fork_the_child_has_readers_of_its_own(lookup: str) -> None:
    code = OPEN_ONE + (
        "mine = pids()\nchild = os.fork()\n"
        "if child == 0:\n"
        "    try:\n"
        "        assert picture() == data\n"
        "        assert pids() and not set(pids()) & set(mine)\n"
        "        os._exit(0)\n"
        "    finally:\n"
        "        os._exit(1)\n"
        "assert os.waitpid(child, 0)[1] == 0\n"
        "assert picture() == data\nassert pids() == mine\nprint('good')\n"
    )
    done = python(code, lookup)
    assert done.stdout == "good\n", done.stderr


def test_closing_ends_the_readers(pool: ReaderPool, shard: Path) -> None:
    image_of(shard)
    pid = pid_of(pool)
    pool.close()
    wait_for(lambda: not runs(pid))
    assert image_of(shard) == encoded(1)  # and they start again when needed


def test_a_question_that_was_interrupted_does_not_give_its_answer_to_the_next(
    pool: ReaderPool, shard: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    image_of(shard)
    fill = Reader._fill

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Reader, "_fill", interrupted)
    with contextlib.suppress(KeyboardInterrupt):
        image_of(shard, "b")
    monkeypatch.setattr(Reader, "_fill", fill)
    assert image_of(shard) == encoded(1)


def test_a_reader_limits_its_own_memory(pool: ReaderPool, shard: Path) -> None:
    image_of(shard)
    limits = Path(f"/proc/{pid_of(pool)}/limits").read_text()
    line = next(line for line in limits.splitlines() if line.startswith("Max address space"))
    assert int(line.split()[3]) <= 4 << 30
