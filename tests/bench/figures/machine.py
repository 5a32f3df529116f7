"""What the figures were taken on, and when."""

from __future__ import annotations

import datetime as dt
import os
import platform
from importlib.metadata import version

LIBRARIES = ("pyarrow", "duckdb", "numpy", "h5py", "pandas", "polars")


def described() -> str:
    """Return the date, the machine and the versions of the libraries, as a sentence."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    libraries = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    today = dt.datetime.now().astimezone().date().isoformat()
    system = f"{platform.system()} {platform.release()} {platform.machine()}"
    python = platform.python_version()
    return f"{today}, {cores} cores, {memory:.0f} GiB of memory, {system}, Python {python}, {libraries}."


def load() -> str:
    """Return how busy the machine is: the load of the last minute."""
    return f"{os.getloadavg()[0]:.1f}"
