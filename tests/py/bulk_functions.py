"""What the tests of bulk jobs have done in workers, which import this module."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from h5explorer_py.errors import ShardUnreadableError

if TYPE_CHECKING:
    from h5explorer_py.bulk.running import Begin, Doomed


def squares(task: list[int], begin: Begin, doomed: Doomed) -> tuple[list[int], dict[int, str]]:
    """The squares of a task's numbers, less the doomed ones."""
    done = []
    for item, number in enumerate(task):
        if item not in doomed:
            begin(item)
            done.append(number**2)
    return done, {item: fault.code for item, fault in doomed.items()}


def act(task: list[Any], begin: Begin, doomed: Doomed) -> dict[str, Any]:
    """Do what each item says, and tell what became of the task."""
    done = []
    for item, deed in enumerate(task):
        if item in doomed:
            continue
        begin(item)
        match deed:
            case ("sleep", seconds):
                time.sleep(seconds)
            case ("once", kind, mark) if not Path(mark).exists():
                Path(mark).touch()
                os.kill(os.getpid(), kind)
            case ("kill", kind):
                os.kill(os.getpid(), kind)
            case ("count", mark):
                with open(mark, "a") as file:
                    file.write(f"{os.getpid()}\n")
            case "exit":
                os._exit(7)
            case "stop":
                os.kill(os.getpid(), signal.SIGSTOP)
        done.append(item)
    return {"done": done, "doomed": {item: (each.code, each.reason) for item, each in doomed.items()}}


def end_at_the_end(task: Any, begin: Begin, doomed: Doomed) -> NoReturn:
    os._exit(0)


def slow_before_and_after(task: float, begin: Begin, doomed: Doomed) -> str:
    time.sleep(task)
    begin(0)
    begin(-1)
    time.sleep(task)
    return "done"


def fail(task: Exception | str, begin: Begin, doomed: Doomed) -> NoReturn:
    if isinstance(task, Exception):
        raise task
    raise {"own": OwnError(1, 2), "local": _local()}[task]


def fail_with_details(task: str, begin: Begin, doomed: Doomed) -> NoReturn:
    raise ShardUnreadableError(f"{task} cannot be read.", action="Repair it.", path=task)


class OwnError(Exception):
    """One that pickle makes, but cannot read."""

    def __init__(self, first: int, second: int) -> None:
        super().__init__(first + second)


def _local() -> Exception:
    class LocalError(Exception):
        pass

    return LocalError("of nowhere")


def unpicklable(task: Any, begin: Begin, doomed: Doomed) -> Any:
    return lambda: None


def large(task: int, begin: Begin, doomed: Doomed) -> bytes:
    return bytes([task % 256]) * task


def length(task: bytes, begin: Begin, doomed: Doomed) -> int:
    return len(task)


def noisy(task: int, begin: Begin, doomed: Doomed) -> int:
    print("noise" * 1000, flush=True)
    print("noise" * 1000, file=sys.stderr, flush=True)
    os.write(1, b"noise")
    os.write(2, b"noise")
    subprocess.run(["echo", "noise"], check=True)
    assert sys.stdin.read() == ""
    return task


def take(task: int, begin: Begin, doomed: Doomed) -> str:
    try:
        return str(len(bytearray(task)))
    except MemoryError:
        return "none left"


def take_unguarded(task: int, begin: Begin, doomed: Doomed) -> int:
    return len(bytearray(task))


def pid_and_wait(task: tuple[str, float], begin: Begin, doomed: Doomed) -> int:
    """Write this process's number into a folder, and wait."""
    folder, seconds = task
    Path(folder, str(os.getpid())).touch()
    time.sleep(seconds)
    return os.getpid()


def start_another(task: str, begin: Begin, doomed: Doomed) -> None:
    """Start a process, write its number into a folder, and hang."""
    begin(0)
    with subprocess.Popen(["sleep", "60"]) as started:
        Path(task, str(started.pid)).touch()


def hold_all(task: str, begin: Begin, doomed: Doomed) -> None:
    """Hang in a way that lets no other thread of Python run."""
    import ctypes

    Path(task, str(os.getpid())).touch()
    ctypes.PyDLL(None).sleep(60)


def surroundings(task: str, begin: Begin, doomed: Doomed) -> Any:
    return {"path": list(sys.path), "environment": dict(os.environ), "main": sys.modules["__main__"].__dict__.get("x")}


def pid_of_task(task: tuple[int, str, float], begin: Begin, doomed: Doomed) -> int:
    """Write which process does a task, and wait."""
    number, folder, seconds = task
    Path(folder, f"{number}-{os.getpid()}").touch()
    time.sleep(seconds)
    return number
