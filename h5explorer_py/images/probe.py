"""What may make a shard slow or unreadable: how its group is kept, and which filters its images take.

Runs in the reader processes only.
"""

from __future__ import annotations

import os
from typing import Any

import h5py
from h5py import h5d, h5l, h5o

from h5explorer_py.images.encoded import load_filters
from h5explorer_py.images.places import Refusal, plain

_SYMBOL_TABLE = 1 << 0x11
_LOOKED_AT = 16


def probe(path: str) -> dict[str, Any]:
    """Look at a shard.

    Returns
    -------
    dict
        ``members`` of the group ``images``; ``old_style``, whether they are in a symbol table; ``missing``, codes and
        names of filters that the first of them take and that are not there.

    Raises
    ------
    Refusal
        Where it cannot be looked at.
    """
    try:
        with h5py.File(os.path.realpath(path), "r", locking=False) as file:
            group = file["/"].id
            if not group.links.exists(b"images") or group.links.get_info(b"images").type != h5l.TYPE_HARD:
                raise Refusal("no_images_group", found=[])
            images = h5o.open(group, b"images")
            if isinstance(images, h5d.DatasetID):
                return {"members": 1, "old_style": False, "missing": _missing([images])}
            names: list[bytes] = []
            images.links.iterate(lambda name: True if len(names) >= _LOOKED_AT else names.append(name))
            present = h5o.get_info(images).hdr.mesg.present
            found = [h5o.open(images, name) for name in names if images.links.get_info(name).type == h5l.TYPE_HARD]
            return {
                "members": images.get_num_objs(),
                "old_style": bool(present & _SYMBOL_TABLE),
                "missing": _missing([each for each in found if isinstance(each, h5d.DatasetID)]),
            }
    except OSError as error:
        raise Refusal("shard_unreadable", why=plain(error)) from error


def _missing(datasets: list[Any]) -> list[tuple[int, str]]:
    lacking = {load_filters(each.get_create_plist()) for each in datasets}
    return sorted(each for each in lacking if each is not None)
