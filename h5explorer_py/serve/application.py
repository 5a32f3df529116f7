"""What is answered over HTTP: the page, its parts, and a websocket for each page. Nothing else is reachable."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from tornado.web import Application, RequestHandler
from tornado.websocket import WebSocketClosedError, WebSocketHandler

from h5explorer_py.serve.connection import Connection
from h5explorer_py.serve.policy import FOR_EVER, HEADERS
from h5explorer_py.serve.refusals import CONTENT_SECURITY_POLICY, Refused, refusal_page

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from h5explorer_py.serve.door import Door
    from h5explorer_py.serve.idle import IdleClock
    from h5explorer_py.serve.opening import Opener
    from h5explorer_py.serve.static import StaticFile

LARGEST_MESSAGE = 4 << 20
"""Bytes of a message of the page: its longest is a filter, or a selection of 500 ranges."""

SOCKET = "/socket"
PING_SECONDS = 30


@dataclass
class Served:
    """What all requests share."""

    door: Door
    page: bytes
    files: Mapping[str, StaticFile]
    opener: Opener
    idle: IdleClock
    connections: dict[Any, Connection] = field(default_factory=dict)


class Guarded(RequestHandler):
    """Lets a request through that names this server, comes from no other page, and shows that it was let in."""

    served: Served

    def initialize(self, served: Served) -> None:
        """Take over what all requests share."""
        self.served = served

    def set_default_headers(self) -> None:
        """Put the headers on every answer, refusals too."""
        self.clear_header("Server")
        for name, value in HEADERS.items():
            self.set_header(name, value)

    def prepare(self) -> None:
        """Refuse what is not to be answered, before anything else."""
        try:
            self._check()
        except Refused as refused:
            self._refuse(refused)

    def _check(self) -> None:
        door, headers = self.served.door, self.request.headers
        hosts, origins = headers.get_list("Host"), headers.get_list("Origin")
        if not door.is_own_host(hosts):
            raise Refused("host")
        needs_origin = self.request.method not in {"GET", "HEAD"} or isinstance(self, WebSocketHandler)
        if (needs_origin or origins) and not door.is_own_origin(origins, hosts[0]):
            raise Refused("origin")
        if self._is_admission:
            return
        if not door.knows(self.get_cookie(door.cookie)):
            raise Refused("cookie")
        if self.request.method not in {"GET", "HEAD"}:
            raise Refused("method")

    @property
    def _is_admission(self) -> bool:
        """Whether the request shows the token of the printed address."""
        return self.request.path == "/" and self.request.method == "GET" and "token" in self.request.query_arguments

    def _refuse(self, refused: Refused) -> None:
        # A browser keeps the cookie back where a link of another site led here; asked from here it shows it.
        again = refused.reason == "cookie" and self.request.headers.get("Sec-Fetch-Site") == "cross-site"
        self.set_status(refused.status)
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.set_header("Content-Security-Policy", CONTENT_SECURITY_POLICY)
        self.finish(refusal_page(refused, again=again and self.request.path == "/"))

    def write_error(self, status_code: int, **kwargs: Any) -> None:  # noqa: ARG002
        """Answer in few words what Tornado itself refuses."""
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.finish(f"{status_code}\n")


class Pages(Guarded):
    """Answers with the page and its parts, by their names."""

    def get(self) -> None:
        """Answer a request."""
        if self._is_admission:
            self._admit()
            return
        path = self.request.path
        if path == "/":
            self.set_header("Content-Type", "text/html; charset=utf-8")
            self.finish(self.served.page)
            return
        file = self.served.files.get(path.removeprefix("/")) if path.startswith("/") else None
        if file is None:
            self._refuse(Refused("path"))
            return
        self.set_header("Content-Type", file.media_type)
        self.set_header("Cache-Control", FOR_EVER)
        self.set_header("Vary", "Accept-Encoding")
        if "gzip" in self.request.headers.get("Accept-Encoding", ""):
            self.set_header("Content-Encoding", "gzip")
            self.finish(file.packed)
        else:
            self.finish(file.plain)

    head = get

    def _admit(self) -> None:
        """Let a browser in by the token, and lead it to an address without."""
        door = self.served.door
        key = door.admit(self.request.query_arguments["token"][0].decode("latin-1"))
        if key is None:
            self._refuse(Refused("token"))
            return
        self.set_cookie(door.cookie, key, httponly=True, samesite="Strict", path="/")
        self.redirect("/", status=303)


class Socket(Guarded, WebSocketHandler):
    """Carries the messages of one page."""

    def open(self, *args: str, **kwargs: str) -> None:  # noqa: ARG002
        """Begin: the page gets a session of its own."""
        loop = asyncio.get_running_loop()

        def soon(act: Callable[..., None], *values: bytes) -> None:
            with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
                loop.call_soon_threadsafe(act, *values)

        send, end = partial(soon, self._write), partial(soon, self.close)
        self.set_nodelay(True)
        self.served.connections[self] = Connection(self.served.opener, send, end)
        self.served.idle.touch()

    def _write(self, frame: bytes) -> None:
        with contextlib.suppress(WebSocketClosedError):
            self.write_message(frame, binary=True).add_done_callback(_done)

    def on_message(self, message: str | bytes) -> None:
        """Hand a message on."""
        self.served.idle.touch()
        if isinstance(message, bytes):
            self.served.connections[self].take(message)

    def on_close(self) -> None:
        """Let go of the session."""
        self.served.idle.touch()
        connection = self.served.connections.pop(self, None)
        if connection is not None:
            connection.close()


def _done(writing: asyncio.Future[None]) -> None:
    if not writing.cancelled():
        writing.exception()  # looked at, as it only says that the page is gone


def application(served: Served) -> Application:
    """Return what answers requests."""
    return Application(
        [(SOCKET, Socket, {"served": served}), (r".*", Pages, {"served": served})],
        log_function=lambda _: None,  # addresses hold the token
        websocket_max_message_size=LARGEST_MESSAGE,
        websocket_ping_interval=PING_SECONDS,
    )
