"""How the file is called that is written."""

from __future__ import annotations

import os

HDF5_SUFFIXES = (".h5", ".hdf5")


def h5_path(path: str) -> str:
    """Return a path with a suffix of HDF5: another suffix is a part of the name, as in ``v1.2_a``."""
    if os.path.splitext(path)[1].lower() in HDF5_SUFFIXES:
        return path
    return f"{path}.h5"
