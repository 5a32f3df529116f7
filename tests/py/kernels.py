"""A real ipykernel, and all that it publishes."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

from jupyter_client.manager import start_new_kernel

from h5explorer_py.protocol import Request
from tests.py.support import ROOT, ask, wait_for

if TYPE_CHECKING:
    from jupyter_client.blocking.client import BlockingKernelClient
    from jupyter_client.manager import KernelManager

SOON = 2.0
"""Seconds within which the page is to be answered while a cell sleeps for longer."""


class Kernel:
    """A kernel, with all that it publishes."""

    def __init__(self, manager: KernelManager, client: BlockingKernelClient) -> None:
        self.manager = manager
        self.client = client
        self.published: list[dict[str, Any]] = []
        self._over = threading.Event()
        self._count = 0
        self._listening = threading.Thread(target=self._listen, daemon=True)
        self._listening.start()

    def _listen(self) -> None:
        socket = self.client.iopub_channel.socket
        while not self._over.is_set():
            if socket.poll(100):
                _, message = self.client.session.recv(socket, 0)
                self.published.append(message)

    def close(self) -> None:
        self._over.set()
        self._listening.join()
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)
        self.manager.cleanup_resources()

    def start(self, code: str) -> str:
        """Run a cell without waiting for it; return the name of the request."""
        return self.client.execute(code, store_history=False)

    def messages(self, kind: str, parent: str = "") -> list[dict[str, Any]]:
        return [
            message
            for message in list(self.published)
            if message["msg_type"] == kind and (not parent or message["parent_header"].get("msg_id") == parent)
        ]

    def ended(self, cell: str) -> bool:
        return any(message["content"]["execution_state"] == "idle" for message in self.messages("status", cell))

    def printed(self, cell: str) -> str:
        return "".join(message["content"]["text"] for message in self.messages("stream", cell))

    def run(self, code: str) -> str:
        """Run a cell to its end; return what it prints."""
        cell = self.start(code)
        wait_for(lambda: self.ended(cell), 60)
        failures = self.messages("error", cell)
        assert not failures, "\n".join(failures[0]["content"]["traceback"])
        return self.printed(cell)

    def comm_of(self, cell: str) -> str:
        """The comm of the explorer that a cell has made."""

        def opened() -> list[str]:
            opens = self.messages("comm_open", cell)
            return [
                each["content"]["comm_id"] for each in opens if "_opened" in each["content"]["data"].get("state", {})
            ]

        wait_for(opened, 60)
        return opened()[-1]

    def subshell(self) -> str:
        """Make a subshell, as JupyterLab does for its widgets."""
        message = self.client.session.msg("create_subshell_request", {})
        self.client.control_channel.send(message)
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            reply = self.client.control_channel.get_msg(timeout=20)
            if reply["parent_header"]["msg_id"] == message["header"]["msg_id"]:
                return reply["content"]["subshell_id"]
        raise AssertionError("no subshell")

    def send(self, comm: str, data: dict[str, Any], subshell: str | None) -> None:
        message = self.client.session.msg("comm_msg", {"comm_id": comm, "data": data})
        if subshell is not None:
            message["header"]["subshell_id"] = subshell
        self.client.shell_channel.send(message)

    def ask(self, comm: str, method: str, subshell: str | None, **params: Any) -> str:
        self._count += 1
        name = f"q{self._count}"
        self.send(comm, {"method": "custom", "content": ask(Request(name, method, params))}, subshell)
        return name

    def answers(self, name: str) -> list[dict[str, Any]]:
        contents = [(each["content"]["data"].get("content"), each) for each in self.messages("comm_msg")]
        return [each for content, each in contents if isinstance(content, dict) and content.get("request") == name]

    def answered(self, name: str, seconds: float = SOON) -> dict[str, Any]:
        wait_for(lambda: self.answers(name), seconds)
        [message] = self.answers(name)
        content = message["content"]["data"]["content"]
        assert content["kind"] == "reply", content
        return {**content["result"], "buffers": [bytes(each) for each in message["buffers"]]}

    def stop(self, cell: str) -> None:
        """Interrupt a cell, which must still run."""
        assert not self.ended(cell)
        self.manager.interrupt_kernel()
        wait_for(lambda: self.ended(cell), 20)


def kernel() -> Kernel:
    manager, client = start_new_kernel(kernel_name="python3", cwd=str(ROOT), startup_timeout=60)
    return Kernel(manager, client)
