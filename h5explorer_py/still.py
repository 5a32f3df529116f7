"""What a notebook shows of an explorer where no kernel answers: a picture and a sentence."""

from __future__ import annotations

import base64
import html
import io
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from h5explorer_py import jobs
from h5explorer_py.files import shorten

if TYPE_CHECKING:
    from collections.abc import Callable

    from h5explorer_py.images.image import Image

LARGEST = 70_000
"""Bytes of the picture; in a notebook, as base64, it takes a third more and stays below 100 kB."""

_SIDE = 480
_LARGEST_DECODED = 60_000_000
_QUALITIES = (80, 60, 40, 20)


def still_html(name: str, records: int, image: Image | None) -> str:
    """Return the markup: all text in it is escaped.

    Parameters
    ----------
    name : str
        The lookup's name.
    records : int
        How many rows it has.
    image : Image or None
        The picture to show, if there is one that can be.
    """
    picture = "" if image is None else _picture(image)
    shown = f" Shown is {html.escape(shorten(image.key))}." if image is not None and picture else ""
    sentence = (
        f"<strong>{html.escape(shorten(name))}</strong>: {records:,} record{'' if records == 1 else 's'}.{shown} "
        "This is a still picture. To explore the data set, run this cell again in a notebook "
        "with a kernel that has h5explorer."
    )
    return f"<figure>{picture}<figcaption>{sentence}</figcaption></figure>"


def still_in_time(make: Callable[[], str], seconds: float) -> str | None:
    """Have a still picture made; ``None`` where it takes longer, or cannot be."""
    outcomes: SimpleQueue[object] = SimpleQueue()
    job = jobs.Job(lambda _: make(), lambda still, _: outcomes.put(still), seconds)
    jobs.stills.submit(job)
    try:
        still = outcomes.get(timeout=seconds)
    except Empty:
        job.cancel()
        return None
    return still if isinstance(still, str) else None


def _picture(image: Image) -> str:
    jpeg = small_jpeg(image.data)
    if jpeg is None:
        return ""
    alt = html.escape(shorten(image.key), quote=True)
    return f'<img alt="{alt}" src="data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}">'


def small_jpeg(data: bytes) -> bytes | None:
    """Make a small JPEG of a picture; ``None`` where it cannot be decoded."""
    from PIL import Image as pil
    from PIL import ImageOps

    try:
        with pil.open(io.BytesIO(data)) as opened:
            opened.draft("RGB", (_SIDE, _SIDE))
            if opened.width * opened.height > _LARGEST_DECODED:
                return None
            turned = ImageOps.exif_transpose(opened)
            turned.thumbnail((_SIDE, _SIDE))
            flat = pil.new("RGB", turned.size, "white")
            flat.paste(turned, mask=turned.getchannel("A") if "A" in turned.getbands() else None)
        for quality in _QUALITIES:
            written = io.BytesIO()
            flat.save(written, "JPEG", quality=quality)
            if written.tell() <= LARGEST:
                return written.getvalue()
    except Exception:  # noqa: BLE001  (Pillow's plugins raise all kinds on damaged bytes; there is no still then)
        return None
    return None
