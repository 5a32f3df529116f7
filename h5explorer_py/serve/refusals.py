"""What a browser shows where a request is refused."""

from __future__ import annotations

import base64
import hashlib

_STYLE = (
    "html{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}"
    "main{margin:15vh auto 0;max-width:34em;padding:0 1em}h1{font-size:1.25em}"
)
_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
CONTENT_SECURITY_POLICY = (
    f"default-src 'none'; style-src 'sha256-{_HASH}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""What such a page may do: nothing but look as it does, as whoever sees it has not been let in."""

_START = "start <code>h5explorer open</code> again, and open the address that it prints."
_REASONS = {
    "host": (403, "This address is not the server's own name.", "Open the address that h5explorer has printed."),
    "origin": (403, "This request comes from another page.", ""),
    "cookie": (
        403,
        "This browser has not been let in.",
        f"Open the address that h5explorer has printed. If it was used in another browser: {_START}",
    ),
    "token": (
        403,
        "This address has been used: its token lets in one browser, once.",
        f'If it was this browser, <a href="/">go on</a>. If not: {_START}',
    ),
    "method": (405, "Nothing can be sent to this address.", ""),
    "path": (404, "There is nothing at this address.", '<a href="/">Go to the explorer</a>.'),
}
_AGAIN = '<meta http-equiv="refresh" content="0; url=/">'


class Refused(Exception):  # noqa: N818  (what has become of the request)
    """A request is not answered.

    Parameters
    ----------
    reason : str
        Why: one of ``host``, ``origin``, ``cookie``, ``token``, ``method``, ``path``.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    @property
    def status(self) -> int:
        """The status of the answer."""
        return _REASONS[self.reason][0]


def refusal_page(refused: Refused, *, again: bool = False) -> str:
    """Return what is shown; nothing in it comes from the request.

    Parameters
    ----------
    refused : Refused
        The reason.
    again : bool
        Whether the browser asks once more, from here.
    """
    _, sentence, action = _REASONS[refused.reason]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>h5explorer</title><style>{_STYLE}</style>{_AGAIN if again else ''}</head>"
        f"<body><main><h1>{sentence}</h1><p>{action}</p></main></body></html>\n"
    )
