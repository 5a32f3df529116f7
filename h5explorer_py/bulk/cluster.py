"""Where bulk jobs are done: in processes of this machine, or by a Dask cluster where one machine is not enough."""

from __future__ import annotations

import asyncio
import contextlib
import os
import pkgutil
import re
import shutil
import tempfile
import time
from concurrent.futures import Executor, ThreadPoolExecutor
from importlib import import_module
from typing import TYPE_CHECKING, Any

from h5explorer_py._version import __version__
from h5explorer_py.bulk.cluster_executor import ClusterExecutor
from h5explorer_py.bulk.workers import Workers
from h5explorer_py.errors import BadRequestError, ClusterFailedError, MissingPackageError
from h5explorer_py.jobs import processors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MOST_WORKERS = 16
"""Local processes, unless more are asked for: a file system is seldom faster for more."""

CONNECT_SECONDS = 8
WAIT_SECONDS = 600.0
_LOOK_SECONDS = 0.2
_VERSION_SECONDS = 30
_MODULE = __name__.partition(".")[0]
_MOST_NODES = 10_000
_GIB_EACH = 4
_NAME = re.compile(r"[\w.@+:-]+", re.ASCII)
_SLURM = "slurm takes QUEUE,ACCOUNT,NODES, as in normal,physics,4; the account may be left empty."


@contextlib.contextmanager
def open_executor(
    *,
    workers: int | None = None,
    scheduler: str | object | None = None,
    slurm: str | None = None,
    wait_seconds: float = WAIT_SECONDS,
    give_up: Callable[[], None] = lambda: None,
) -> Iterator[Executor]:
    """Open what a bulk job is done on, for :func:`h5explorer_py.bulk.running.run`.

    Parameters
    ----------
    workers : int, optional
        How many processes of this machine. As many as the processors that this process may use, up to 16, where
        nothing is said.
    scheduler : str, Client, Cluster or Executor, optional
        The address of a Dask scheduler, a client or cluster of ``distributed``, or any executor. What was given open
        stays open. Workers with several threads do several tasks at a time in one process; for files in HDF5, workers
        with one thread each are faster.
    slurm : str, optional
        Queue, account and number of nodes, with commas between: jobs are sent to SLURM through ``dask-jobqueue``, and
        cancelled at the end. What else there is to say about them is in its configuration (``jobqueue.slurm``); where
        that says nothing, a job takes as many processors as this process may use, up to 16, with 4 GiB each. The
        connections are encrypted; their keys lie in its ``shared-temp-directory``, or else the home folder.
    wait_seconds : float
        How long to wait for the first worker of a cluster, which may have to queue. More may come later.
    give_up : callable
        Called while workers are waited for; raises to end that.

    Raises
    ------
    BadRequestError
        Where more than one is given, or one cannot be understood.
    MissingPackageError
        Where a package for clusters is not installed.
    ClusterFailedError
        Where the cluster cannot be reached, gets no worker, or has other versions of h5explorer.
    """
    if sum(given is not None for given in (workers, scheduler, slurm)) > 1:
        raise BadRequestError("Only one of workers, scheduler and slurm can be given.")
    with contextlib.ExitStack() as held:
        if isinstance(scheduler, Executor):
            yield scheduler
        elif scheduler is None and slurm is None:
            yield held.enter_context(Workers(min(processors(), MOST_WORKERS) if workers is None else workers))
        else:
            cluster = scheduler if slurm is None else held.enter_context(_slurm(slurm))
            client = _client(cluster, held)
            _wait_for_a_worker(client, wait_seconds, give_up)
            _check_versions(client)
            yield ClusterExecutor(client)


def _client(scheduler: Any, held: contextlib.ExitStack) -> Any:
    """Return a client, which is closed with the others where it has been made here."""
    distributed = _package("distributed")
    if isinstance(scheduler, distributed.Client):
        if scheduler.asynchronous:
            raise BadRequestError("An asynchronous client cannot be used.", action="Give the scheduler's address.")
        return scheduler
    if not isinstance(scheduler, str | distributed.deploy.Cluster):
        raise BadRequestError(
            f"A scheduler is an address as tcp://host:8786, a client, a cluster or an executor, not {scheduler!r:.100}."
        )
    try:
        if isinstance(scheduler, str):
            with ThreadPoolExecutor(1) as thread:  # this one may be that of a loop
                thread.submit(asyncio.run, _knock(scheduler)).result()
        client = distributed.Client(scheduler, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError, RuntimeError, TypeError) as error:
        where = scheduler if isinstance(scheduler, str) else scheduler.scheduler_address
        raise ClusterFailedError(
            f"The scheduler {where} cannot be reached.",
            action="Is it running, and is the address right? It is like tcp://host:8786.",
            reason=f"{type(error).__name__}: {error}",
        ) from error
    held.callback(_quietly, client.close)
    return client


async def _knock(address: str) -> None:
    """See whether a scheduler answers: a client would wait for ever for one that takes the connection and is silent."""
    distributed = import_module("distributed")
    options = distributed.Security().get_connection_args("client")
    comm = await asyncio.wait_for(distributed.comm.connect(address, CONNECT_SECONDS, **options), CONNECT_SECONDS)
    await comm.close()


def _wait_for_a_worker(client: Any, seconds: float, give_up: Callable[[], None]) -> None:
    """Wait until a cluster has a worker; one that grows with its tasks is given one."""
    deadline = time.monotonic() + seconds
    asked = None
    try:
        while not client.scheduler_info(n_workers=-1)["workers"]:
            asked = asked or client.submit(os.getpid, pure=False)
            give_up()
            if client.status != "running" or time.monotonic() > deadline:
                raise ClusterFailedError(
                    f"No worker of the cluster has come within {seconds:g} s.",
                    action="Its jobs may still queue, or fail: squeue and their logs can tell. Or start workers.",
                )
            time.sleep(_LOOK_SECONDS)
    finally:
        if asked is not None:
            _quietly(asked.cancel)


