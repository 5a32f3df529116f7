"""Having a lookup packed before what is measured: in another process, so that its memory is not counted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.bench.figures.alone import FailedError, Measured, measure_alone

if TYPE_CHECKING:
    from h5explorer_py.dataset import Dataset

_LONGEST = 3600.0


def opened(path: str, cache: str) -> Dataset:
    """Open a lookup and have it packed, or what has been packed compared with it, to the end.

    Raises
    ------
    FailedError
        Where that fails.
    """
    from h5explorer_py.dataset import Dataset
    from h5explorer_py.options import KeyColumns

    dataset = Dataset(path, KeyColumns(), cache=cache)
    wait_until_packed(dataset)
    return dataset


def wait_until_packed(dataset: Dataset) -> None:
    """Wait until the lookup is packed, and nothing goes on with it in the background.

    Raises
    ------
    FailedError
    """
    import threading

    preparation = dataset.rows.preparation
    assert preparation is not None
    preparation.begin()
    if not preparation.wait(_LONGEST) or preparation.packed is None:
        raise FailedError(f"packing ended so: {preparation.progress}")
    for thread in threading.enumerate():
        if thread.name == "h5explorer-packing":
            thread.join()


def pack(path: str, cache: str) -> Measured:
    opened(path, cache).close()
    return Measured({})


def prepared(path: str, cache: str) -> None:
    """Have a lookup packed by another process."""
    measure_alone(pack, {"path": path, "cache": cache})
