"""One page: a session and a dispatcher of its own, behind a websocket."""

from __future__ import annotations

import contextlib
import logging
import threading
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from h5explorer_py.dispatch import Dispatcher
from h5explorer_py.errors import BadRequestError, ExplorerError
from h5explorer_py.handlers import handlers
from h5explorer_py.protocol import Failure
from h5explorer_py.serve.frames import pack, unpack
from h5explorer_py.serve.state import KIND, PageState

if TYPE_CHECKING:
    from collections.abc import Callable

    from h5explorer_py.serve.opening import Opener

log = logging.getLogger(__name__)


class Connection:
    """Answers one page, in a thread of its own: opening a lookup may take long, and every answer comes from a pool.

    Parameters
    ----------
    opener : Opener
        Opens the lookup.
    send : callable
        Sends a frame to the page. Called from any thread.
    end : callable
        Ends the connection, where the lookup cannot be opened. Called from any thread.
    """

    def __init__(self, opener: Opener, send: Callable[[bytes], None], end: Callable[[], None]) -> None:
        self._opener = opener
        self._send_frame = send
        self._end = end
        self._frames: SimpleQueue[bytes | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._serve, name="h5explorer-page", daemon=True)
        self._thread.start()

    def take(self, frame: bytes) -> None:
        """Take in a message of the page."""
        self._frames.put(frame)

    def close(self) -> None:
        """Withdraw what is running, and close what is open; both a moment later."""
        self._frames.put(None)

    def wait_closed(self, seconds: float) -> None:
        """Wait until all is closed, at most so long."""
        self._thread.join(seconds)

    def _send(self, content: dict[str, Any], buffers: list[bytes]) -> None:
        self._send_frame(pack(content, buffers))

    def _serve(self) -> None:
        try:
            self._answer()
        except Exception as error:
            if not isinstance(error, ExplorerError):
                log.exception("a page could not be served")
            self._send({**Failure.of("", error).to_json(), "kind": "refused"}, [])
        finally:
            self._end()

    def _answer(self) -> None:
        session, current = self._opener.take()
        with contextlib.closing(session), contextlib.closing(Dispatcher(handlers(session), self._send)) as dispatcher:
            state = PageState(session, current, lambda message: self._send(message, []))
            state.show()
            session.look_for_shards()
            while (frame := self._frames.get()) is not None:
                with contextlib.suppress(BadRequestError):  # there is no request in it that could be answered
                    content, buffers = unpack(frame)
                    if isinstance(content, dict) and content.get("kind") == KIND:
                        with contextlib.suppress(ExplorerError):  # of rows that are not shown any more
                            state.take(content)
                    else:
                        dispatcher.receive(content, buffers)
