"""The files of the built front end."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

from h5explorer_py.errors import BadRequestError, MissingPackageError

STATIC = Path(__file__).parent / "static"


def built(name: str) -> Path:
    """Return the path of a file of the built front end.

    Raises
    ------
    MissingPackageError
        Where the front end has not been built.
    """
    path = STATIC / name
    if not path.is_file():
        raise MissingPackageError(
            f"The front end is not built: {path} is missing.", action="In a checkout, run: npm run setup"
        )
    return path


@cache
def asset_names() -> dict[str, str]:
    """Return the names of the parts by their roles: ``decoder`` and ``wasm``. A name has a hash of the content."""
    names: dict[str, str] = json.loads(built("assets.json").read_text())
    return names


@cache
def asset_bytes(name: str) -> bytes:
    """Return a part of the front end, gzipped.

    Raises
    ------
    BadRequestError
        Where there is no part of this name: the page is of another version.
    """
    if name not in asset_names().values():
        raise BadRequestError(
            f"This h5explorer has no part {name!r}.", action="Reload the page, so that it fits the kernel."
        )
    return built(f"{name}.gz").read_bytes()
