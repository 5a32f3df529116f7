"""The server of one person: listening on this machine alone, from the start to the interrupt."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import os
import signal
import socket
from typing import TYPE_CHECKING

from tornado.httpserver import HTTPServer

from h5explorer_py.errors import PortTakenError
from h5explorer_py.files import why
from h5explorer_py.serve.application import Served, application
from h5explorer_py.serve.door import Door
from h5explorer_py.serve.static import page, page_files

if TYPE_CHECKING:
    from collections.abc import Callable

    from h5explorer_py.serve.idle import IdleClock
    from h5explorer_py.serve.opening import Opener

HOST = "127.0.0.1"
GOING_AWAY = 1001
_LARGEST_BODY = 1 << 16
_CLOSING_SECONDS = 2.0


def listen(port: int) -> socket.socket:
    """Listen on a port of this machine alone; 0 for one that is free.

    Raises
    ------
    PortTakenError
        Where it cannot be.
    """
    try:
        listening = socket.create_server((HOST, port))
    except OSError as error:
        taken = error.errno == errno.EADDRINUSE
        reason = "another program listens on it" if taken else why(error).lower()
        raise PortTakenError(
            f"Port {port} cannot be used: {reason}.", action="Name another with --port, or leave it out."
        ) from error
    listening.setblocking(False)  # noqa: FBT003
    return listening


def serve(listening: socket.socket, opener: Opener, idle: IdleClock, begun: Callable[[Door], None]) -> str:
    """Serve until an interrupt, or until nothing has been asked for long enough.

    Parameters
    ----------
    listening : socket
        What :func:`listen` has returned.
    opener : Opener
        Opens the lookup for each page.
    idle : IdleClock
        Says when it is over.
    begun : callable
        Told of the door when requests are answered.

    Returns
    -------
    str
        Why it has ended: ``interrupt`` or ``idle``.
    """
    logging.getLogger("tornado").setLevel(logging.CRITICAL)  # it would print what a stranger sends
    door = Door(listening.getsockname()[1])
    served = Served(door, page(), page_files(), opener, idle)
    return asyncio.run(_serve(listening, served, begun))


async def _serve(listening: socket.socket, served: Served, begun: Callable[[Door], None]) -> str:
    interrupted = asyncio.Event()
    _on_interrupt(interrupted.set)
    server = HTTPServer(application(served), max_body_size=_LARGEST_BODY)
    server.add_sockets([listening])
    begun(served.door)
    end = "idle"
    while (left := served.idle.left) is None or left > 0:
        try:
            await asyncio.wait_for(interrupted.wait(), left)
        except TimeoutError:
            continue
        end = "interrupt"
        break
    server.stop()
    await _close(served, end)
    await server.close_all_connections()
    return end


async def _close(served: Served, reason: str) -> None:
    """Tell every page that it is over, and wait until what is open is closed."""
    connections = list(served.connections.items())
    for page_socket, connection in connections:
        page_socket.close(GOING_AWAY, reason)
        connection.close()
    await asyncio.gather(*(asyncio.to_thread(each.wait_closed, _CLOSING_SECONDS) for _, each in connections))


def _on_interrupt(end: Callable[[], None]) -> None:
    """Have the first interrupt end it in order, and the second at once."""
    loop = asyncio.get_running_loop()
    numbers = [signal.SIGINT, signal.SIGTERM]
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # as `nohup` has it
        numbers.append(signal.SIGHUP)

    def interrupted() -> None:
        for number in numbers:
            with contextlib.suppress(NotImplementedError):  # Windows
                loop.remove_signal_handler(number)
            signal.signal(number, signal.SIG_DFL)
        end()

    for number in numbers:
        try:
            loop.add_signal_handler(number, interrupted)
        except (NotImplementedError, RuntimeError):  # Windows; a thread of its own, in tests
            if os.name != "nt":
                return
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(interrupted))
