"""Measures the engine of lookups beside other ways, and writes one table: ``python -m tests.bench.figures``."""

from __future__ import annotations

import argparse
import json
import re
import shutil
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench.figures import (
    building,
    conditions,
    filters,
    machine,
    memory,
    opening,
    prefetch,
    records,
    uuids,
    windows,
)
from tests.bench.figures.alone import ROOT, FailedError
from tests.bench.figures.bench import Bench, NoRoomError
from tests.bench.figures.lookups import BYTES_A_ROW
from tests.bench.figures.table import Line, as_markdown, plain_markdown
from tests.bench.figures.turns import TURNS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_MILLION = 1_000_000


def _parts(bench: Bench, forms: tuple[str, ...]) -> dict[str, Callable[[], Iterable[Line]]]:
    parts: dict[str, Callable[[], Iterable[Line]]] = {
        "opening": lambda: opening.of_parquet(bench),
        "csv": lambda: opening.of_csv(bench),
        "windows": lambda: windows.figures(bench),
        "uuids": lambda: uuids.figures(bench),
        "filters": lambda: filters.figures(bench),
        "building": lambda: building.figures(bench),
        "memory": lambda: memory.figures(bench, forms),
        "conditions": lambda: conditions.figures(bench),
        "records": lambda: records.figures(bench),
        "prefetch": lambda: prefetch.figures(bench),
    }
    if "CSV" not in forms:
        del parts["csv"]
    return parts


def _rows(text: str) -> int:
    found = re.fullmatch(r"(\d+)m", text.lower())
    if not found:
        raise argparse.ArgumentTypeError("say it in millions: 10m, 100m, 200m")
    return int(found[1]) * _MILLION


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="npm run bench --", description=__doc__)
    parser.add_argument("--rows", type=_rows, default=10 * _MILLION, help="10m (default), 100m, 200m")
    parser.add_argument("--turns", type=int, default=TURNS, help="how often each is measured (default %(default)s)")
    parser.add_argument("--only", nargs="*", help="the parts to measure")
    parser.add_argument("--forms", nargs="*", help="the forms of file whose memory is measured")
    parser.add_argument("--folder", type=Path, default=ROOT / ".cache" / "bench", help="where the data is kept")
    parser.add_argument("--also", type=Path, help="JSON of other figures, which are written down below")
    parser.add_argument("--remove", action="store_true", help="remove the lookups afterwards")
    return parser.parse_args()


def _measured(parts: dict[str, Callable[[], Iterable[Line]]], only: list[str] | None) -> tuple[list[Line], list[str]]:
    lines: list[Line] = []
    failed: list[str] = []
    for name, figures in parts.items():
        if only and name not in only:
            continue
        begun = time.monotonic()
        try:
            lines.extend(figures())
        except FailedError as error:
            failed.append(f"{name} could not be measured: {error}")
        print(f"{name}: {time.monotonic() - begun:.0f} s, load {machine.load()}", file=sys.stderr)
    return lines, failed


def main() -> int:
    given = _arguments()
    bench = Bench(given.rows, given.folder, given.turns)
    all_forms = [form for form in BYTES_A_ROW if form != "CSV" or given.rows <= 10 * _MILLION]
    forms = tuple(form for form in all_forms if not given.forms or form in given.forms)
    try:
        needed = bench.check_room(forms)
    except NoRoomError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{given.rows:,} rows; up to {needed / 1e9:.1f} GB are written to {bench.folder}.", file=sys.stderr)
    load = machine.load()
    lines, failed = _measured(_parts(bench, forms), given.only)
    written = [
        f"Lookups of {given.rows:,} rows, medians of {given.turns} turns. {machine.described()}",
        f"Load {load} at the beginning and {machine.load()} at the end.",
        "",
        as_markdown(lines),
        *([] if given.also is None else ["", plain_markdown(json.loads(given.also.read_text(encoding="utf-8")))]),
        *failed,
    ]
    text = "\n".join(written)
    (bench.folder / "figures.md").write_text(text + "\n", encoding="utf-8")
    print(text)
    if given.remove:
        shutil.rmtree(bench.lookups)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
