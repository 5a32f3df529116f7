"""Writing shards in processes that are lost, or are killed at a certain moment: run as a module by the tests."""

from __future__ import annotations

import os
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from h5explorer_py.making.job import Context, JobOptions
from h5explorer_py.making.shards.task import write_shard
from h5explorer_py.making.shards.write import ShardsOptions, write_shards

if TYPE_CHECKING:
    from collections.abc import Callable

    from h5explorer_py.bulk.running import Begin, Doomed
    from h5explorer_py.making.shards.task import ShardMade, ShardTask

MARK = "H5EXPLORER_TEST_MARK"
MOST_IMAGES = 4


def dying_once(task: ShardTask, begin: Begin, doomed: Doomed) -> ShardMade:
    """Write a shard; the second one's process is killed in the midst of it, once."""
    mark = Path(os.environ[MARK])

    def begun(item: int) -> None:
        begin(item)
        if task.name.endswith("1") and item == 2 and not mark.exists():
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)

    return write_shard(task, begun, doomed)


def crashing(task: ShardTask, begin: Begin, doomed: Doomed) -> ShardMade:
    """Write a shard; the process crashes over a picture of a certain name, and hangs over that of another."""

    def begun(item: int) -> None:
        begin(item)
        if item >= 0 and task.items[item].name.startswith("crash"):
            os.kill(os.getpid(), signal.SIGSEGV)
        if item >= 0 and task.items[item].name.startswith("hang"):
            signal.pause()

    return write_shard(task, begun, doomed)


def convert(source: str, output: str, *, append: bool = False) -> Any:
    """Write shards by threads of this process."""
    with ThreadPoolExecutor(2) as executor:
        options = ShardsOptions(images_per_shard=MOST_IMAGES, append=append)
        return write_shards([source], output, JobOptions(), options, Context(executor))


def main() -> None:
    """Convert, and be killed before the system is asked for so manieth time to move or to settle a file."""
    source, output, append, moment = sys.argv[1:]
    calls = 0

    def counting(function: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*arguments: Any, **named: Any) -> Any:
            nonlocal calls
            if calls == int(moment):
                os.kill(os.getpid(), signal.SIGKILL)
            calls += 1
            return function(*arguments, **named)

        return counted

    for name in ("replace", "rename", "fsync", "unlink"):
        setattr(os, name, counting(getattr(os, name)))
    convert(source, output, append=append == "append")
    print(calls)


if __name__ == "__main__":
    main()
