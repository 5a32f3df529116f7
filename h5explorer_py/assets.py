"""How the larger parts of the front end reach a notebook: gzipped, once, when they are first needed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ipywidgets
import traitlets

from h5explorer_py.built import asset_bytes
from h5explorer_py.dispatch import Dispatcher, Handler
from h5explorer_py.pieces import in_pieces, most_bytes
from h5explorer_py.subshell import answer_beside_cells

if TYPE_CHECKING:
    from h5explorer_py.protocol import Request


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

        self._dispatcher = Dispatcher({"asset": Handler(handle)}, in_pieces(self.send, most_bytes()))
        self.on_msg(lambda _widget, content, buffers: self._dispatcher.receive(content, buffers))


_shared: Assets | None = None


def shared_assets() -> Assets:
    """Return the kernel's one model of assets, made anew should it have been closed."""
    global _shared  # noqa: PLW0603  (one for the kernel)
    if _shared is None or _shared.comm is None:
        _shared = Assets()
    return _shared
