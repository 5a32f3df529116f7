"""The kernels that Jupyter offers, and whether each has h5explorer: a notebook's half is in its kernel."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from h5explorer_py._version import __version__
from h5explorer_py.doctor.finding import Finding, pip
from h5explorer_py.doctor.places import jupyter_folders

if TYPE_CHECKING:
    from collections.abc import Iterator

_SECONDS = 30
_BESIDE_CELLS = 7
_ASK = """
import json
from importlib import metadata
try:
    import h5explorer_py
    own = h5explorer_py.__version__
except Exception as error:
    own = None
try:
    kernel = metadata.version("ipykernel")
except metadata.PackageNotFoundError:
    kernel = None
print(json.dumps([own, kernel]))
"""


def kernels() -> Iterator[Finding]:
    """Look at every kernel of Python that Jupyter finds."""
    specs = dict(_specs())
    if not specs:
        yield Finding("kernels", "note", "Jupyter finds none from this environment.", pip("ipykernel"))
    for name, argv in specs.items():
        yield from _kernel(f"kernel {name}", argv)


def _specs() -> Iterator[tuple[str, list[str]]]:
    """Give the names and commands of kernels; of several of one name the one that counts, which stands last."""
    for folder in reversed(jupyter_folders()):
        kept = os.path.join(folder, "kernels")
        for name in sorted(os.listdir(kept)) if os.path.isdir(kept) else []:
            try:
                with open(os.path.join(kept, name, "kernel.json"), encoding="utf-8") as file:
                    spec: Any = json.load(file)
            except (OSError, ValueError):
                continue
            if not isinstance(spec, dict) or spec.get("language") != "python":
                continue
            argv = spec.get("argv")
            if isinstance(argv, list) and argv and all(isinstance(each, str) for each in argv):
                yield name, argv


def _kernel(about: str, argv: list[str]) -> Iterator[Finding]:
    # Jupyter takes a bare name for the Python that the server runs on.
    python = sys.executable if argv[0] in {"python", "python3"} else shutil.which(argv[0])
    if python is None:
        yield Finding(about, "bad", f"{argv[0]} is not there.", f"jupyter kernelspec remove {about.partition(' ')[2]}")
        return
    try:
        done = subprocess.run(  # noqa: S603  (what Jupyter itself starts)
            [python, "-c", _ASK], capture_output=True, timeout=_SECONDS, check=True, text=True, stdin=subprocess.DEVNULL
        )
        own, kernel = json.loads(done.stdout.splitlines()[-1])
    except subprocess.TimeoutExpired:
        yield Finding(about, "bad", f"{python} does not answer within {_SECONDS} s.")
        return
    except (OSError, subprocess.CalledProcessError, ValueError, IndexError):
        yield Finding(about, "bad", f"{python} cannot be run, or is none that Jupyter starts directly.")
        return
    if own is None:
        yield Finding(about, "bad", f"{python} has no h5explorer.", pip("h5explorer", python=python))
    elif own != __version__:
        yield Finding(
            about,
            "note",
            f"{python} has h5explorer {own}, this environment {__version__}.",
            pip(f"h5explorer=={__version__}", python=python),
        )
    else:
        yield Finding(about, "good", f"{python} has h5explorer {own}.")
    if kernel is not None and int(kernel.partition(".")[0]) < _BESIDE_CELLS:
        yield Finding(
            about,
            "note",
            f"With ipykernel {kernel} the explorer waits for running cells.",
            pip("'ipykernel>=7'", python=python),
        )
