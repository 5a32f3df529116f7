"""Reaching this machine's page from one's own computer, where the terminal is a remote one."""

from __future__ import annotations

import getpass
import ipaddress
import shlex
import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_USUAL_PORT = "22"


def is_remote(environment: Mapping[str, str]) -> bool:
    """Whether the terminal is one over SSH."""
    return any(environment.get(name) for name in ("SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY"))


def forward_line(port: int, environment: Mapping[str, str]) -> str | None:
    """Return the command that brings a port of this machine to one's own computer; ``None`` where nobody is remote.

    Both sides have the same port, as the page is served to this address alone.
    """
    if not is_remote(environment):
        return None
    *_, address, ssh_port = ["", "", *environment.get("SSH_CONNECTION", "").split()][-4:]
    host = socket.getfqdn()
    if "." not in host or host.startswith("localhost"):
        host = address if _is_address(address) else socket.gethostname()
    words = ["ssh", "-N", "-L", f"{port}:127.0.0.1:{port}"]
    login = environment.get("SLURM_SUBMIT_HOST", "")
    if login and login.partition(".")[0] != socket.gethostname().partition(".")[0]:
        words += ["-J", f"{_user()}@{login}"]  # a node of the cluster, reached by way of where the job was handed in
        host = socket.gethostname()
    elif ssh_port.isdigit() and ssh_port != _USUAL_PORT:
        words += ["-p", ssh_port]
    return shlex.join([*words, f"{_user()}@{host}"])


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container may have no name for its number
        return "USER"


def _is_address(text: str) -> bool:
    try:
        return not ipaddress.ip_address(text).is_loopback
    except ValueError:
        return False
