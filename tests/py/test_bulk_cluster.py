"""A Dask cluster does tasks as local processes do, and says in a sentence why where it cannot."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from h5explorer_py.bulk import cluster as clusters
from h5explorer_py.bulk.cluster import open_executor
from h5explorer_py.bulk.running import run
from h5explorer_py.bulk.workers import Workers
from h5explorer_py.errors import (
    BadRequestError,
    CancelledError,
    ClusterFailedError,
    MissingPackageError,
    ShardUnreadableError,
    WorkerFailedError,
)
from tests.py import bulk_functions as functions
from tests.py.support import ROOT, runs, wait_for, within

if TYPE_CHECKING:
    from collections.abc import Iterator

TASKS = [list(range(start, start + 5)) for start in range(0, 100, 5)]
EXPECTED = [(task, ([number**2 for number in task], {})) for task in TASKS]

SBATCH = """#!/bin/sh
[ -e "$FAKE_SLURM/refuse" ] && { echo "sbatch: error: invalid partition specified: nowhere" >&2; exit 1; }
cp "$1" "$FAKE_SLURM/script.$$"
[ -e "$FAKE_SLURM/queue" ] && { echo "Submitted batch job 999999"; exit 0; }
setsid sh "$FAKE_SLURM/script.$$" > "$FAKE_SLURM/log.$$" 2>&1 &
echo $! >> "$FAKE_SLURM/jobs"
echo "Submitted batch job $!"
"""
SCANCEL = """#!/bin/sh
echo "$1" >> "$FAKE_SLURM/cancelled"
kill -9 -- "-$1"
"""


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """Three worker processes with a thread each."""
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=3, threads_per_worker=1, processes=True, dashboard_address=":0", silence_logs=50
    ) as made:
        yield made


@pytest.fixture
def slurm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A SLURM of one node: its jobs are processes of this machine."""
    pytest.importorskip("dask_jobqueue")
    folder, home = tmp_path / "slurm", tmp_path / "home"
    folder.mkdir()
    home.mkdir()
    for name, code in {"sbatch": SBATCH, "scancel": SCANCEL}.items():
        (folder / name).write_text(code)
        (folder / name).chmod(0o755)
    monkeypatch.setenv("FAKE_SLURM", str(folder))
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setattr(clusters, "MOST_WORKERS", 1)
    return folder


def test_local_processes_are_the_default() -> None:
    with open_executor() as executor:
        assert isinstance(executor, Workers)
        assert 1 <= executor.count <= min(len(os.sched_getaffinity(0)), 16)
        assert list(run(functions.squares, TASKS, executor, ordered=True)) == EXPECTED
    with open_executor(workers=3) as executor:
        assert isinstance(executor, Workers)
        assert executor.count == 3


def test_an_executor_is_used_as_it_is_and_stays_open() -> None:
    with ThreadPoolExecutor(1) as threads:
        with open_executor(scheduler=threads) as executor:
            assert executor is threads
        assert threads.submit(pow, 2, 3).result() == 8


@pytest.mark.parametrize(
    "options",
    [
        {"workers": 2, "scheduler": "tcp://127.0.0.1:1"},
        {"scheduler": "tcp://127.0.0.1:1", "slurm": "a,b,1"},
        {"workers": 1, "slurm": "a,b,1"},
        {"workers": 0},
        {"scheduler": 5},
        {"slurm": ""},
        {"slurm": "a,b"},
        {"slurm": "a,b,0"},
        {"slurm": "a,b,-1"},
        {"slurm": "a,b,two"},
        {"slurm": ",b,1"},
        {"slurm": "a,b,1,2"},
        {"slurm": "a\n#SBATCH --wrap=x,b,1"},
        {"slurm": "a;x,b,1"},
        {"slurm": "a,b c,1"},
        {"slurm": "a,b,99999999999999999999"},
    ],
)
def test_what_is_not_understood_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(BadRequestError), open_executor(**options):
        pass


