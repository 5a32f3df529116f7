"""The files of the page: a list of names that is made at the start, beyond which nothing is served."""

from __future__ import annotations

import gzip
import os
from dataclasses import dataclass

from h5explorer_py.built import STATIC, built

_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".wasm": "application/wasm",
}
_PAGE = "index.html"
_BESIDE = 'name="h5explorer-server" content=""'
_BESIDE_US = 'name="h5explorer-server" content="socket"'


@dataclass(frozen=True)
class StaticFile:
    """A part of the page.

    Attributes
    ----------
    media_type : str
        What it is.
    packed : bytes
        Its content, gzipped.
    """

    media_type: str
    packed: bytes

    @property
    def plain(self) -> bytes:
        """Its content."""
        return gzip.decompress(self.packed)


def page_files() -> dict[str, StaticFile]:
    """Return the parts of the page by their names, each of which has a hash of its content.

    Raises
    ------
    MissingPackageError
        Where the front end has not been built.
    """
    built(_PAGE)
    names = [name.removesuffix(".gz") for name in os.listdir(STATIC) if name.endswith(".gz")]
    kinds = {name: _TYPES.get(os.path.splitext(name)[1]) for name in names}
    return {name: StaticFile(kind, built(f"{name}.gz").read_bytes()) for name, kind in kinds.items() if kind}


def page() -> bytes:
    """Return the page itself, told that there is a server beside it.

    Raises
    ------
    MissingPackageError
        Where the front end has not been built.
    """
    return built(_PAGE).read_text(encoding="utf-8").replace(_BESIDE, _BESIDE_US).encode()
