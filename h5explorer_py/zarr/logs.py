"""What is told of conversions, through Python's logging."""

from __future__ import annotations

import logging
from typing import TextIO

_NAME = "h5explorer"
_SILENT = logging.CRITICAL + 1
_FORMAT = logging.Formatter("%(asctime)s %(levelname)s %(message)s")


class _Handler(logging.StreamHandler[TextIO]):
    """The one that this module has added."""


def configure_logging(enable: bool = True, level: str | int = "INFO") -> None:  # noqa: FBT001, FBT002
    """Have conversions tell what they do, on the standard error stream.

    Parameters
    ----------
    enable : bool
        Whether to tell anything.
    level : str or int
        From which level on: ``"DEBUG"``, ``"INFO"``, ``"WARNING"``, ``"ERROR"``.

    Raises
    ------
    ValueError
        Where there is no such level.
    """
    log = logging.getLogger(_NAME)
    wanted = level.upper() if isinstance(level, str) else level
    log.setLevel(wanted if enable else _SILENT)
    for handler in [each for each in log.handlers if isinstance(each, _Handler)]:
        log.removeHandler(handler)
    if enable:
        handler = _Handler()  # of the stream that there is now: a notebook has its own
        handler.setFormatter(_FORMAT)
        log.addHandler(handler)
