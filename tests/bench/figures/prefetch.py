"""Images of 50 neighbours that lie in 40 shards, where every read takes a millisecond."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench.figures.alone import FailedError, Measured, read_calls
from tests.bench.figures.shards import make_images
from tests.bench.figures.table import Line
from tests.bench.figures.turns import Way, take_turns

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.bench.figures.bench import Bench

NEIGHBOURS = 50
COLD = "cold"
REMEMBERED = "places remembered"
READS = "reads"

_DELAY = {"SLOW_READ_NS": "1000000"}
_LONGEST = 120


def delaying(folder: Path) -> Mapping[str, str] | None:
    """Return the environment in which every read takes a millisecond; ``None`` where it cannot be had here."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None or sys.platform != "linux":
        return None
    library = folder / "slow.so"
    source = Path(__file__).with_name("slow.c")
    done = subprocess.run(
        [compiler, "-shared", "-fPIC", "-O2", "-o", str(library), str(source), "-ldl"],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise FailedError(f"{source.name} could not be compiled: {done.stderr[-500:]}")
    return {"LD_PRELOAD": str(library), **_DELAY}


def ours(path: str) -> Measured:
    """Ask for neighbours as the page does: in requests of 16 rows, all at once."""
    from h5explorer_py.dispatch import Dispatcher
    from h5explorer_py.handlers import MOST_AHEAD, handlers
    from h5explorer_py.images.readers import reader_pool
    from h5explorer_py.options import Options
    from h5explorer_py.protocol import Request
    from h5explorer_py.session import Session
    from tests.py.support import Page, ask

    session = Session(path, Options())
    page = Page()
    dispatcher = Dispatcher(handlers(session), page.send)
    reader_pool().warm()  # as the widget has one started before anything is asked for
    dispatcher.receive(ask(Request("shown", "image", {"row": NEIGHBOURS})))  # whose neighbours they are
    page.only("shown", _LONGEST)

    def fetched(turn: str) -> list[str]:
        batches = [list(range(at, min(at + MOST_AHEAD, NEIGHBOURS))) for at in range(0, NEIGHBOURS, MOST_AHEAD)]
        asked = [
            Request(f"{turn}{at}", "ahead", {"rows": rows, "room": 1 << 28, "onlyOpen": False})
            for at, rows in enumerate(batches)
        ]
        dispatcher.receive(ask(*asked))
        found: list[str] = []
        for each in asked:
            _, data = page.only(each.request, _LONGEST)
            found.extend(hashlib.sha256(one).hexdigest()[:12] for one in data)
        return found

    values, answers = {}, []
    for what in (COLD, REMEMBERED):
        before = read_calls()
        begun = time.perf_counter()
        answers.append(fetched(what))
        values[what] = time.perf_counter() - begun
        values[f"{READS} {what}"] = read_calls() - before
    if answers[0] != answers[1]:
        raise FailedError("the second time other images came")
    dispatcher.close()
    session.close()
    return Measured(values, answers[0])


def with_h5py(path: str) -> Measured:
    """Open the file of each image anew."""
    import h5py
    import pyarrow.parquet as pq

    rows = pq.ParquetFile(path).read_row_group(0).slice(0, NEIGHBOURS + 1).to_pylist()
    folder = path.removesuffix("lookup.parquet")

    def image(row: dict[str, str]) -> str:
        with h5py.File(f"{folder}{row['filepath']}_images.h5", "r") as file:
            return hashlib.sha256(file["images"][row["uuid"]][()].tobytes()).hexdigest()[:12]

    image(rows[NEIGHBOURS])
    begun = time.perf_counter()
    answer = [image(row) for row in rows[:NEIGHBOURS]]
    return Measured({COLD: time.perf_counter() - begun}, answer)


def figures(bench: Bench) -> Iterator[Line]:
    """Measure with every read delayed; where there is no compiler, only without."""
    path = make_images(bench.folder / "images")
    slow = delaying(bench.folder)
    if slow is None:
        print("There is no C compiler, so reads are not delayed.", file=sys.stderr)
    settings = (
        {"": {}}
        if slow is None
        else {
            ", each read 1 ms": dict(slow),
            ", each read of a file 1 ms": {**slow, "SLOW_READ_FILES": "1"},
            "": {},
        }
    )
    for said, environment in settings.items():
        ways = {"ours": Way(ours, {"path": path}, environment), "h5py": Way(with_h5py, {"path": path}, environment)}
        taken = take_turns(ways, bench.turns)
        mine, theirs = taken["ours"], taken["h5py"]
        for what, bar in ((REMEMBERED, 1 / 20), (COLD, 1 / 8)):
            yield Line(
                f"50 neighbours in 40 shards, {what}{said}",
                mine.median(what),
                "h5py, opened for each",
                theirs.median(COLD),
                mine.ratio(what, theirs, COLD),
                bar if said == ", each read 1 ms" else None,
                mine.peak,
                peer_peak=theirs.peak,
                reads=mine.median(f"{READS} {what}"),
            )
