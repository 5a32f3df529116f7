"""What is told of conversions, through Python's logging."""

from __future__ import annotations

import logging

_NAME = "h5explorer"
_handler = logging.StreamHandler()
_handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))


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
    log.removeHandler(_handler)
    log.disabled = not enable
    if enable:
        log.setLevel(level.upper() if isinstance(level, str) else level)
        log.addHandler(_handler)
