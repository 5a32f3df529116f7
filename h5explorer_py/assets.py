"""The built front end, and how its larger parts reach the page: gzipped, once, when they are first needed."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ipywidgets
import traitlets

from h5explorer_py.dispatch import Dispatcher, Handler
from h5explorer_py.errors import BadRequestError, MissingPackageError
from h5explorer_py.subshell import answer_beside_cells

if TYPE_CHECKING:
    from h5explorer_py.protocol import Request

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


class Assets(ipywidgets.Widget):
    """The model that all explorers of a kernel share, for the parts of the front end. It has no view."""

    _model_name = traitlets.Unicode("WidgetModel", read_only=True).tag(sync=True)
    _model_module = traitlets.Unicode("@jupyter-widgets/base", read_only=True).tag(sync=True)

    def __init__(self) -> None:
        super().__init__()
        answer_beside_cells(self.comm)

        def handle(request: Request, job: object) -> tuple[dict[str, Any], list[bytes]]:  # noqa: ARG001
            name = str(request.params.get("name"))
            return {"name": name, "encoding": "gzip"}, [asset_bytes(name)]

        self._dispatcher = Dispatcher({"asset": Handler(handle)}, self.send)
        self.on_msg(lambda _widget, content, buffers: self._dispatcher.receive(content, buffers))


_shared: Assets | None = None


def shared_assets() -> Assets:
    """Return the kernel's one model of assets, made anew should it have been closed."""
    global _shared  # noqa: PLW0603  (one for the kernel)
    if _shared is None or _shared.comm is None:
        _shared = Assets()
    return _shared
