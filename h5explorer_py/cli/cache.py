"""``h5explorer cache``: the lookups that have been packed, so that all their rows and uuids are found at once."""

from __future__ import annotations

import json
import os
import shutil
import time
from contextlib import closing, suppress
from datetime import UTC, datetime
from threading import Thread
from typing import TYPE_CHECKING

from h5explorer_py.cli.progress import Line
from h5explorer_py.cli.source import (
    add_cache,
    add_cache_limit,
    add_key_columns,
    cache_folder,
    key_columns,
    not_understood,
    tell,
)
from h5explorer_py.cli.text import show, visible
from h5explorer_py.sizes import size_text

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from h5explorer_py.lookup.packed.preparation import Preparation
    from h5explorer_py.lookup.packed.progress import Progress
    from h5explorer_py.lookup.packed.store import Kept

_INTERRUPTED = 130
_LOOK_SECONDS = 0.2
_COLUMNS = ("lookup", "rows", "packed", "size", "last used", "state", "folder")
_TO_THE_RIGHT = {"rows", "packed", "size"}


def add_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command and its options."""
    parser = commands.add_parser(
        "cache",
        allow_abbrev=False,
        help="list, clear or build what is kept of lookups",
        description="Large lookups are packed into a cache, 36 bytes a row, so that any row and any uuid is found at "
        "once. All of it can be made again.",
    )
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    where = "the folder of the cache"

    listing = actions.add_parser("list", allow_abbrev=False, help="show what is kept, what was used last first")
    listing.add_argument("--json", action="store_true", help="as JSON")
    add_cache(listing, where)
    listing.set_defaults(run=_list)

    clearing = actions.add_parser(
        "clear",
        allow_abbrev=False,
        help="remove what is kept",
        description="Remove what is kept of lookups. No lookup and no image is touched.",
        epilog="Ends with 0; with 1 where something stays: it is just being packed, or cannot be removed.",
    )
    clearing.add_argument("lookups", metavar="LOOKUP", nargs="*", help="of these lookups")
    clearing.add_argument(
        "--stale", action="store_true", help="of lookups that have changed since, or are gone; old temporary files too"
    )
    clearing.add_argument("--all", action="store_true", help="of all lookups; old temporary files too")
    add_cache(clearing, where)
    clearing.set_defaults(run=_clear)

    building = actions.add_parser(
        "build",
        allow_abbrev=False,
        help="pack a lookup now",
        description="Pack a lookup now, as in a batch job. What has been packed before is gone on with.",
        epilog="Ends with 0; with 1 where it failed; with 130 where it was interrupted: what has been packed is kept.",
    )
    building.add_argument("lookup", metavar="LOOKUP", help="a lookup")
    add_key_columns(building)
    add_cache(building, where)
    add_cache_limit(building)
    building.set_defaults(run=_build)


# List


def _list(chosen: argparse.Namespace) -> int:
    from h5explorer_py.lookup.packed.room import usual_limit
    from h5explorer_py.lookup.packed.store import kept_lookups

    root = cache_folder(chosen)
    limit = usual_limit()
    kept = kept_lookups(root)
    total = sum(each.bytes for each in kept)
    if chosen.json:
        lookups = [_as_json(each) for each in kept]
        print(json.dumps({"root": root, "bytes": total, "limit": limit, "lookups": lookups}, indent=2))  # noqa: T201
        return 0
    if kept:
        _print_table([_COLUMNS, *map(_cells, kept)])
    of_all = "" if limit is None else f" of {size_text(limit)}"
    show(f"{_counted(len(kept))}, {size_text(total)}{of_all}, in {root}")
    return 0


def _as_json(kept: Kept) -> dict[str, object]:
    return {
        "lookup": kept.lookup,
        "files": kept.files,
        "rows": kept.lookup_rows,
        "packed_rows": kept.rows,
        "packed": _how_far(kept),
        "bytes": kept.bytes,
        "used": datetime.fromtimestamp(kept.used, UTC).isoformat(timespec="seconds"),
        "current": kept.current,
        "folder": kept.folder,
    }


def _cells(kept: Kept) -> tuple[str, ...]:
    more = f" and {kept.files - 1:,} more" if kept.files > 1 else ""
    used = time.strftime("%Y-%m-%d %H:%M", time.localtime(kept.used))
    state = "current" if kept.current else "stale"
    name = kept.lookup or "(unknown)"
    return name + more, f"{kept.lookup_rows:,}", _how_far(kept), size_text(kept.bytes), used, state, kept.folder


def _how_far(kept: Kept) -> str:
    """Say how far a lookup has been packed: ``ready``, ``packing``, ``not indexed``, or how much of it."""
    from h5explorer_py.errors import ExplorerError
    from h5explorer_py.lookup.packed.claim import Claim
    from h5explorer_py.lookup.packed.layout import Header
    from h5explorer_py.lookup.packed.packed import PackedLookup

    if Claim(kept.folder).is_held:
        return "packing"
    header = Header.read(kept.folder)
    if header is None or not header.lookup_rows:
        return "unknown"
    if not header.whole:
        return f"{int(100 * header.rows / header.lookup_rows)}%"
    with suppress(ExplorerError, OSError, ValueError):
        PackedLookup(kept.folder, header).close()
        return "ready"
    return "not indexed"


def _print_table(rows: Sequence[Sequence[str]]) -> None:
    table = [[visible(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for row in table:
        cells = [
            cell.rjust(width) if name in _TO_THE_RIGHT else cell.ljust(width)
            for name, cell, width in zip(_COLUMNS, row, widths, strict=True)
        ]
        show("  ".join(cells).rstrip())


def _counted(count: int) -> str:
    return f"{count:,} lookup{'' if count == 1 else 's'}"


# Clear


def _clear(chosen: argparse.Namespace) -> int:
    from h5explorer_py.lookup.packed.store import kept_lookups
    from h5explorer_py.scratch import left_behind

    if not (chosen.lookups or chosen.stale or chosen.all):
        not_understood("Name lookups, or say --stale or --all. `h5explorer cache list` shows what is kept.")
    root = cache_folder(chosen)
    kept = kept_lookups(root)
    wanted = [each for each in kept if chosen.all or (chosen.stale and not each.current)]
    missing = []
    for name in chosen.lookups:
        found = [each for each in kept if _is_of(each, name)]
        wanted += [each for each in found if each not in wanted]
        if not found:
            missing.append(name)
    removed = [each for each in wanted if _remove(each)]
    old = left_behind(root) if chosen.all or chosen.stale else []
    gone = sum(1 for path in old if _remove_path(path))
    temporary = f" Old temporary files: {gone:,}." if gone else ""
    tell(f"Removed: {_counted(len(removed))}, {size_text(sum(each.bytes for each in removed))}.{temporary}")
    for name in missing:
        tell(f"Nothing is kept of {visible(name)}.")
    return int(len(removed) < len(wanted) or gone < len(old) or bool(missing))


def _is_of(kept: Kept, name: str) -> bool:
    """Whether something is kept of what a person names: a lookup, a folder of shards, or the folder in the cache."""
    from h5explorer_py.lookup.packed.layout import Header
    from h5explorer_py.shards import METADATA_SUFFIX

    path = os.path.abspath(os.path.expanduser(name))
    header = Header.read(kept.folder)
    files = [os.path.abspath(file) for file, _ in header.sources] if header else []
    of_shards = {os.path.dirname(file) for file in files if file.endswith(METADATA_SUFFIX)}
    return path == os.path.abspath(kept.folder) or path in files or path in of_shards


def _remove(kept: Kept) -> bool:
    from h5explorer_py.lookup.packed.claim import Claim
    from h5explorer_py.lookup.packed.store import remove

    if remove(kept):
        show(kept.folder)
        return True
    reason = "it is just being packed" if Claim(kept.folder).is_held else "it cannot be removed"
    tell(f"{visible(kept.folder)} stays: {reason}.")
    return False


def _remove_path(path: str) -> bool:
    try:
        if os.path.isdir(path) and not os.path.islink(path):
            shutil.rmtree(path)
        else:
            os.unlink(path)
    except FileNotFoundError:
        return True
    except OSError:
        tell(f"{visible(path)} stays: it cannot be removed.")
        return False
    return True


# Build


def _build(chosen: argparse.Namespace) -> int:
    from h5explorer_py.lookup.open import open_lookup
    from h5explorer_py.lookup.packed.preparation import Preparation
    from h5explorer_py.lookup.packed.progress import Phase
    from h5explorer_py.lookup.packed.store import SMALLEST, origin_of

    with closing(open_lookup(chosen.lookup, key_columns(chosen))) as lookup:
        origin = origin_of(lookup)
        if origin is None and lookup.num_rows < SMALLEST:
            tell(f"{lookup.name} has {lookup.num_rows:,} rows: fewer than {SMALLEST:,} are as quick without.")
            return 0
        if origin is None:
            tell(f"{lookup.name} cannot be packed: it is no file of a table, or has too many rows.")
            return 1
        preparation = Preparation(lookup, origin, cache_folder(chosen), chosen.cache_limit)
        with closing(preparation):
            if not _packed(preparation):
                return _INTERRUPTED
            done = preparation.progress
    if done.phase is not Phase.READY:
        tell(f"h5explorer: {visible(done.message) or 'It was stopped.'}")
        return 1
    show(done.folder)
    tell(f"Rows: {done.rows:,}. Size: {size_text(done.bytes)}.")
    return 0


def _packed(preparation: Preparation) -> bool:
    """Pack a lookup; ``False`` where a person interrupts it."""
    worker = Thread(target=preparation.run, name="h5explorer-packing", daemon=True)
    worker.start()
    try:
        with Line() as line:
            while worker.is_alive():
                worker.join(_LOOK_SECONDS)
                line.say(_said(preparation.progress))
    except KeyboardInterrupt:
        preparation.stop()
        with suppress(KeyboardInterrupt):
            worker.join()
        done = preparation.progress
        tell(f"\nh5explorer: interrupted at {done.fraction:.0%}; that is kept, and gone on with the next time.")
        return False
    return True


def _said(progress: Progress) -> str:
    return progress.message or f"Packing: {progress.fraction:.0%}"
