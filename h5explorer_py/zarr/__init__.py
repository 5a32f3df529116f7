"""Collections of pictures as sharded Zarr stores, with the functions and options of images_to_zarr.

>>> from h5explorer_py.zarr import convert, inspect, display_sample_images
"""

from __future__ import annotations

from h5explorer_py.zarr.convert import convert
from h5explorer_py.zarr.display import display_sample_images
from h5explorer_py.zarr.inspect import inspect
from h5explorer_py.zarr.logs import configure_logging

__all__ = ["configure_logging", "convert", "display_sample_images", "inspect"]