@pytest.mark.parametrize("given", ["address", "cluster", "client"])
def test_results_are_the_same_on_a_cluster(cluster: Any, given: str) -> None:
    from distributed import Client, default_client

    with Client(cluster, set_as_default=False) as client:
        scheduler = {"address": cluster.scheduler_address, "cluster": cluster, "client": client}[given]
        with open_executor(scheduler=scheduler) as executor:
            assert list(run(functions.squares, TASKS, executor, ordered=True)) == EXPECTED
            again = [*TASKS, *TASKS]  # Dask would take equal tasks for one
            assert [result for _, result in run(functions.squares, again, executor, ordered=True)] == [
                result for _, result in EXPECTED * 2
            ]
        assert client.status == "running"
    assert cluster.status.name == "running"
    with pytest.raises(ValueError, match="No clients found"):
        default_client()


def test_equal_tasks_are_each_done(cluster: Any, tmp_path: Path) -> None:
    mark = str(tmp_path / "mark")
    with open_executor(scheduler=cluster) as executor:
        list(run(functions.act, [[("count", mark)]] * 12, executor, in_flight=6))
        list(run(functions.act, [[("count", mark)]] * 12, executor._client.get_executor(), in_flight=6))
    assert len(Path(mark).read_text().split()) == 24


def test_errors_come_from_a_cluster_as_they_are(cluster: Any) -> None:
    with open_executor(scheduler=cluster) as executor:
        with pytest.raises(ShardUnreadableError) as caught:
            list(run(functions.fail_with_details, ["/data/a.h5"], executor))
        assert (caught.value.action, caught.value.details) == ("Repair it.", {"path": "/data/a.h5"})
        assert list(run(functions.squares, TASKS, executor, ordered=True)) == EXPECTED


def test_a_worker_that_is_killed_costs_nothing(cluster: Any, tmp_path: Path) -> None:
    tasks = [(number, str(tmp_path), 0.15) for number in range(24)]
    killed = 0
    with open_executor(scheduler=cluster) as executor:
        results = []
        for task, result in run(functions.pid_of_task, tasks, executor):
            results.append(result)
            assert task[0] == result
            if not killed:
                killed = int(max(tmp_path.iterdir(), key=lambda path: path.stat().st_mtime).name.partition("-")[2])
                os.kill(killed, signal.SIGKILL)
        assert sorted(results) == list(range(24))
    wait_for(lambda: len(cluster.scheduler_info["workers"]) == 3, 30)


def test_a_task_that_kills_every_worker_ends_the_run(cluster: Any) -> None:
    from dask import config

    with config.set({"distributed.scheduler.allowed-failures": 0}), open_executor(scheduler=cluster) as executor:
        cluster.scheduler.allowed_failures = 0
        with pytest.raises(WorkerFailedError, match="lost 2 times: KilledWorker"):
            within(60, lambda: list(run(functions.end_at_the_end, [0], executor, retries=1)))
    wait_for(lambda: len(cluster.scheduler_info["workers"]) == 3, 30)


def test_a_run_on_a_cluster_can_be_given_up(cluster: Any, tmp_path: Path) -> None:
    def give_up() -> None:
        if mark.exists():
            raise CancelledError("It was withdrawn.")

    mark = tmp_path / "mark"
    with open_executor(scheduler=cluster) as executor:
        with pytest.raises(CancelledError):
            list(run(functions.act, [[("count", str(mark)), ("sleep", 1)]] * 99, executor, give_up=give_up))
        assert list(run(functions.squares, TASKS, executor, ordered=True)) == EXPECTED
    assert len(mark.read_text().split()) <= 6


def test_workers_of_other_versions_are_refused(cluster: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clusters, "__version__", "9.9.9")
    with pytest.raises(ClusterFailedError, match=r"has h5explorer .*, and not 9\.9\.9") as caught:
        open_executor(scheduler=cluster).__enter__()
    assert caught.value.action == 'Install it there: pip install "h5explorer==9.9.9"'


def test_workers_without_this_package_are_refused(cluster: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clusters, "_MODULE", "not_installed")
    with pytest.raises(ClusterFailedError, match="cannot import h5explorer: No module named 'not_installed'"):
        open_executor(scheduler=cluster).__enter__()


def test_a_scheduler_that_is_not_there_is_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    assert clusters.CONNECT_SECONDS < 10
    monkeypatch.setattr(clusters, "CONNECT_SECONDS", 1)
    pytest.importorskip("distributed")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    for address in (f"tcp://127.0.0.1:{port}", "nonsense://x", "tcp://", "tcp://127.0.0.1:notaport"):
        with pytest.raises(ClusterFailedError, match="cannot be reached"):
            within(5, lambda given=address: open_executor(scheduler=given).__enter__())


