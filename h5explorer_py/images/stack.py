"""Pictures that lie in one array: a data set ``images`` of N × height × width (× 3), as h5manager writes it.

Read in the reader processes only.
"""

from __future__ import annotations

import os
from typing import Any

import h5py
import numpy as np

from h5explorer_py.images.encoded import load_filters
from h5explorer_py.images.places import Refusal, plain

_NAME = "images"


def read_stack(path: str, start: int, stop: int, limit: int) -> tuple[dict[str, Any], bytes]:
    """Read some pictures of the array, in 8 bits.

    Parameters
    ----------
    path : str
        The HDF5 file.
    start, stop : int
        Which pictures; those behind the last are left out.
    limit : int
        Bytes of one answer at most.

    Returns
    -------
    facts : dict
        ``count``, how many pictures the array has; ``shape``, of those that were read.
    data : bytes
        Their values, 8 bits each.

    Raises
    ------
    Refusal
        Where there is no such array, or it cannot be read.
    """
    try:
        with h5py.File(os.path.realpath(path), "r", locking=False) as file:
            found = file.get(_NAME, getlink=True)
            if not isinstance(found, h5py.HardLink) or not isinstance(file[_NAME], h5py.Dataset):
                raise Refusal("no_images_group", found=[_NAME] if found is not None else [])
            return _read(file[_NAME], start, stop, limit)
    except OSError as error:
        raise Refusal("shard_unreadable", why=plain(error)) from error


def _read(array: Any, start: int, stop: int, limit: int) -> tuple[dict[str, Any], bytes]:
    if array.is_virtual or array.external:
        raise Refusal("outside_data", target="other files")
    pictures = array.ndim == 3 or (array.ndim == 4 and array.shape[3] in {1, 3})
    if not pictures or array.dtype.kind not in "iub" or 0 in array.shape[1:]:
        raise Refusal("array_not_shown", shape=list(array.shape), dtype=str(array.dtype))
    stop = min(stop, array.shape[0])
    size = max(0, stop - start) * int(np.prod(array.shape[1:]))
    if size * array.dtype.itemsize > limit:
        raise Refusal("too_large", size=size * array.dtype.itemsize, limit=limit)
    missing = load_filters(array.id.get_create_plist())
    if missing:
        raise Refusal("missing_filter", filter=missing[0], name=missing[1])
    values = np.clip(array[start:stop], 0, 255).astype(np.uint8)
    return {"count": array.shape[0], "shape": list(values.shape)}, values.tobytes()
