"""``inspect`` as images_to_zarr has it: a summary of a store, printed."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from h5explorer_py.cli.text import visible
from h5explorer_py.zarr.describe import StoreFacts, described_store

if TYPE_CHECKING:
    from collections.abc import Iterator

_RULE = "=" * 80
_SHOWN = 5


def inspect(store: str | os.PathLike[str]) -> None:
    """Print what a store is and holds.

    Parameters
    ----------
    store : path or URL
        Of a store, or of a folder that `convert` has written one into.

    Raises
    ------
    SourceNotFoundError, UnsupportedError
        Where it is no store of pictures.
    """
    for line in summary(described_store(os.fsdecode(store))):
        print(visible(line))  # noqa: T201


def summary(facts: StoreFacts) -> Iterator[str]:
    """Say it line by line."""
    yield _RULE
    yield "SUMMARY STATISTICS"
    yield _RULE
    yield f"Store: {facts.store} (Zarr v{facts.format})"
    yield f"Total images across all files: {facts.images:,}"
    yield f"Total storage size: {facts.bytes / 1e6:,.2f} MB in {facts.files:,} files"
    yield f"Image dimensions: {_shape(facts.shape[1:])}"
    yield f"Data type: {facts.dtype}"
    yield f"Compression: {facts.compression}"
    yield f"Chunks: {_shape(facts.chunks)}"
    kind = "Shards" if facts.shards else "Shards: none; chunks as files"
    left_out = facts.chunk_files_most - facts.chunk_files
    zeros = f", {left_out:,} more hold only zeros" if left_out > 0 else ""
    yield f"{kind}{f': {_shape(facts.shards)}' if facts.shards else ''} ({facts.chunk_files:,} files{zeros})"
    if facts.smallest is not None and facts.greatest is not None:
        yield f"Values of the originals: {facts.smallest:g} to {facts.greatest:g}"
    if facts.appends:
        yield f"Appends: {facts.appends:,}"
    yield f"Metadata: {facts.metadata} ({facts.rows:,} rows)"
    yield from _distribution("Format distribution", facts.formats, facts.images)
    yield from _distribution("Original data type distribution", facts.dtypes, facts.images)
    yield from _distribution("Original size distribution (width × height)", facts.sizes, facts.images)
    if facts.failed:
        yield ""
        yield f"Images that could not be read, which are zeros: {facts.failed:,}"
        for name, error in facts.errors[:_SHOWN]:
            yield f"  {name}: {error}"
        if facts.failed > _SHOWN:
            yield f"  and {facts.failed - _SHOWN:,} more"
    yield from facts.notices
    yield _RULE


def _shape(shape: tuple[int, ...]) -> str:
    return f"({', '.join(map(str, shape))})"


def _distribution(title: str, counts: dict[str, int], total: int) -> Iterator[str]:
    """Say how many there are of each; of those of which it is not known, too, so that the shares add up."""
    if not counts:
        return
    yield ""
    yield f"{title}:"
    unknown = total - sum(counts.values())
    rest = {"unknown": unknown} if unknown > 0 else {}
    shown = list(counts.items())
    if len(shown) > 2 * _SHOWN:
        rest = {f"{len(shown) - _SHOWN:,} others": sum(count for _, count in shown[_SHOWN:]), **rest}
        shown = shown[:_SHOWN]
    for name, count in (*shown, *rest.items()):
        yield f"  {name}: {count:,} ({count / total:.1%})"
