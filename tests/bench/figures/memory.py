"""The most memory that the kernel's process takes for a lookup: opened, packed, searched and filtered."""

from __future__ import annotations

import tempfile
import time
from typing import TYPE_CHECKING

from tests.bench.figures.alone import FailedError, Measured, digest, measure_alone, peak_megabytes
from tests.bench.figures.preparing import wait_until_packed
from tests.bench.figures.table import Line
from tests.bench.figures.windows import starts_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.bench.figures.bench import Bench

MOST_MEGABYTES = 500
_STEPS = ("opened", "packed", "searched", "filtered")


def ours(path: str, folder: str, condition: str) -> Measured:
    from h5explorer_py.dataset import Dataset
    from h5explorer_py.options import KeyColumns
    from h5explorer_py.view.view import make_view
    from h5explorer_py.view.work import Work

    values: dict[str, float] = {}
    with tempfile.TemporaryDirectory(dir=folder) as cache:
        dataset = Dataset(path, KeyColumns(), cache=cache)
        answer = [digest(dataset.keys(0, 100).to_pydict()), dataset.filepaths(lambda: None)]
        values["opened"] = peak_megabytes()
        begun = time.perf_counter()
        wait_until_packed(dataset)
        values["seconds"] = time.perf_counter() - begun
        values["packed"] = peak_megabytes()
        windows = [dataset.keys(start, start + 100).to_pydict() for start in starts_in(dataset.num_rows)]
        found = [dataset.row_of(window["uuid"][0]) for window in windows]
        if found != starts_in(dataset.num_rows):
            raise FailedError("uuids are found in other rows than those they were read from")
        values["searched"] = peak_megabytes()
        view = make_view(dataset, condition, [], Work(scratch=folder))
        page = view.keys(view.num_rows // 2, view.num_rows // 2 + 100).to_pydict()
        values["filtered"] = peak_megabytes()
        dataset.close()
    return Measured(values, [*answer, digest(windows), view.num_rows, digest(page)])


def figures(bench: Bench, forms: tuple[str, ...]) -> Iterator[Line]:
    """Measure lookups in several forms of file, each once; they hold the same rows."""
    answers = []
    for form in forms:
        given = {"path": bench.lookup(form), "folder": str(bench.lookups), "condition": "uuid < '4ccccccc'"}
        measured = measure_alone(ours, given)
        answers.append(measured.answer)
        if measured.answer != answers[0]:
            raise FailedError(f"{forms[0]} and {form} do not agree: {answers[0]} and {measured.answer}")
        for step in _STEPS[:-1]:
            seconds = measured.values["seconds"] if step == "packed" else None
            yield Line(f"Memory, {form}: {step}", seconds, peak=measured.values[step])
        yield Line(f"Memory, {form}: {_STEPS[-1]}", peak=measured.peak, peak_bar=MOST_MEGABYTES)
