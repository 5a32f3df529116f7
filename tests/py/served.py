"""The command `h5explorer open` in a process of its own, and requests to it as raw as a stranger sends them."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

from tornado.httpclient import HTTPRequest
from tornado.websocket import WebSocketClosedError, websocket_connect

from h5explorer_py.serve.frames import pack, unpack
from tests.py.support import ROOT, wait_for

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

ENVIRONMENT = {
    name: value for name, value in os.environ.items() if not name.startswith(("SSH_", "SLURM_", "DISPLAY", "WAYLAND"))
}


class Served:
    """A server that has been started."""

    def __init__(self, *arguments: str, environment: dict[str, str] | None = None, code: str = "") -> None:
        program = ["-c", code] if code else ["-m", "h5explorer_py"]
        self.process = subprocess.Popen(
            [sys.executable, *program, *arguments],
            cwd=ROOT,
            env={**ENVIRONMENT, "H5EXPLORER_CACHE": os.environ["H5EXPLORER_CACHE"], **(environment or {})},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.printed: list[str] = []
        self.said: list[str] = []
        for stream, lines in ((self.process.stdout, self.printed), (self.process.stderr, self.said)):
            threading.Thread(target=self._keep, args=(stream, lines), daemon=True).start()

    @staticmethod
    def _keep(stream: Any, lines: list[str]) -> None:
        with contextlib.closing(stream):
            lines.extend(iter(stream.readline, ""))

    @property
    def address(self) -> str:
        wait_for(lambda: self.printed or self.process.poll() is not None, 60)
        assert self.printed, "".join(self.said)
        return self.printed[0].strip()

    @property
    def port(self) -> int:
        found = re.fullmatch(r"http://127\.0\.0\.1:(\d+)/\?token=([\w-]{40,})", self.address)
        assert found is not None
        return int(found[1])

    @property
    def token(self) -> str:
        return self.address.partition("token=")[2]

    def end(self, number: signal.Signals = signal.SIGINT) -> int:
        """End it; returns the exit code."""
        self.process.send_signal(number)
        return self.process.wait(20)

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(20)

    # Requests

    def ask(self, target: str, *headers: str, method: str = "GET", host: str | None = None) -> Answer:
        """Send a request as it stands here."""
        own = f"Host: 127.0.0.1:{self.port}" if host is None else f"Host: {host}"
        lines = [f"{method} {target} HTTP/1.1", *([own] if host != "" else []), *headers, "Connection: close", "", ""]
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as connection:
            connection.sendall("\r\n".join(lines).encode("latin-1"))
            parts = iter(lambda: connection.recv(1 << 16), b"")
            return Answer(b"".join(parts))

    def admit(self) -> str:
        """Use the token; returns the header that shows the cookie."""
        answer = self.ask(f"/?token={self.token}")
        assert answer.status == 303
        return "Cookie: " + answer.headers["set-cookie"].partition(";")[0]

    def upgrade(self, *headers: str, host: str | None = None) -> Answer:
        """Ask for a websocket; what comes is the answer to that alone, where it is refused."""
        return self.ask(
            "/socket",
            "Upgrade: websocket",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
            "Sec-WebSocket-Version: 13",
            *headers,
            host=host,
        )


class Answer:
    """What a server has sent."""

    def __init__(self, data: bytes) -> None:
        head, _, self.body = data.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        self.status = int(first.split(" ")[1]) if first else 0
        pairs = [line.partition(":") for line in lines]
        self.headers = {name.lower(): value.strip() for name, _, value in pairs}


@contextlib.contextmanager
def served(*arguments: str, **options: Any) -> Iterator[Served]:
    """Start a server, and end it."""
    started = Served(*arguments, **options)
    try:
        yield started
    finally:
        started.kill()


class Page:
    """A page's end of a websocket."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._over = False
        self.states: list[dict[str, Any]] = []

    @classmethod
    @contextlib.asynccontextmanager
    async def open(cls, server: Served, cookie: str) -> AsyncIterator[Page]:
        """Connect, wait for the first thing that is told, and disconnect at the end."""
        name, _, value = cookie.partition(": ")
        headers = {name: value, "Origin": f"http://127.0.0.1:{server.port}"}
        request = HTTPRequest(f"ws://127.0.0.1:{server.port}/socket", headers=headers)
        page = cls(await websocket_connect(request))
        try:
            await page.state()
            yield page
        finally:
            page._connection.close()
            with contextlib.suppress(Exception):
                while not page._over:
                    await page.read()

    async def read(self) -> tuple[dict[str, Any], list[bytes]] | None:
        """Return the next message; ``None`` where the connection has ended."""
        data = await asyncio.wait_for(self._connection.read_message(), 20)
        self._over = data is None
        return None if data is None else unpack(data)

    async def state(self) -> dict[str, Any]:
        """Wait for what is told next."""
        while (message := await self.read()) is not None:
            if message[0]["kind"] == "refused":
                raise AssertionError(f"refused: {message[0]['error']['message']}")
            if message[0]["kind"] == "state":
                self.states.append(message[0])
                return message[0]
        raise AssertionError("the connection has ended")

    async def send(self, content: dict[str, Any]) -> None:
        with contextlib.suppress(WebSocketClosedError):  # what has become of it, is read
            await self._connection.write_message(pack(content), binary=True)

    async def ask(self, request: dict[str, Any]) -> tuple[dict[str, Any], list[bytes]]:
        """Ask for one thing; states that are told meanwhile are kept."""
        await self.send(request)
        while (message := await self.read()) is not None:
            if message[0]["kind"] == "state":
                self.states.append(message[0])
            else:
                return message
        raise AssertionError("the connection has ended")

    @property
    def end_reason(self) -> tuple[int, str]:
        return self._connection.close_code, self._connection.close_reason
