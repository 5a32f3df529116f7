"""Answering the page while a cell runs.

JupyterLab 4.4 and later send a widget's messages to a subshell of ipykernel 7, which runs beside the cells. But
ipykernel holds a comm to the subshell that published on it last, whatever the page's message says: the first message
after creation, and any after a running cell has set a trait, would wait for the cell to end.
"""

from __future__ import annotations

from typing import Any


def answer_beside_cells(comm: Any) -> None:
    """Have a comm's messages go to the subshell that the page asks for.

    This replaces a private method of ipykernel 7. Where there is none (older kernels, other kernels, no kernel), the
    comm is left as it is.
    """
    if callable(getattr(comm, "_reply_subshell_for", None)):
        comm._reply_subshell_for = _as_the_page_says  # noqa: SLF001


def _as_the_page_says(data: Any, default: Any) -> Any:  # noqa: ARG001
    return default
