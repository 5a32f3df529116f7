"""A measurement in a process of its own, so that its peak of memory is its own and nothing is warm but the files.

``python -m tests.bench.figures.alone module:function '{"argument": value}'`` prints what was measured as JSON.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

ROOT = Path(__file__).resolve().parents[3]


@dataclass
class Measured:
    """What one run of one way has come to.

    Attributes
    ----------
    values : dict
        Seconds, megabytes or counts, by what they are of.
    answer : Any
        What all ways must agree on, as JSON holds it.
    peak : float
        The most memory that the process had, in megabytes (10⁶ bytes).
    """

    values: dict[str, float]
    answer: Any = None
    peak: float = field(default=0.0)


class FailedError(Exception):
    """A measurement could not be made."""


def measure_alone(
    function: Callable[..., Measured], given: Mapping[str, Any], environment: Mapping[str, str] | None = None
) -> Measured:
    """Run a function of a module in a fresh interpreter, and return what it returns there.

    Raises
    ------
    FailedError
        Where it ends with an error.
    """
    name = f"{function.__module__}:{function.__name__}"
    command = [sys.executable, "-m", "tests.bench.figures.alone", name, json.dumps(given)]
    path = os.pathsep.join(part for part in (str(ROOT), os.environ.get("PYTHONPATH")) if part)
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": path, **(environment or {})},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise FailedError(f"{name} {given} ended with {done.returncode}: {done.stderr[-2000:]}")
    found = json.loads(done.stdout.splitlines()[-1])
    return Measured(found["values"], found["answer"], found["peak"])


def peak_megabytes() -> float:
    """Return the most memory that this process has had so far."""
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii")
    except OSError:
        import resource

        used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return used / 1e6 if sys.platform == "darwin" else used * 1024 / 1e6
    return int(status.split("VmHWM:")[1].split()[0]) * 1024 / 1e6


def read_calls() -> float:
    """Count the read calls of this process so far, as Linux does; not a number elsewhere."""
    try:
        text = Path("/proc/self/io").read_text(encoding="ascii")
    except OSError:
        return float("nan")
    return float(text.split("syscr: ")[1].split()[0])


def reads_of(work: Callable[..., object], *given: object) -> float:
    """Count the read calls of a piece of work."""
    before = read_calls()
    counting = read_calls() - before
    before = read_calls()
    work(*given)
    return read_calls() - before - counting


def digest(value: object) -> str:
    """Return a short text that is the same for the same value only."""
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()[:16]


def main() -> None:
    module, _, name = sys.argv[1].partition(":")
    measured: Measured = getattr(importlib.import_module(module), name)(**json.loads(sys.argv[2]))
    print(json.dumps({"values": measured.values, "answer": measured.answer, "peak": peak_megabytes()}), flush=True)


if __name__ == "__main__":
    main()
