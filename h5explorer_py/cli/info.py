"""``h5explorer info``: what a data set is and holds."""

from __future__ import annotations

import json
from contextlib import closing
from typing import TYPE_CHECKING, Any

from h5explorer_py.cli.source import add_cache, add_key_columns, add_root, cache_folder, key_columns, moved_to
from h5explorer_py.cli.text import show
from h5explorer_py.sizes import size_text

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

_SHARDS_SHOWN = 5


def add_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command and its options."""
    parser = commands.add_parser(
        "info",
        allow_abbrev=False,
        help="say what a data set is and holds",
        description="Say what a data set is and holds: its rows and columns, its shards as far as they are there, and "
        "what some of its images are. The lookup is gone through once.",
        epilog="Ends with 0; with 1 where it cannot be read.",
    )
    parser.add_argument("path", metavar="PATH", help="a lookup, one shard, or a folder of shards")
    parser.add_argument("--json", action="store_true", help="as JSON")
    add_key_columns(parser)
    add_root(parser)
    add_cache(parser, "where lookups that have been packed are looked for")
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    """Do what the options say; returns 0.

    Raises
    ------
    ExplorerError
        Where the data set cannot be read.
    """
    from h5explorer_py.bulk.inspect import inspected
    from h5explorer_py.dataset import Dataset

    with closing(Dataset(chosen.path, key_columns(chosen), moved_to(chosen))) as dataset:
        root = cache_folder(chosen)
        dataset.rows.use_kept(root)
        facts = inspected(dataset, root)
    if chosen.json:
        print(json.dumps(facts, indent=2))  # noqa: T201
        return 0
    for line in _lines(facts):
        show(line)
    return 0


def _lines(facts: dict[str, Any]) -> Iterator[str]:
    size = sum(file["bytes"] for file in facts["files"])
    yield facts["location"] or facts["name"]
    yield f"  rows: {facts['rows']:,}, of {_counted(facts['filepaths'], 'filepath')}"
    if facts["files"]:
        yield f"  size: {size_text(size)}, in {_counted(len(facts['files']), 'file')}"
    groups = facts["row_groups"]
    if groups:
        yield f"  row groups: {groups['count']:,}, the largest of {_counted(groups['largest_rows'], 'row')}"
    yield f"  packed: {_packed(facts['cache'])}"
    for title, name in (("columns", "columns"), ("columns of the metadata", "metadata_columns")):
        columns = facts[name]
        if columns:
            yield f"{title}:"
            width = max(len(column["name"]) for column in columns)
            yield from (f"  {column['name']:{width}}  {column['type']}" for column in columns)
    yield from _shard_lines(facts["shards"])
    yield from _image_lines(facts["images"])
    yield from facts["notices"]


def _packed(cache: dict[str, Any] | None) -> str:
    if cache is None:
        return "no"
    state = "yes" if cache["whole"] else f"{cache['rows']:,} rows so far"
    stale = "" if cache["current"] else ", of an earlier state of the lookup"
    return f"{state}{stale}, {size_text(cache['bytes'])} in {cache['folder']}"


def _shard_lines(shards: dict[str, Any]) -> Iterator[str]:
    found = shards["found"]
    yield f"shards: {len(found):,} of the {shards['looked_at']:,} looked at are there"
    for shard in found[:_SHARDS_SHOWN]:
        yield f"  {shard['path']}  {size_text(shard['bytes'])}{'' if shard['metadata'] else ', without metadata'}"
    if len(found) > _SHARDS_SHOWN:
        yield f"  ... and {len(found) - _SHARDS_SHOWN:,} more"
    if shards["missing"]:
        yield f"  {shards['missing']}"


def _image_lines(images: dict[str, Any]) -> Iterator[str]:
    yield f"images: {images['read']:,} of the {images['looked_at']:,} looked at can be read"
    if images["formats"]:
        yield "  " + ", ".join(f"{name}: {count:,}" for name, count in images["formats"].items())
    for title, unit in (("bytes", "bytes"), ("widths", "pixels"), ("heights", "pixels")):
        spread = images[title]
        if spread:
            yield f"  {title}: {spread['least']:,} to {spread['most']:,} {unit}, {spread['median']:,} in the middle"
    yield from (f"  {reason}" for reason in images["not_read"])


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
