"""The messages between page and kernel; the twin of ``src/protocol.ts``.

The page sends requests, several in one message, and withdraws them; the kernel sends exactly one reply or failure for
every request. Binary parts travel beside the JSON as buffers. The samples in ``tests/fixtures/protocol.json`` hold
both sides to the same form.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from h5explorer_py.errors import BadRequestError, ExplorerError, InternalError
from h5explorer_py.files import shorten

VERSION = 2
"""Raised whenever one side would misunderstand the other."""

METHODS = (
    "rows",
    "stats",
    "image",
    "original",
    "ahead",
    "thumbnails",
    "metadata",
    "find",
    "count",
    "status",
    "show",
    "export",
    "share",
    "columns",
    "values",
    "open",
    "asset",
)
"""What can be asked for."""

MOST_REQUESTS = 256
_LONGEST_ID = 100

JSON = dict[str, Any]


@dataclass(frozen=True)
class Request:
    """One thing that the page asks for.

    Attributes
    ----------
    request : str
        Its name, chosen by the page, different for every request of every page.
    method : str
        One of ``METHODS``.
    params : dict
        What the method needs.
    """

    request: str
    method: str
    params: JSON = field(default_factory=dict)

    def to_json(self) -> JSON:
        """Return the form on the wire."""
        return {"request": self.request, "method": self.method, "params": self.params}


@dataclass(frozen=True)
class Ask:
    """Requests that were made together."""

    requests: tuple[Request, ...]
    version: int = VERSION

    def to_json(self) -> JSON:
        """Return the form on the wire."""
        return {
            "kind": "ask",
            "version": self.version,
            "requests": [each.to_json() for each in self.requests],
        }


@dataclass(frozen=True)
class Cancel:
    """Requests whose answers nobody waits for any more."""

    requests: tuple[str, ...]

    def to_json(self) -> JSON:
        """Return the form on the wire."""
        return {"kind": "cancel", "requests": list(self.requests)}


@dataclass(frozen=True)
class Reply:
    """The answer to one request; its buffers go beside it."""

    request: str
    result: JSON

    def to_json(self) -> JSON:
        """Return the form on the wire."""
        return {"kind": "reply", "request": self.request, "result": self.result}


@dataclass(frozen=True)
class Failure:
    """The reason why a request has no answer."""

    request: str
    code: str
    message: str
    action: str = ""
    details: JSON = field(default_factory=dict)

    @classmethod
    def of(cls, request: str, error: BaseException) -> Failure:
        """Make the failure of an error; one that is not typed is a fault of this package."""
        known = error if isinstance(error, ExplorerError) else _fault(error)
        return cls(request, known.code, known.message, known.action, known.details)

    def to_json(self) -> JSON:
        """Return the form on the wire."""
        error = {"code": self.code, "message": self.message, "action": self.action, "details": self.details}
        return {"kind": "failure", "request": self.request, "error": error}


@dataclass(frozen=True)
class Answers:
    """Answers that were ready at the same time; their buffers go beside them, one answer's behind the other's.

    Attributes
    ----------
    answers : tuple of (Reply or Failure, int)
        Each with the number of its buffers.
    """

    answers: tuple[tuple[Reply | Failure, int], ...]

    def to_json(self) -> JSON:
        """Return the form on the wire."""
        return {
            "kind": "answers",
            "answers": [{**answer.to_json(), "buffers": buffers} for answer, buffers in self.answers],
        }


def _fault(error: BaseException) -> ExplorerError:
    return InternalError(
        f"Something went wrong in the kernel: {type(error).__name__}: {error}.",
        action="This is a fault of h5explorer; its log has the details.",
    )


def decode(content: Any) -> Ask | Cancel:
    """Understand a message from the page.

    Raises
    ------
    BadRequestError
        Where it is none, with the requests' names in ``details["requests"]`` as far as they can be told.
    """
    if not isinstance(content, dict):
        raise BadRequestError("A message is a JSON object.")
    requests = content.get("requests")
    if not isinstance(requests, list) or len(requests) > MOST_REQUESTS:
        raise BadRequestError(f"A message has a list of up to {MOST_REQUESTS} requests.")
    if content.get("kind") == "cancel":
        if not all(isinstance(each, str) for each in requests):
            raise BadRequestError("Requests are withdrawn by their names.")
        return Cancel(tuple(requests))
    names = [each["request"] for each in requests if isinstance(each, dict) and isinstance(each.get("request"), str)]
    if content.get("kind") != "ask":
        raise BadRequestError(f"There is no kind of message {_shown(content.get('kind'))}.", requests=names)
    if content.get("version") != VERSION:
        raise BadRequestError(
            f"The page speaks version {_shown(content.get('version'))} of the protocol, the kernel version {VERSION}.",
            action="Restart the kernel and reload the page, so that both are of one h5explorer.",
            requests=names,
        )
    try:
        return Ask(tuple(map(_request, requests)))
    except BadRequestError as error:
        error.details["requests"] = names
        raise


def _request(content: Any) -> Request:
    if not isinstance(content, dict):
        raise BadRequestError("A request is a JSON object.")
    request, method, params = content.get("request"), content.get("method"), content.get("params", {})
    if not isinstance(request, str) or not 0 < len(request) <= _LONGEST_ID:
        raise BadRequestError(f"A request has a name of up to {_LONGEST_ID} characters.")
    if method not in METHODS:
        raise BadRequestError(f"There is no method {_shown(method)}.")
    if not isinstance(params, dict):
        raise BadRequestError("A request's params are a JSON object.")
    return Request(request, method, params)


def _shown(value: Any) -> str:
    """Write a value of a message in a few signs, whatever it is."""
    if isinstance(value, (list, dict)):
        return "a list" if isinstance(value, list) else "an object"
    return shorten(repr(value)) if not isinstance(value, int) or abs(value) < 1 << 64 else "a larger one"


def integer(params: JSON, name: str, low: int, high: int) -> int:
    """Take a whole number from ``low`` to ``high`` out of the params.

    Raises
    ------
    BadRequestError
        Where it is missing or another kind of thing.
    """
    value = params.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise BadRequestError(f"{name} must be a whole number from {low} to {high}, not {_shown(value)}.")
    return value


def text(params: JSON, name: str, longest: int = 10_000) -> str:
    """Take a text out of the params.

    Raises
    ------
    BadRequestError
        Where it is missing or another kind of thing.
    """
    value = params.get(name)
    if not isinstance(value, str) or len(value) > longest:
        raise BadRequestError(f"{name} must be a text of up to {longest} characters.")
    return value
