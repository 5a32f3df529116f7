"""Where Jupyter looks for extensions and kernels, told without importing it: it may be in another environment."""

from __future__ import annotations

import os
import sys


def jupyter_folders() -> list[str]:
    """Return the folders of Jupyter's data that are there, the first of which count most."""
    home = os.path.expanduser("~")
    own = os.environ.get("JUPYTER_DATA_DIR") or os.path.join(
        os.environ.get("XDG_DATA_HOME") or os.path.join(home, ".local", "share"), "jupyter"
    )
    if sys.platform == "darwin" and "JUPYTER_DATA_DIR" not in os.environ:
        own = os.path.join(home, "Library", "Jupyter")
    places = [
        *os.environ.get("JUPYTER_PATH", "").split(os.pathsep),
        own,
        os.path.join(sys.prefix, "share", "jupyter"),
        "/usr/local/share/jupyter",
        "/usr/share/jupyter",
    ]
    return [place for place in dict.fromkeys(places) if place and os.path.isdir(place)]
