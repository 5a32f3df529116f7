"""See an image data set kept in sharded HDF5 files from a notebook cell.

``Explorer("lookup.parquet")`` shows three panels: the rows of the lookup, the picture, its metadata.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from h5explorer_py._version import __version__

if TYPE_CHECKING:
    from h5explorer_py.errors import ExplorerError
    from h5explorer_py.images.image import Image
    from h5explorer_py.making.convert import convert
    from h5explorer_py.selection import Selection
    from h5explorer_py.split import SplitDataset, SplitWriter, save_to_split_dataset
    from h5explorer_py.widget import Explorer

__all__ = [
    "Explorer",
    "ExplorerError",
    "Image",
    "Selection",
    "SplitDataset",
    "SplitWriter",
    "__version__",
    "convert",
    "save_to_split_dataset",
]

_HOMES = {
    "Explorer": "h5explorer_py.widget",
    "ExplorerError": "h5explorer_py.errors",
    "Image": "h5explorer_py.images.image",
    "convert": "h5explorer_py.making.convert",
    "Selection": "h5explorer_py.selection",
    "SplitDataset": "h5explorer_py.split",
    "SplitWriter": "h5explorer_py.split",
    "save_to_split_dataset": "h5explorer_py.split",
}


def __getattr__(name: str) -> Any:
    # Imported on first use: the command line and the reader processes need no widget.
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
