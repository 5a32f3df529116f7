"""What several suites need: waiting with a limit, one image per data set, a page that keeps what it is sent."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py
import pyarrow as pa

from h5explorer_py.dataset import Dataset
from h5explorer_py.options import KeyColumns
from h5explorer_py.protocol import Ask, Cancel, Request

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared"
COLUMNS = KeyColumns()


def wait_for(true: Callable[[], object], seconds: float = 10) -> None:
    """Wait until something is true; fail when it is not in time."""
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            raise AssertionError(f"not true within {seconds:g} s")
        time.sleep(0.005)


def within(seconds: float, work: Callable[[], Any]) -> Any:
    """Return what ``work`` returns; fail when it takes too long, rather than hang with it."""
    outcome: list[Any] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            outcome.append(work())
        except BaseException as error:  # noqa: BLE001
            errors.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    assert not thread.is_alive(), f"no end within {seconds:g} s"
    if errors:
        raise errors[0]
    return outcome[0]


def python(code: str, *arguments: str, cwd: Path | None = None, seconds: float = 60) -> subprocess.CompletedProcess:
    """Run a piece of Python in a process of its own, in which this checkout can be imported."""
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=cwd or ROOT,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )


def runs(pid: int) -> bool:
    """Whether a process is there and has not ended."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


def dataset_of(shard: Path, key: str = "a") -> Dataset:
    """A data set of one row: an image of this shard."""
    return Dataset(pa.table({"uuid": [key], "filepath": [str(shard)]}), COLUMNS)


def image_of(shard: Path, key: str = "a") -> bytes:
    """The bytes of one image of a shard, by the way that all images take."""
    dataset = dataset_of(shard, key)
    try:
        return dataset.image(dataset.entry(0)).data
    finally:
        dataset.close()


def by_h5py(shard: Path, key: str = "a") -> bytes:
    """The bytes of one image as h5py gives them."""
    with h5py.File(shard, "r") as file:
        return file["images"][key][...].tobytes()


def apart(content: dict[str, Any], buffers: list[bytes]) -> list[tuple[dict[str, Any], list[bytes]]]:
    """Take the answers of a message apart, each with its own buffers."""
    if content["kind"] != "answers":
        return [(content, list(buffers))]
    left = iter(buffers)
    found = []
    for each in content["answers"]:
        answer = {name: value for name, value in each.items() if name != "buffers"}
        found.append((answer, [next(left) for _ in range(each["buffers"])]))
    assert list(left) == []
    return found


class Page:
    """Stands for the page: asks, and keeps every answer by the request's name."""

    def __init__(self) -> None:
        self.answers: dict[str, list[tuple[dict[str, Any], list[bytes]]]] = {}
        self.messages = 0
        self._new = threading.Condition()

    def send(self, content: dict[str, Any], buffers: list[bytes]) -> None:
        with self._new:
            self.messages += 1
            for answer, own in apart(content, buffers):
                self.answers.setdefault(answer["request"], []).append((answer, own))
            self._new.notify_all()

    def wait(self, *names: str, seconds: float = 10) -> None:
        with self._new:
            assert self._new.wait_for(lambda: all(name in self.answers for name in names), seconds), (
                f"no answer to {[name for name in names if name not in self.answers]}"
            )

    def only(self, name: str, seconds: float = 10) -> tuple[dict[str, Any], list[bytes]]:
        self.wait(name, seconds=seconds)
        assert len(self.answers[name]) == 1
        return self.answers[name][0]


def ask(*requests: Request) -> dict[str, Any]:
    return Ask(requests).to_json()


def cancel(names: Iterable[str]) -> dict[str, Any]:
    return Cancel(tuple(names)).to_json()
