"""The environment that this runs in: its packages, and its halves of the explorer."""

from __future__ import annotations

import json
import os
import platform
import re
import sys
from importlib import metadata
from typing import TYPE_CHECKING

from h5explorer_py._version import __version__
from h5explorer_py.doctor.finding import Finding, pip
from h5explorer_py.doctor.places import jupyter_folders

if TYPE_CHECKING:
    from collections.abc import Iterator

_SHOWN_WITH_JUPYTER = {"anywidget": "anywidget", "@jupyter-widgets/jupyterlab-manager": "jupyterlab_widgets"}
_NAME = re.compile(r"[A-Za-z0-9._-]+")
_LEAST = re.compile(r">=\s*([0-9.]+)")


def environment() -> Iterator[Finding]:
    """Look at Python and its packages."""
    yield Finding("Python", "good", f"{platform.python_version()}, {sys.executable}")
    yield Finding("h5explorer", "good", f"{__version__}, {os.path.dirname(os.path.dirname(__file__))}")
    try:
        required = [each for each in metadata.requires("h5explorer") or [] if "extra ==" not in each]
    except metadata.PackageNotFoundError:
        yield Finding("h5explorer", "note", "It is run from its folder and is not installed.", pip("h5explorer"))
        required = []
    for requirement in required:
        found = _NAME.match(requirement)
        least = _LEAST.search(requirement)
        if found is not None:
            yield _package(found[0], least[1] if least else "")
    yield _tornado()
    yield from _front_end()


def _package(name: str, least: str) -> Finding:
    version = _version(name)
    if version is None:
        return Finding(name, "bad", "It is not installed.", pip(name))
    if least and _numbers(version) < _numbers(least):
        return Finding(name, "bad", f"{version} is older than {least}.", pip(f"'{name}>={least}'"))
    return Finding(name, "good", version)


def _tornado() -> Finding:
    version = _version("tornado")
    if version is None:
        return Finding("tornado", "note", "It is not installed: `h5explorer open` needs it.", pip("tornado"))
    return Finding("tornado", "good", f"{version}, for `h5explorer open`")


def _front_end() -> Iterator[Finding]:
    """Look for JupyterLab, and for what it needs to show a widget."""
    lab = _version("jupyterlab")
    if lab is None:
        yield Finding("server half", "note", "JupyterLab is not in this environment: it may be in another.")
        return
    yield Finding("server half", "good", f"JupyterLab {lab}")
    for extension, package in _SHOWN_WITH_JUPYTER.items():
        version = _extension(extension)
        if version is None:
            yield Finding(extension, "bad", "JupyterLab has no such extension: no widget is shown.", pip(package))
        else:
            yield Finding(extension, "good", f"{version}, an extension of JupyterLab")
    own = _extension("h5explorer")
    if own is not None and own != __version__:
        yield Finding("h5explorer", "note", f"Its extension of JupyterLab is {own}.", pip(f"h5explorer=={__version__}"))


def _extension(name: str) -> str | None:
    """Return the version of a prebuilt extension that JupyterLab finds; ``None`` where it finds none."""
    for folder in jupyter_folders():
        try:
            with open(os.path.join(folder, "labextensions", name, "package.json"), encoding="utf-8") as file:
                return str(json.load(file).get("version"))
        except (OSError, ValueError):
            continue
    return None


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _numbers(version: str) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", version.partition("+")[0])[:3]]
