"""The kernel's side of an explorer in a real ipykernel, its comm on pipes.

Takes messages on standard input, gives answers on standard output: each is its length in 4 bytes, JSON, and behind it
the buffers, whose lengths the JSON tells.
"""

from __future__ import annotations

import sys
import threading
import time
from typing import Any

from h5explorer_py.serve.frames import pack
from tests.contract.kernel_side import messages
from tests.py.kernels import Kernel, kernel

_LOOK_SECONDS = 0.001


def relay(live: Kernel, comm: str) -> None:
    """Hand on what the kernel publishes of a comm."""
    at = 0
    while True:
        for message in live.published[at:]:
            at += 1
            data: dict[str, Any] = message["content"].get("data", {})
            if message["content"].get("comm_id") != comm:
                continue
            if data.get("method") == "custom":
                sys.stdout.buffer.write(pack(data["content"], [bytes(each) for each in message["buffers"]]))
            elif "_opened" in data.get("state", {}):
                sys.stdout.buffer.write(pack({"kind": "opened", "opened": data["state"]["_opened"]}))
            sys.stdout.buffer.flush()
        time.sleep(_LOOK_SECONDS)


def main() -> None:
    live = kernel()
    try:
        comm = live.comm_of(live.start(f"from h5explorer_py import Explorer\nExplorer({sys.argv[1]!r})"))
        subshell = live.subshell()
        threading.Thread(target=relay, args=(live, comm), daemon=True).start()
        for message in messages():
            live.send(comm, {"method": "custom", "content": message}, subshell)
    finally:
        live.close()


if __name__ == "__main__":
    main()
