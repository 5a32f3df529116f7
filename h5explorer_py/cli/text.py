"""Text for a terminal, whatever is in the names that it holds."""

from __future__ import annotations


def show(text: str) -> None:
    """Write a line to the standard output."""
    print(visible(text))  # noqa: T201


def visible(text: str) -> str:
    """Return a text on one line, whatever a path has in it."""
    return "".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in text)
