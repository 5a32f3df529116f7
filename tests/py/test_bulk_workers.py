"""Worker processes: what crashes, hangs or prints in them costs one item and no more, and none outlives its parent."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from h5explorer_py.bulk import worker_process
from h5explorer_py.bulk.running import WorkerLost, run
from h5explorer_py.bulk.workers import Workers
from h5explorer_py.errors import (
    BadRequestError,
    CancelledError,
    UnsupportedError,
    WorkerFailedError,
    error_kinds,
)
from tests.py import bulk_functions as functions
from tests.py.support import ROOT, python, runs, wait_for, within

if TYPE_CHECKING:
    from collections.abc import Iterator

SCRIPT = """
import os, sys, time
print("begins", flush=True)
from h5explorer_py.bulk.running import run
from h5explorer_py.bulk.workers import Workers
from tests.py import bulk_functions as functions
x = 1
"""


@pytest.fixture
def workers() -> Iterator[Workers]:
    with Workers(2) as made:
        yield made
        made.kill()


def children() -> set[int]:
    return {int(pid) for pid in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()} | {
        int(pid) for task in Path("/proc/self/task").iterdir() for pid in (task / "children").read_text().split()
    }


def pids_in(folder: Path, count: int = 1) -> list[int]:
    wait_for(lambda: len(list(folder.iterdir())) >= count)
    return [int(path.name) for path in folder.iterdir()]


def one(workers: Workers, task: list[Any], **options: Any) -> dict[str, Any]:
    [(given, result)] = run(functions.act, [task], workers, **options)
    assert given == task
    return result


# What brings a process down


def test_an_item_that_crashes_once_costs_nothing(workers: Workers, tmp_path: Path) -> None:
    result = one(workers, ["", ("once", signal.SIGSEGV, str(tmp_path / "mark")), ""])
    assert result == {"done": [0, 1, 2], "doomed": {}}


def test_an_item_that_crashes_twice_is_left_out(workers: Workers, tmp_path: Path) -> None:
    mark = str(tmp_path / "mark")
    result = one(workers, [("count", mark), ("kill", signal.SIGSEGV), ""])
    assert result["done"] == [0, 2]
    [(item, (code, reason))] = result["doomed"].items()
    assert (item, code) == (1, "reader_failed")
    assert "was ended by signal 11 (SIGSEGV)" in reason
    assert len(set(Path(mark).read_text().split())) == 3  # three processes


def test_each_of_many_that_crash_is_left_out_beside_tasks_that_do_not(workers: Workers) -> None:
    tasks: list[list[Any]] = [["", ("kill", signal.SIGABRT), "", "exit", ("kill", signal.SIGKILL)], [""], ["", ""]]
    results = [result for _, result in run(functions.act, tasks, workers, ordered=True, retries=1)]
    assert [result["done"] for result in results] == [[0, 2], [0], [0, 1]]
    reasons = {item: reason for item, (_, reason) in results[0]["doomed"].items()}
    assert "SIGABRT" in reasons[1]
    assert "exit status 7" in reasons[3]
    assert "memory runs out" in reasons[4]


def test_an_item_that_hangs_is_left_out_and_its_process_ended(workers: Workers, tmp_path: Path) -> None:
    mark = str(tmp_path / "mark")
    started = time.monotonic()
    result = one(workers, [("count", mark), ("sleep", 60), "stop", ""], item_seconds=0.5)
    assert time.monotonic() - started < 15
    assert result["done"] == [0, 3]
    assert {item: code for item, (code, _) in result["doomed"].items()} == dict.fromkeys((1, 2), "reader_stalled")
    assert "took longer than 0.5 s" in result["doomed"][1][1]
    pids = [int(pid) for pid in Path(mark).read_text().split()]
    assert len(set(pids)) == 3
    assert not any(map(runs, pids[:2]))


def test_many_items_may_take_longer_than_one_may(workers: Workers) -> None:
    assert one(workers, [("sleep", 0.2)] * 6, item_seconds=0.6)["doomed"] == {}


def test_what_is_no_items_work_is_not_timed(workers: Workers) -> None:
    assert [*run(functions.slow_before_and_after, [0.7], workers, item_seconds=0.2)] == [(0.7, "done")]


def test_processes_that_were_stopped_for_a_while_are_at_no_fault(tmp_path: Path) -> None:
    code = SCRIPT + (
        "with Workers(1, item_seconds=2) as workers:\n"
        "    for _, result in run(functions.act, [[('count', sys.argv[1]), ('sleep', 1)]], workers):\n"
        "        print(result['done'], flush=True)\n"
    )
    mark = tmp_path / "mark"
    with subprocess.Popen([sys.executable, "-c", code, str(mark)], cwd=ROOT, stdout=subprocess.PIPE, text=True) as done:
        wait_for(lambda: mark.exists() and mark.read_text())
        both = [done.pid, int(mark.read_text())]
        time.sleep(0.3)  # so that the parent has seen what the worker is at
        for pid in both:  # as a batch system does with jobs that have to wait
            os.kill(pid, signal.SIGSTOP)
        time.sleep(2.2)
        for pid in both:
            os.kill(pid, signal.SIGCONT)
            time.sleep(0.2)
        out, _ = done.communicate(timeout=30)
    assert out == "begins\n[0, 1]\n"


def test_a_task_whose_process_ends_with_no_item_ends_the_run(workers: Workers) -> None:
    with pytest.raises(WorkerFailedError, match="lost 3 times: it ended with the exit status 0") as caught:
        list(run(functions.end_at_the_end, [1], workers, retries=2))
    assert isinstance(caught.value.__cause__, WorkerLost)
    assert list(run(functions.squares, [[2]], workers)) == [([2], ([4], {}))]


def test_processes_that_end_over_ever_other_items_end_the_run(workers: Workers, tmp_path: Path) -> None:
    task = [("once", signal.SIGKILL, str(tmp_path / str(item))) for item in range(9)]
    with pytest.raises(WorkerFailedError, match="memory runs out"):
        one(workers, task)


def test_a_process_that_ends_while_it_has_nothing_to_do_is_replaced(workers: Workers) -> None:
    with Workers(1) as single:
        pid = single.submit(os.getpid).result()
        os.kill(pid, signal.SIGKILL)
        wait_for(lambda: not runs(pid))
        assert single.submit(os.getpid).result() != pid


# An executor


def test_it_is_an_executor(workers: Workers) -> None:
    assert list(workers.map(pow, [2, 3], [5, 2])) == [32, 9]
    assert workers.submit(int, "ff", base=16).result() == 255
    with pytest.raises(ValueError, match="invalid literal"):
        workers.submit(int, "x").result()
    with pytest.raises(WorkerLost, match="exit status 4"):
        workers.submit(os._exit, 4).result()
    assert workers.submit(os.getpid).result() != os.getpid()


def test_what_has_not_begun_can_be_cancelled() -> None:
    with Workers(1) as single:
        first, second = single.submit(time.sleep, 0.5), single.submit(time.sleep, 60)
        assert second.cancel()
        assert first.result() is None


def test_closing_waits_for_what_was_submitted_or_cancels_it() -> None:
    single = Workers(1)
    futures = [single.submit(pow, 2, at) for at in range(5)]
    single.shutdown()
    assert [future.result(0) for future in futures] == [1, 2, 4, 8, 16]
    single = Workers(1)
    first, second = single.submit(time.sleep, 0.5), single.submit(time.sleep, 60)
    wait_for(first.running)
    single.shutdown(cancel_futures=True)
    assert first.done()
    assert second.cancelled()


def test_at_least_one_worker_is_needed() -> None:
    with pytest.raises(BadRequestError):
        Workers(0)


# What travels


@pytest.mark.parametrize("code", [*error_kinds()])
def test_every_kind_of_error_travels_whole(code: str) -> None:
    error = error_kinds()[code]("It is so.", action="Do that.", path="/x")
    back = pickle.loads(pickle.dumps(error))
    assert type(back) is type(error)
    assert (back.message, back.action, back.details, str(back)) == ("It is so.", "Do that.", {"path": "/x"}, str(error))


def test_errors_come_with_their_type_and_where_they_were_raised(workers: Workers) -> None:
    with pytest.raises(ZeroDivisionError, match="by hand") as caught:
        list(run(functions.fail, [ZeroDivisionError("by hand")], workers))
    assert "bulk_functions.py" in caught.value.__notes__[0]


@pytest.mark.parametrize(("kind", "text"), [("own", "OwnError: 3"), ("local", "LocalError: of nowhere")])
def test_errors_that_cannot_travel_come_as_text(workers: Workers, kind: str, text: str) -> None:
    with pytest.raises(RuntimeError, match=text):
        list(run(functions.fail, [kind], workers))


def test_what_cannot_travel_is_refused(workers: Workers) -> None:
    with pytest.raises(UnsupportedError, match="result of a task cannot be sent"):
        list(run(functions.unpicklable, [1], workers))
    with pytest.raises(UnsupportedError, match="in a module that can be imported"):
        list(run(lambda *_: 1, [1], workers))
    with pytest.raises(UnsupportedError, match="cannot be sent"):
        list(run(functions.squares, [threading.Lock()], workers))


def test_large_tasks_and_results_travel(workers: Workers) -> None:
    size = 50_000_003
    for task, data in run(functions.large, [size, size + 1], workers):
        assert data == bytes([task % 256]) * task
    assert [result for _, result in run(functions.length, [bytes(size)], workers)] == [size]


def test_what_is_printed_disturbs_nothing(workers: Workers, capfd: pytest.CaptureFixture[str]) -> None:
    assert sorted(run(functions.noisy, range(5), workers)) == [(at, at) for at in range(5)]
    assert capfd.readouterr() == ("", "")


def test_memory_that_runs_out_is_the_functions_matter() -> None:
    with Workers(1, memory=300 << 20) as limited:
        found = [*run(functions.take, [1 << 30, 1 << 20], limited, ordered=True)]
        assert found == [(1 << 30, "none left"), (1 << 20, str(1 << 20))]
        with pytest.raises(MemoryError):
            list(run(functions.take_unguarded, [1 << 30], limited))


def test_modules_are_found_where_the_parent_finds_them(
    workers: Workers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "only_here.py").write_text("def f(task, begin, doomed):\n    return task + 1\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    import only_here

    assert [*run(only_here.f, [1], workers)] == [(1, 2)]
    [(_, found)] = run(functions.surroundings, [""], workers)
    assert found["path"] == [os.path.abspath(folder) for folder in sys.path]


# Starting


def test_a_worker_that_cannot_start_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with Workers(2) as made:
        monkeypatch.setattr(sys, "executable", str(tmp_path / "absent"))
        with pytest.raises(WorkerFailedError, match="no such file"):
            list(run(functions.squares, [[1], [2]], made))
        monkeypatch.undo()
        monkeypatch.setattr(worker_process, "_START", "import not_there")
        with pytest.raises(WorkerFailedError, match=r"exit status 1 as it started: .*No module named 'not_there'"):
            list(run(functions.squares, [[1], [2]], made))
        monkeypatch.setattr(worker_process, "_START", "import time; time.sleep(60)")
        monkeypatch.setattr(worker_process, "START_SECONDS", 0.5)
        with pytest.raises(WorkerFailedError, match="did not start within"):
            list(run(functions.squares, [[1], [2]], made))
        monkeypatch.undo()
        assert sorted(run(functions.squares, [[1], [2]], made)) == [([1], ([1], {})), ([2], ([4], {}))]


def test_an_unguarded_script_is_run_once(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    (tmp_path / "beside.py").write_text("def f(task, begin, doomed):\n    return task * 2\n")
    script.write_text(
        SCRIPT + "import beside\n"
        "with Workers(2) as workers:\n"
        "    print(sorted(run(beside.f, [1, 2, 3], workers)))\n"
        "    print(next(run(functions.surroundings, [''], workers))[1]['main'])\n"
        "    def own(task, begin, doomed): return task\n"
        "    try:\n"
        "        list(run(own, [1], workers))\n"
        "    except Exception as error:\n"
        "        print(error.code)\n"
    )
    done = subprocess.run(
        [sys.executable, str(script)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd="/",
    )
    assert done.stdout == "begins\n[(1, 2), (2, 4), (3, 6)]\nNone\nunsupported\n", done.stderr


# Ending


def test_nothing_is_left_of_it() -> None:
    before, threads, files = children(), threading.active_count(), len(os.listdir("/proc/self/fd"))
    with Workers(3) as made:
        assert len(list(run(functions.squares, [[at] for at in range(9)], made))) == 9
        one(made, [("kill", signal.SIGKILL)])
    assert (children(), threading.active_count(), len(os.listdir("/proc/self/fd"))) == (before, threads, files)


def test_giving_up_ends_what_runs_at_once_and_what_it_started(tmp_path: Path) -> None:
    folder = tmp_path / "pids"
    folder.mkdir()
    threads = threading.active_count()

    def give_up() -> None:
        if list(folder.iterdir()):
            raise CancelledError("It was withdrawn.")

    with Workers(2) as made:
        before = time.monotonic()
        with pytest.raises(CancelledError):
            list(run(functions.start_another, [str(folder)] * 5, made, give_up=give_up))
        assert time.monotonic() - before < 10
        wait_for(lambda: not any(map(runs, pids_in(folder))))
        assert list(run(functions.squares, [[2]], made)) == [([2], ([4], {}))]
    assert threading.active_count() == threads


def test_taking_no_more_results_ends_what_runs(workers: Workers, tmp_path: Path) -> None:
    results = run(functions.pid_and_wait, [(str(tmp_path), 0.0), (str(tmp_path), 60.0)], workers, ordered=True)
    next(results)
    pids = pids_in(tmp_path)
    results.close()
    wait_for(lambda: sum(map(runs, pids)) <= 1)
    within(5, workers.kill)


def test_it_works_in_a_thread() -> None:
    def work() -> Any:
        with Workers(2) as made:
            return sorted(run(functions.squares, [[1], [2], [3]], made))

    assert within(30, work) == [([1], ([1], {})), ([2], ([4], {})), ([3], ([9], {}))]


def test_an_interrupt_leaves_no_process(tmp_path: Path) -> None:
    code = SCRIPT + (
        "try:\n"
        "    with Workers(2) as workers:\n"
        "        list(run(functions.pid_and_wait, [(sys.argv[1], 60)] * 5, workers))\n"
        "except KeyboardInterrupt:\n"
        "    left = [pid for pid in os.listdir(sys.argv[1]) if os.path.exists('/proc/' + pid)]\n"
        "    import threading\n"
        "    print('interrupted', left, threading.active_count(), flush=True)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-W", "error", "-c", code, str(tmp_path)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as parent:
        pids = pids_in(tmp_path, 2)
        os.killpg(parent.pid, signal.SIGINT)
        out, err = parent.communicate(timeout=20)
    assert (out, err) == ("begins\ninterrupted [] 1\n", "")
    assert not any(map(runs, pids))


@pytest.mark.parametrize("function", ["pid_and_wait", "hold_all"])
def test_workers_end_with_a_parent_that_is_killed(tmp_path: Path, function: str) -> None:
    task = "(sys.argv[1], 60)" if function == "pid_and_wait" else "sys.argv[1]"
    code = SCRIPT + f"list(run(functions.{function}, [{task}] * 2, Workers(2)))\n"
    with subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], cwd=ROOT, stdout=subprocess.DEVNULL) as parent:
        pids = pids_in(tmp_path, 2)
        parent.kill()
    wait_for(lambda: not any(map(runs, pids)))


@pytest.mark.parametrize("end", ["os._exit(0)", "sys.exit()", "raise ValueError", "pass"])
def test_workers_that_were_not_closed_end_with_their_parent(end: str) -> None:
    done = python(SCRIPT + f"workers = Workers(1)\nprint(workers.submit(os.getpid).result(), flush=True)\n{end}\n")
    pid = int(done.stdout.split()[1])
    wait_for(lambda: not runs(pid))
