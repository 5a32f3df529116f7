"""HDF5: the filters that are there, and what is amiss in a shard."""

from __future__ import annotations

import glob
import os
from importlib import metadata
from importlib.util import find_spec
from typing import TYPE_CHECKING

from h5explorer_py.doctor.finding import Finding, pip
from h5explorer_py.errors import ExplorerError
from h5explorer_py.images.readers import reader_pool
from h5explorer_py.shards import HDF5_SUFFIXES, IMAGES_SUFFIX

if TYPE_CHECKING:
    from collections.abc import Iterator

WIDE = 100_000
"""Members from which on a group of the old style is slow to open."""


def filters() -> Finding:
    """Look for the filters of hdf5plugin."""
    found = find_spec("hdf5plugin")
    if found is None or found.origin is None:
        return Finding("HDF5 filters", "bad", "hdf5plugin is not installed.", pip("hdf5plugin"))
    plugins = glob.glob(os.path.join(os.path.dirname(found.origin), "plugins", "libh5*"))
    names = sorted(os.path.basename(each).removeprefix("libh5").partition(".")[0] for each in plugins)
    if not names:
        return Finding("HDF5 filters", "bad", "hdf5plugin has none.", pip("--force-reinstall", "hdf5plugin"))
    version = metadata.version("hdf5plugin")
    return Finding("HDF5 filters", "good", f"{', '.join(names)} (hdf5plugin {version})")


def a_shard(path: str) -> str | None:
    """Return a shard: the path itself, or the first of a folder, or the one of a lookup's first row."""
    if path.endswith(HDF5_SUFFIXES):
        return path
    if os.path.isdir(path):
        names = sorted(os.listdir(path))
        shards = [each for each in names if each.endswith(IMAGES_SUFFIX)] or [
            each for each in names if each.endswith(HDF5_SUFFIXES)
        ]
        return os.path.join(path, shards[0]) if shards else None
    from h5explorer_py.dataset import Dataset
    from h5explorer_py.moved import sought_in
    from h5explorer_py.options import KeyColumns

    dataset = Dataset(path, KeyColumns())
    try:
        return next((each.images for each in sought_in(dataset, lambda: None)), None)
    finally:
        dataset.close()


def shard(path: str) -> Iterator[Finding]:
    """Look at a shard."""
    name = os.path.basename(path)
    try:
        found = reader_pool().probe(path)
    except ExplorerError as error:
        yield Finding("shard", "bad", error.message, error.action)
        return
    for code, filter_name in found["missing"]:
        text = f"{name} takes the HDF5 filter {filter_name or 'without a name'} ({code}), which is not there."
        yield Finding("shard", "bad", text, pip("--upgrade", "hdf5plugin"))
    members = found["members"]
    if found["old_style"] and members > WIDE:
        text = f"{name} keeps {members:,} images in one group of the old style: each costs many reads the first time."
        command = f"h5explorer extract {path} {os.path.splitext(path)[0]}_again --images-per-shard 10000"
        yield Finding("shard", "note", text, command)
    else:
        yield Finding("shard", "good", f"{name}: {members:,} images")
