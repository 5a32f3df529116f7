"""What the tabs of JupyterLab's file browser ask of their kernels.

A tab has a kernel of its own and calls :func:`open_tab` there, in an expression whose value it is told.
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
from typing import TYPE_CHECKING, Any

import traitlets

from h5explorer_py._version import __version__
from h5explorer_py.errors import ExplorerError, LookupNotFoundError, WrongColumnsError
from h5explorer_py.files import shorten

if TYPE_CHECKING:
    from h5explorer_py.widget import Explorer

VERSION = 1
"""The version of what is asked and answered here: the twin of the one in ``src/lab/python.ts``."""

_RESTORE_SECONDS = 20.0
"""How long a tab waits for the filter that it had: until then, it would show other rows."""

_NO_NAMES = "A tab cannot be told the names of columns: make the Explorer in a cell of a notebook."

_tabs: dict[str, Explorer] = {}


class Reply:
    """What a tab is told, as JSON.

    Parameters
    ----------
    fields : dict
        What to tell.
    """

    def __init__(self, fields: dict[str, Any]) -> None:
        self.fields = fields

    def _repr_json_(self) -> dict[str, Any]:
        return {**self.fields, "version": VERSION, "package": __version__}


def open_tab(request: str) -> Reply:
    """Make the explorer of a tab, or find it: a page that is loaded again meets the explorer that it had.

    Parameters
    ----------
    request : str
        JSON: ``version``, the extension's :data:`VERSION`; ``path`` of the file below the server's folder ``root``;
        ``cache``, ``cacheLimit``, ``look``; and what is to be shown as it was, ``filter``, ``sort`` and ``row``.

    Returns
    -------
    Reply
        ``model``, the name of the explorer's model; or ``error`` with ``message`` and ``action``. An extension of
        another version is told no more than the version here.
    """
    wish = json.loads(request)
    if wish.get("version") != VERSION:
        return Reply({})
    try:
        path = find_file(str(wish["root"]), str(wish["path"]))
        explorer = _tabs.get(path)
        if explorer is None or explorer.comm is None:
            explorer = _tabs[path] = _make(path, wish)
        else:
            explorer.take_look(wish.get("look") or {})
    except ExplorerError as error:
        action = f"{error.action} {_NO_NAMES}" if isinstance(error, WrongColumnsError) else error.action
        return Reply({"error": {"code": error.code, "message": error.message, "action": action}})
    return Reply({"model": explorer.model_id})


def find_file(root: str, path: str) -> str:
    """Return where a file of the file browser is.

    Parameters
    ----------
    root : str
        The server's folder, as it tells the page: it may begin with ``~``, and is empty where it is not told.
    path : str
        The file, from there.

    Raises
    ------
    LookupNotFoundError
        Where this kernel sees no such file: neither there nor, as a kernel begins in the folder of its file, here.
    """
    there = os.path.abspath(os.path.join(os.path.expanduser(root), path))
    here = os.path.abspath(os.path.basename(path))
    for place in (there, here) if root else (here,):
        if os.path.exists(place):
            return place
    raise LookupNotFoundError(
        f"This kernel sees no {shorten(there if root else here)}.",
        action="If kernels run on another machine than JupyterLab, that machine needs the same folders.",
    )


def _make(path: str, wish: dict[str, Any]) -> Explorer:
    from h5explorer_py.widget import Explorer

    explorer = Explorer(path, height="100%", cache=wish.get("cache", True), cache_limit=wish.get("cacheLimit"))
    explorer.take_look(wish.get("look") or {})
    restoring = threading.Thread(target=_restore, args=(explorer, wish), name="h5explorer-restoring", daemon=True)
    restoring.start()
    restoring.join(_RESTORE_SECONDS)
    return explorer


def _restore(explorer: Explorer, wish: dict[str, Any]) -> None:
    """Show what was shown, as far as the file still has it."""
    with contextlib.suppress(ExplorerError, traitlets.TraitError):  # the file has changed: a column or row is gone
        explorer.show_again(wish)
