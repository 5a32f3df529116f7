"""The kernel's side of an explorer on pipes: all of it but the widget's comm.

Takes messages on standard input, gives answers on standard output: each is its length in 4 bytes, JSON, and behind it
the buffers, whose lengths the JSON tells.
"""

from __future__ import annotations

import json
import struct
import sys
import threading
from typing import TYPE_CHECKING, Any

from h5explorer_py.dispatch import Dispatcher
from h5explorer_py.handlers import handlers
from h5explorer_py.options import Options
from h5explorer_py.serve.frames import pack
from h5explorer_py.session import Session

if TYPE_CHECKING:
    from collections.abc import Iterator

LENGTH = struct.Struct("<I")


def messages() -> Iterator[Any]:
    """Give what comes on standard input, to its end."""
    while len(head := sys.stdin.buffer.read(LENGTH.size)) == LENGTH.size:
        yield json.loads(sys.stdin.buffer.read(LENGTH.unpack(head)[0]))


def main() -> None:
    out = sys.stdout.buffer
    lock = threading.Lock()

    def send(content: object, buffers: list[bytes]) -> None:
        frame = pack(content, buffers)
        with lock:
            out.write(frame)
            out.flush()

    session = Session(sys.argv[1], Options())
    session.on_opened.append(lambda: send({"kind": "opened", "opened": session.describe()}, []))
    dispatcher = Dispatcher(handlers(session), send)
    send({"kind": "opened", "opened": session.describe()}, [])
    for message in messages():
        dispatcher.receive(message)
    dispatcher.close()
    session.close()


if __name__ == "__main__":
    main()
