"""``h5explorer open``: the explorer in a browser, without Jupyter."""

from __future__ import annotations

import argparse
import os
import sys
import webbrowser
from contextlib import ExitStack, closing, contextmanager
from html import escape
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from typing import TYPE_CHECKING

from h5explorer_py.cli.source import (
    add_cache,
    add_cache_limit,
    add_key_columns,
    add_root,
    add_sort,
    key_columns,
    moved_to,
    not_understood,
    tell,
)
from h5explorer_py.serve.idle import duration
from h5explorer_py.serve.ssh import forward_line, is_remote

if TYPE_CHECKING:
    from collections.abc import Iterator

    from h5explorer_py.options import Options
    from h5explorer_py.serve.door import Door
    from h5explorer_py.serve.opening import Opener, Wish

_DEFAULT_TERMINAL = "Ctrl-C ends it."


def add_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command and its options."""
    parser = commands.add_parser(
        "open",
        allow_abbrev=False,
        help="see a data set in a browser, without Jupyter",
        description="Show a data set in a browser. The page is served to this machine alone, and to the one browser in "
        "which the printed address is opened first. Ctrl-C ends it.",
        epilog="Ends with 0 on Ctrl-C; with 1 where it failed; with 2 where it was not understood, the condition "
        "included.",
    )
    parser.add_argument("path", metavar="PATH", help="a lookup, one shard, or a folder of shards")
    add_showing(parser)
    add_key_columns(parser)
    add_root(parser)
    add_cache(parser, "the folder of the cache")
    add_cache_limit(parser)
    parser.add_argument("--no-cache", action="store_true", help="do not pack large lookups in the background")
    add_serving(parser)
    parser.set_defaults(run=run)


def add_showing(parser: argparse.ArgumentParser) -> None:
    """Add what is shown to begin with."""
    parser.add_argument("--row", metavar="N", type=row_number, help="the row to show first, counted from 0")
    parser.add_argument(
        "--filter", metavar="SQL", default="", help="a condition on columns of the lookup or the metadata"
    )
    add_sort(parser)


def add_serving(parser: argparse.ArgumentParser) -> None:
    """Add how the page is served."""
    parser.add_argument("--port", metavar="P", type=_port, default=0, help="the port to listen on (one that is free)")
    parser.add_argument("--no-browser", action="store_true", help="print the address alone")
    parser.add_argument(
        "--idle",
        metavar="TIME",
        type=duration,
        help="end when nothing has been asked for so long, such as 30m or 2h (never)",
    )


def run(chosen: argparse.Namespace) -> int:
    """Do what the options say.

    Returns
    -------
    int
        0 when it is interrupted, or has been idle for long enough.

    Raises
    ------
    ExplorerError
        Where the lookup or the port cannot be opened.
    """
    from h5explorer_py.serve.opening import Wish

    wish = Wish(chosen.path, _options(chosen), chosen.filter, tuple(chosen.sort), chosen.row)
    return serve_wish(wish, chosen)


def serve_wish(wish: Wish, chosen: argparse.Namespace) -> int:
    """Serve a page until it is ended; returns the exit code."""
    _require_tornado()
    from h5explorer_py.errors import BadRequestError, ConditionError, WrongColumnsError
    from h5explorer_py.images.readers import reader_pool
    from h5explorer_py.serve.idle import IdleClock
    from h5explorer_py.serve.opening import Opener
    from h5explorer_py.serve.server import listen, serve

    with closing(listen(chosen.port)) as listening, ExitStack() as until_the_end:
        reader_pool().warm()
        try:
            opener = Opener(wish)
        except (BadRequestError, ConditionError) as error:
            not_understood(str(error))
        except WrongColumnsError as error:
            if not wish.sort:
                raise
            not_understood(str(error))
        with closing(opener):
            end = serve(
                listening, opener, IdleClock(chosen.idle), lambda door: _begun(door, opener, chosen, until_the_end)
            )
    tell("" if end == "interrupt" else "Nothing was asked for so long that h5explorer has ended.")
    return 0


def _begun(door: Door, opener: Opener, chosen: argparse.Namespace, until_the_end: ExitStack) -> None:
    """Print the address, and open it."""
    first = opener.first
    if first is not None:
        for notice in first.view.notices:
            tell(notice)
    line = forward_line(door.port, os.environ)
    print(door.address, flush=True)  # noqa: T201
    if line is not None:
        print(f"On your own computer, paste this first:\n{line}", flush=True)  # noqa: T201
    tell(_DEFAULT_TERMINAL)
    if not chosen.no_browser and line is None and has_display():
        leading = until_the_end.enter_context(page_that_leads_to(door.address))
        Thread(target=webbrowser.open, args=(leading,), name="h5explorer-browser", daemon=True).start()


@contextmanager
def page_that_leads_to(address: str) -> Iterator[str]:
    """Give the address of a file that only its owner can read, and that leads a browser on.

    What a browser is started with, every account of the machine can see; so that must not be what lets one in.
    """
    with TemporaryDirectory(prefix="h5explorer-", ignore_cleanup_errors=True) as folder:  # of the owner alone
        page = Path(folder, "open.html")
        page.write_text(
            f'<!doctype html><meta charset="utf-8"><meta http-equiv="refresh" content="0; url={escape(address)}">'
            "<title>h5explorer</title>"
        )
        yield page.as_uri()


def has_display() -> bool:
    """Whether a browser can be shown where this runs."""
    if is_remote(os.environ):
        return False
    return sys.platform in {"darwin", "win32"} or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _options(chosen: argparse.Namespace) -> Options:
    from h5explorer_py.options import Options

    cache: bool | str = os.path.abspath(os.path.expanduser(chosen.cache)) if chosen.cache else not chosen.no_cache
    return Options(moved_to(chosen), cache, key_columns(chosen), chosen.cache_limit)


def _require_tornado() -> None:
    from importlib.util import find_spec

    from h5explorer_py.errors import MissingPackageError

    if find_spec("tornado") is None:
        raise MissingPackageError(
            "The page is served by Tornado, which comes with Jupyter and is not in this environment.",
            action="Run: pip install tornado",
        )


def row_number(text: str) -> int:
    """Understand a row number.

    Raises
    ------
    ArgumentTypeError
        Where it is none.
    """
    if not (text.isascii() and text.isdigit()):
        raise argparse.ArgumentTypeError(f"{text!r} is no row number, counted from 0")
    return int(text)


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) < 1 << 16):
        raise argparse.ArgumentTypeError(f"{text!r} is no port, a number below 65,536")
    return int(text)