def test_a_scheduler_that_does_not_answer_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clusters, "CONNECT_SECONDS", 1)
    pytest.importorskip("distributed")
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        address = f"tcp://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(ClusterFailedError, match="cannot be reached"):
            within(5, lambda: open_executor(scheduler=address).__enter__())


def test_a_cluster_without_workers_is_not_waited_for_ever() -> None:
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(n_workers=0, dashboard_address=":0", silence_logs=50) as empty:
        with pytest.raises(ClusterFailedError, match="No worker of the cluster has come within 1 s"):
            open_executor(scheduler=empty, wait_seconds=1).__enter__()

        def give_up() -> None:
            raise CancelledError("It was withdrawn.")

        with pytest.raises(CancelledError):
            open_executor(scheduler=empty, give_up=give_up).__enter__()


def test_a_scheduler_that_ends_midway_ends_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clusters, "CONNECT_SECONDS", 2)
    pytest.importorskip("distributed")
    code = (
        "import sys, time\nfrom distributed import LocalCluster\n"
        "cluster = LocalCluster(n_workers=1, processes=False, protocol='tcp://', dashboard_address=':0')\n"
        "print(cluster.scheduler_address, flush=True)\ntime.sleep(120)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, cwd=ROOT) as started:
        assert started.stdout is not None
        address = started.stdout.readline().strip()

        def work() -> None:
            with open_executor(scheduler=address) as executor:
                for _ in run(functions.pid_of_task, [(at, str(tmp_path), 0.2) for at in range(50)], executor):
                    started.kill()

        with pytest.raises(WorkerFailedError):
            within(20, work)


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(MissingPackageError, match="distributed") as caught:
        open_executor(scheduler="tcp://127.0.0.1:1").__enter__()
    assert caught.value.action == 'Run: pip install "h5explorer[cluster]"'
    monkeypatch.setitem(sys.modules, "dask_jobqueue", None)
    with pytest.raises(MissingPackageError, match="dask-jobqueue"):
        open_executor(slurm="normal,physics,1").__enter__()


# SLURM


def test_jobs_of_slurm_do_tasks_and_are_cancelled(slurm: Path) -> None:
    threads = threading.active_count()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with open_executor(slurm="normal,physics,2") as executor:
            assert list(run(functions.squares, TASKS, executor, ordered=True)) == EXPECTED
            address = executor._client.scheduler.address
            assert address.startswith("tls://")
    jobs = [int(pid) for pid in (slurm / "jobs").read_text().split()]
    assert len(jobs) == 2
    assert sorted(map(int, (slurm / "cancelled").read_text().split())) == sorted(jobs)
    wait_for(lambda: not any(map(runs, jobs)))
    script = next(slurm.glob("script.*")).read_text()
    assert "#SBATCH -p normal\n#SBATCH -A physics\n" in script
    assert list((slurm.parent / "home").iterdir()) == []
    wait_for(lambda: threading.active_count() <= threads)


def test_jobs_that_are_refused_are_said_so(slurm: Path) -> None:
    (slurm / "refuse").touch()
    threads = threading.active_count()
    with pytest.raises(ClusterFailedError, match=r"SLURM took no job: .*invalid partition specified: nowhere"):
        open_executor(slurm="nowhere,,1").__enter__()
    assert list((slurm.parent / "home").iterdir()) == []
    wait_for(lambda: threading.active_count() <= threads)


def test_jobs_that_queue_are_waited_for_only_so_long(slurm: Path) -> None:
    (slurm / "queue").touch()
    with pytest.raises(ClusterFailedError, match="has come within 1 s"):
        open_executor(slurm="normal,,1", wait_seconds=1).__enter__()
    assert (slurm / "cancelled").read_text() == "999999\n"
    assert "#SBATCH -A" not in next(slurm.glob("script.*")).read_text()


def test_without_slurm_it_is_said_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pytest.importorskip("dask_jobqueue")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ClusterFailedError, match="no sbatch on this machine"):
        open_executor(slurm="normal,physics,1").__enter__()
