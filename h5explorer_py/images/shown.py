"""What a page is told of an image: its facts, or why it is not shown."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from h5explorer_py.errors import FormatNotShownError, TooLargeError, TruncatedImageError
from h5explorer_py.files import shorten
from h5explorer_py.images.sniff import SHOWN_BY_PAGES, bits_per_channel, is_truncated

if TYPE_CHECKING:
    from h5explorer_py.images.image import Image
    from h5explorer_py.protocol import JSON

LARGEST_PICTURE = 120_000_000
"""Pixels that are sent to a page: decoded they take 480 MB there."""


def facts_of(row: int, image: Image) -> JSON:
    """Return what a page is told of an image, whether it can show it or not."""
    return {
        "row": row,
        "key": image.key,
        "format": image.format,
        "mediaType": image.media_type,
        "source": image.source,
        "seconds": image.seconds,
        "bytes": len(image.data),
    }


def shown_facts_of(row: int, image: Image) -> JSON:
    """Return the facts of an image that a page can show.

    Raises
    ------
    FormatNotShownError, TruncatedImageError, TooLargeError
        Where it cannot.
    """
    kind, key = image.format, shorten(image.key)
    details: dict[str, Any] = {
        "format": kind,
        "bytes": len(image.data),
        "source": image.source,
        "savable": True,
    }
    if kind not in SHOWN_BY_PAGES:
        if not kind:
            raise FormatNotShownError(
                f"The {len(image.data):,} bytes of {key} are no picture of a known format; "
                f"they begin with {image.data[:8].hex(' ')}.",
                action="The original bytes can be saved.",
                **details,
            )
        article = "an" if kind[0] in "AEFHMNRS" and kind.isupper() else "a"
        raise FormatNotShownError(
            f"{key} is {article} {kind} file, which browsers do not show.",
            action="It is drawn by a later version; the original bytes can be saved.",
            **details,
        )
    if is_truncated(image.data, kind):
        raise TruncatedImageError(
            f"{key} is cut short: the {kind} picture does not end within its {len(image.data):,} bytes.",
            action="The original bytes can be saved.",
            **details,
        )
    size = _size(image)
    if size is None or size[0] * size[1] > LARGEST_PICTURE:
        has = f"has {size[0]:,} × {size[1]:,} pixels" if size else "has far more pixels than a picture should"
        raise TooLargeError(
            f"{key} {has}; up to {LARGEST_PICTURE // 1_000_000} million are shown.",
            action="Larger ones are drawn by a later version; the original bytes can be saved.",
            **details,
        )
    width, height = size
    notes = []
    if bits_per_channel(image.data, kind) > 8:
        notes.append("16 bits a channel, shown in 8; full depth is drawn by a later version")
    return {**facts_of(row, image), "width": width, "height": height, "notes": notes}


def _size(image: Image) -> tuple[int, int] | None:
    """Read the size out of the header; (0, 0) where Pillow cannot, which leaves it to the browser.

    ``None`` where there are so many pixels that Pillow does not say how many.
    """
    from PIL import Image as pil

    try:
        with pil.open(io.BytesIO(image.data)) as opened:
            return opened.size
    except pil.DecompressionBombError:
        return None
    except Exception:  # noqa: BLE001  (its plugins raise all kinds on damaged bytes)
        return 0, 0
