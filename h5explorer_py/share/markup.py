"""The HTML of a shared page: the front end and the data, all within it."""

from __future__ import annotations

import json
from base64 import b64encode
from functools import cache
from hashlib import sha256
from html import escape
from typing import TYPE_CHECKING

from h5explorer_py.built import built
from h5explorer_py.share.gathered import pack

if TYPE_CHECKING:
    from collections.abc import Sequence

    from h5explorer_py.share.gathered import GatheredRow

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'sha256-{digest}'; \
style-src 'unsafe-inline'; img-src blob: data:; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<main id="explorer"><noscript>This page needs JavaScript.</noscript></main>
<script type="application/json" id="rows">{rows}</script>
{data}
<script type="module">{script}</script>
</body>
</html>
"""


@cache
def _front_end() -> tuple[str, str]:
    """Return the script and the style; neither may end the element that it stands in."""
    script, style = (built(name).read_text(encoding="utf-8") for name in ("share.js", "share.css"))
    if "</script" in script.lower() or "<!--" in script or "</style" in style.lower():
        raise ValueError("the front end of shared pages cannot stand in a page")
    return script, style


def page_of(name: str, chosen: int, rows: Sequence[GatheredRow]) -> bytes:
    """Return a page.

    Parameters
    ----------
    name : str
        What the lookup is called.
    chosen : int
        How many rows were to be shared.
    rows : sequence of GatheredRow
        Those that it holds.
    """
    script, style = _front_end()
    found = pack(rows)
    data = [_data("picture", number, text) for number, text in enumerate(found.pictures)]
    data += [_data("table", number, b64encode(stream)) for number, stream in enumerate(found.tables)]
    return _PAGE.format(
        digest=b64encode(sha256(script.encode()).digest()).decode(),
        title=escape(f"{name or 'Shared'} - h5explorer"),
        style=style,
        rows=_json({"name": name, "chosen": chosen, "columns": found.columns, "rows": found.rows}),
        data="\n".join(data),
        script=script,
    ).encode("utf-8", "replace")


def _data(kind: str, number: int, text: bytes) -> str:
    return f'<script type="text/plain" id="{kind}-{number}">{text.decode("ascii")}</script>'


def _json(value: object) -> str:
    """Write JSON that no text of the data can end: where HTML looks for tags there is none."""
    return json.dumps(value).replace("<", "\\u003c")
