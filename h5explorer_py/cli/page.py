"""``h5explorer page``: the page that needs no kernel, as a folder of files."""

from __future__ import annotations

import gzip
import json
import os
import shlex
import shutil
from typing import TYPE_CHECKING

from h5explorer_py.cli.source import tell
from h5explorer_py.errors import TargetExistsError

if TYPE_CHECKING:
    import argparse

MANIFEST = "h5explorer-page.json"
_INDEX = "index.html"
_SERVE = """\
Any web server of files can serve it. To see it: python -m http.server --bind 127.0.0.1 --directory {folder}
Dropped files need no more than that. Files at an address are read in parts: their server must know Range requests, as
nginx, Apache, Caddy, S3 and `npx http-server` do, and python -m http.server does not; a server other than the page's
must also allow the page to read them (CORS)."""


def add_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command and its options."""
    parser = commands.add_parser(
        "page",
        allow_abbrev=False,
        help="write the page that needs no kernel, for a web server",
        description="Write a page that shows dropped files, and files at addresses, without Python: a folder of files "
        "for any web server. What is in the folder stays; a page written there before is replaced.",
    )
    parser.add_argument("folder", metavar="DIR", help="the folder to write into")
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    """Do what the options say.

    Raises
    ------
    ExplorerError
        Where the front end is not built, or a file would be replaced that is not of such a page.
    """
    from h5explorer_py.built import built

    folder = os.path.abspath(os.path.expanduser(chosen.folder))
    names = [_INDEX, *json.loads(built("page.json").read_text())["files"]]
    before = _written_before(folder)
    for name in (*names, MANIFEST):
        if name not in before and os.path.lexists(os.path.join(folder, name)):
            raise TargetExistsError(
                f"{os.path.join(folder, name)} is there, and was not written by h5explorer page.",
                action="Name another folder, or move the file away.",
            )
    os.makedirs(folder, exist_ok=True)
    for name in names:
        _copy(name, os.path.join(folder, name))
    for name in before - {*names, MANIFEST}:
        if os.path.isfile(os.path.join(folder, name)):
            os.remove(os.path.join(folder, name))
    with open(os.path.join(folder, MANIFEST), "w", encoding="utf-8") as file:
        json.dump({"files": sorted([*names, MANIFEST])}, file)
    print(os.path.join(folder, _INDEX))  # noqa: T201
    tell(_SERVE.format(folder=shlex.quote(folder)))
    return 0


def _written_before(folder: str) -> set[str]:
    """Return the names of a page that was written into the folder before; only names, nothing that leads elsewhere."""
    try:
        with open(os.path.join(folder, MANIFEST), encoding="utf-8") as file:
            names = json.load(file)["files"]
        return {name for name in names if os.path.basename(name) == name}
    except (OSError, ValueError, KeyError, TypeError):
        return set()


def _copy(name: str, target: str) -> None:
    """Copy a file of the built front end; the package holds the largest gzipped, as the kernel sends it."""
    from h5explorer_py.built import STATIC, built

    if (STATIC / name).is_file():
        shutil.copyfile(STATIC / name, target)
        return
    with gzip.open(built(f"{name}.gz")) as packed, open(target, "wb") as file:
        shutil.copyfileobj(packed, file)