def _check_versions(client: Any) -> None:
    """Refuse workers that have another version of this package, or none; each task looks again, as workers may come.

    Raises
    ------
    ClusterFailedError
    """
    try:
        # A function of the standard library: one of this package could not be sent to where it is not installed.
        versions = client.run(
            pkgutil.resolve_name, f"{_MODULE}:__version__", on_error="return", callback_timeout=_VERSION_SECONDS
        )
    except (OSError, RuntimeError, ValueError) as error:  # TimeoutError is an OSError
        raise ClusterFailedError(
            f"The workers of the cluster do not answer within {_VERSION_SECONDS} s.",
            reason=f"{type(error).__name__}: {error}",
        ) from error
    for worker, version in versions.items():
        if version == __version__:
            continue
        if isinstance(version, BaseException):
            problem = f"The worker {worker} cannot import h5explorer: {version}."
        else:
            problem = f"The worker {worker} has h5explorer {version}, and not {__version__} as this process has."
        raise ClusterFailedError(problem, action=f'Install it there: pip install "h5explorer=={__version__}"')


@contextlib.contextmanager
def _slurm(text: str) -> Iterator[Any]:
    """Start a cluster whose workers are jobs of SLURM."""
    queue, account, nodes = _parts(text)
    jobqueue = _package("dask_jobqueue")
    _package("cryptography")
    dask = _package("dask")
    if shutil.which("sbatch") is None:
        raise ClusterFailedError(
            "There is no sbatch on this machine, which sends jobs to SLURM.", action="Run this on a login node."
        )
    configured = {name: dask.config.get(f"jobqueue.slurm.{name}", None) for name in ("cores", "processes", "memory")}
    shared = dask.config.get("jobqueue.slurm.shared-temp-directory", None) or "~"
    cores = configured["cores"] or min(processors(), MOST_WORKERS)
    with contextlib.ExitStack() as held:
        try:
            cluster = jobqueue.SLURMCluster(
                queue=queue,
                account=account or None,
                cores=cores,
                processes=configured["processes"] or cores,  # HDF5 does one thing at a time in a process
                memory=configured["memory"] or f"{cores * _GIB_EACH}GiB",
                security=held.enter_context(_encryption(shared)),
                scheduler_options={
                    "dashboard": False,
                    "dashboard_address": "127.0.0.1:0",
                    **dask.config.get("jobqueue.slurm.scheduler-options", {}),
                },
            )
            held.callback(_quietly, lambda: _close(cluster))
            cluster.sync(_send_jobs, cluster, nodes)
        except (OSError, ValueError, RuntimeError) as error:
            raise ClusterFailedError(
                f"SLURM took no job: {_said(error)}.", action="Are the queue and the account right? sinfo lists queues."
            ) from error
        yield cluster


@contextlib.contextmanager
def _encryption(shared: str) -> Iterator[Any]:
    """Make keys for this run alone, in a folder that the jobs see and other people do not."""
    security = _package("distributed").Security
    made = security.temporary().get_tls_config_for_role("worker")
    with tempfile.TemporaryDirectory(prefix=".h5explorer-", dir=os.path.expanduser(os.path.expandvars(shared))) as here:
        files = {name: os.path.join(here, name) for name in ("ca_file", "cert", "key")}
        for name, path in files.items():
            with open(path, "w", encoding="ascii") as file:
                file.write(made[name])
        roles = {
            f"tls_{role}_{name}": files[name] for role in ("scheduler", "worker", "client") for name in ("cert", "key")
        }
        yield security(require_encryption=True, tls_ca_file=files["ca_file"], **roles)


async def _send_jobs(cluster: Any, nodes: int) -> None:
    cluster.scale(jobs=nodes)
    await cluster
    if any(job.job_id is None for job in cluster.workers.values()):
        raise RuntimeError("it gave no reason")


def _close(cluster: Any) -> None:
    """Cancel the jobs, and end the scheduler."""
    for job in cluster.workers.values():  # they never say so themselves, and the cluster stumbles over it
        job.status = import_module("distributed").Status.closed
    cluster.close()


def _parts(text: str) -> tuple[str, str, int]:
    parts = [part.strip() for part in text.split(",")]
    if len(parts) != 3 or not parts[2].isdecimal() or not 1 <= int(parts[2][:9]) <= _MOST_NODES:
        raise BadRequestError(_SLURM)
    queue, account, nodes = parts
    if not _NAME.fullmatch(queue) or not (account == "" or _NAME.fullmatch(account)):
        raise BadRequestError(_SLURM)  # they come to stand in a script
    return queue, account, int(nodes)


def _said(error: BaseException) -> str:
    """Return the last line of what a command said, which an error of ``dask-jobqueue`` holds, or the error."""
    _, _, said = str(error).partition("stderr:")
    lines = [line.strip() for line in (said or str(error)).splitlines() if line.strip()]
    return lines[-1].rstrip(".")[:300] if lines else type(error).__name__


def _package(name: str) -> Any:
    """Import an optional package.

    Raises
    ------
    MissingPackageError
    """
    try:
        return import_module(name)
    except ImportError as error:
        raise MissingPackageError(
            f"The package {name.replace('_', '-')} is needed to work on a cluster, and cannot be imported.",
            action='Run: pip install "h5explorer[cluster]"',
        ) from error


def _quietly(close: Callable[[], object]) -> None:
    with contextlib.suppress(Exception):  # what it belongs to may be gone
        close()
