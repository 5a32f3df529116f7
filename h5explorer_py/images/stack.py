"""Pictures that lie in one array: a data set ``images`` of N × height × width (× 3), as h5manager writes it.

Read in the reader processes only. Their keys are their names, where the file has a data set ``names`` in which none
comes twice; else their numbers, from 0.
"""

from __future__ import annotations

import io
import os
from collections import OrderedDict
from typing import Any

import h5py
import numpy as np
from h5py import h5d

from h5explorer_py.images.encoded import load_filters
from h5explorer_py.images.places import Refusal, plain

_NAME = "images"
_NAMES = "names"
_KEPT = 4
_named: OrderedDict[tuple[str, tuple[int, ...]], dict[str, int]] = OrderedDict()
"""Of the files used last, in one state each, the places of the names; nothing where keys are numbers."""


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
            return _read(_array(file), start, stop, limit)
    except OSError as error:
        raise Refusal("shard_unreadable", why=plain(error)) from error


def stack_keys(path: str, signature: tuple[int, ...]) -> list[str]:
    """List the keys of the pictures.

    Raises
    ------
    Refusal
        As ``read_stack`` does.
    """
    count = int(read_stack(path, 0, 0, 0)[0]["count"])
    return list(_places(path, signature)) or [str(number) for number in range(count)]


def stack_picture(path: str, signature: tuple[int, ...], key: str, limit: int) -> bytes:
    """Return one picture as a PNG.

    Raises
    ------
    Refusal
        As ``read_stack`` does, and where there is no such picture.
    """
    from PIL import Image as pil

    places = _places(path, signature)
    number = places.get(key) if places else int(key) if key.isascii() and key.isdigit() and len(key) < 10 else None
    if number is None:
        raise Refusal("image_not_found")
    facts, data = read_stack(path, number, number + 1, limit)
    if not data:
        raise Refusal("image_not_found")
    _, height, width, *channels = facts["shape"]
    file = io.BytesIO()
    pil.frombytes("RGB" if channels == [3] else "L", (width, height), data).save(file, "PNG", compress_level=1)
    return file.getvalue()


def _array(file: h5py.File) -> Any:
    found = file.get(_NAME, getlink=True)
    if not isinstance(found, h5py.HardLink) or not isinstance(file[_NAME], h5py.Dataset):
        raise Refusal("no_images_group", found=[_NAME] if found is not None else [])
    return file[_NAME]


def _places(path: str, signature: tuple[int, ...]) -> dict[str, int]:
    held = _named.pop((path, signature), None)
    if held is None:
        held = _read_places(path)
    _named[path, signature] = held
    while len(_named) > _KEPT:
        _named.popitem(last=False)
    return held


def _read_places(path: str) -> dict[str, int]:
    with h5py.File(os.path.realpath(path), "r", locking=False) as file:
        count = _array(file).shape[0]
        names = file[_NAMES] if isinstance(file.get(_NAMES, getlink=True), h5py.HardLink) else None
        if not isinstance(names, h5py.Dataset) or not _is_own(names) or names.shape != (count,):
            return {}
        if h5py.check_string_dtype(names.dtype) is None:
            return {}
        texts = [each.decode("utf-8", "replace") for each in names[...]]
        places = {text: number for number, text in enumerate(texts)}
        return places if len(places) == count and "" not in places else {}


def _is_own(dataset: Any) -> bool:
    made = dataset.id.get_create_plist()
    return bool(made.get_external_count() == 0 and made.get_layout() != h5d.VIRTUAL)


def _read(array: Any, start: int, stop: int, limit: int) -> tuple[dict[str, Any], bytes]:
    if not _is_own(array):
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
