"""The kernel's side of an explorer on pipes: all of it but the widget's comm.

Takes messages on standard input, gives answers on standard output: each is its length in 4 bytes, JSON, and behind it
the buffers, whose lengths the JSON tells.
"""

from __future__ import annotations

import json
import struct
import sys
import threading

from h5explorer_py.dispatch import Dispatcher
from h5explorer_py.handlers import handlers
from h5explorer_py.options import Options
from h5explorer_py.session import Session

LENGTH = struct.Struct("<I")


def main() -> None:
    out = sys.stdout.buffer
    lock = threading.Lock()

    def send(content: object, buffers: list[bytes]) -> None:
        text = json.dumps({"content": content, "buffers": [len(each) for each in buffers]}).encode()
        with lock:
            out.write(LENGTH.pack(len(text)) + text + b"".join(buffers))
            out.flush()

    session = Session(sys.argv[1], Options())
    session.on_opened.append(lambda: send({"kind": "opened", "opened": session.describe()}, []))
    dispatcher = Dispatcher(handlers(session), send)
    send({"kind": "opened", "opened": session.describe()}, [])
    while len(head := sys.stdin.buffer.read(LENGTH.size)) == LENGTH.size:
        dispatcher.receive(json.loads(sys.stdin.buffer.read(LENGTH.unpack(head)[0])))
    dispatcher.close()
    session.close()


if __name__ == "__main__":
    main()
