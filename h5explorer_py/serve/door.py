"""Who is let in: the one who has the address that was printed, once, and from then on that browser."""

from __future__ import annotations

import hmac
import secrets
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_BYTES = 32


class Door:
    """The secrets of one run, and what is checked of every request.

    Parameters
    ----------
    port : int
        The port that is listened on.
    """

    def __init__(self, port: int) -> None:
        self.port = port
        self._token: str | None = secrets.token_urlsafe(_BYTES)
        self._key = secrets.token_urlsafe(_BYTES)
        # Cookies are a host's, whatever its port: another server of this machine must not take ours away.
        self.cookie = f"h5explorer-{port}"

    @property
    def address(self) -> str:
        """The address to open in a browser: it lets in one, once."""
        return f"http://127.0.0.1:{self.port}/?token={self._token or ''}"

    def admit(self, token: str) -> str | None:
        """Return what the browser shows from now on, for the token of the address; ``None`` for all others.

        The token is void then.
        """
        if self._token is None or not _same(token, self._token):
            return None
        self._token = None
        return self._key

    def knows(self, key: str | None) -> bool:
        """Whether a browser has been let in."""
        return key is not None and self._token is None and _same(key, self._key)

    def is_own_host(self, hosts: Sequence[str]) -> bool:
        """Whether a request names this server: a page of elsewhere could give its own name our address."""
        return len(hosts) == 1 and hosts[0].lower() in self._hosts

    def is_own_origin(self, origins: Sequence[str], host: str) -> bool:
        """Whether a request comes from a page of this server."""
        return len(origins) == 1 and origins[0].lower() == f"http://{host.lower()}"

    @property
    def _hosts(self) -> set[str]:
        names = {"127.0.0.1", "localhost"}
        with_port = {f"{name}:{self.port}" for name in names}
        return with_port | names if self.port == 80 else with_port


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode("utf-8", "surrogateescape"), other.encode())
