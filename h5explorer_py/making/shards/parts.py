"""Which pictures go to which shard: decided by their number and sizes alone, never by who writes them."""

from __future__ import annotations

import os
from collections import Counter
from typing import TYPE_CHECKING

from h5explorer_py.bulk.shard_writer import BYTES_PER_SHARD, IMAGES_PER_SHARD

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from h5explorer_py.making.items import Item

SHARDS_WANTED = 32
"""So many tasks keep many workers busy to the end; more would be many small files."""

_LEAST_IMAGES = 512
_LEAST_BYTES = 256 << 20
_LOOK = 1_024


def sizes_of(items: Sequence[Item], give_up: Callable[[], None]) -> list[int]:
    """Return the sizes of files in bytes; 0 where one cannot be looked at, which shows again when it is read.

    Pictures of a store have equal parts of it.
    """
    sizes = []
    shared = Counter(item.path for item in items if item.inside is not None)
    for number, item in enumerate(items):
        if number % _LOOK == 0:
            give_up()
        try:
            sizes.append(os.stat(item.path).st_size // (shared[item.path] or 1))
        except (OSError, ValueError):
            sizes.append(0)
    return sizes


def limits(sizes: Sequence[int], images: int | None, most_bytes: int | None) -> tuple[int, int]:
    """Return how many images and bytes a shard has at most, where that is not given.

    So few that there are 32 shards, but at least 512 images, and at least 256 MiB; not more than 10,000, and 4 GiB.
    """
    wanted = -(-len(sizes) // SHARDS_WANTED)
    wanted_bytes = -(-sum(sizes) // SHARDS_WANTED)
    return (
        min(max(wanted, _LEAST_IMAGES), IMAGES_PER_SHARD) if images is None else images,
        min(max(wanted_bytes, _LEAST_BYTES), BYTES_PER_SHARD) if most_bytes is None else most_bytes,
    )


def parts(sizes: Sequence[int], images: int, most_bytes: int) -> Iterator[range]:
    """Part pictures in their order: each part has at most so many, and so many bytes if it has more than one."""
    start = held = 0
    for number, size in enumerate(sizes):
        if number > start and (number - start >= images or held + size > most_bytes):
            yield range(start, number)
            start, held = number, 0
        held += size
    if start < len(sizes):
        yield range(start, len(sizes))
