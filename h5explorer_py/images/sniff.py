"""What kind of picture some bytes are, and whether they end where they should: told from the bytes alone."""

from __future__ import annotations

from typing import Final

SHOWN_BY_PAGES: Final = frozenset({"JPEG", "PNG", "WebP", "GIF", "BMP", "AVIF", "ICO"})
"""Formats that browsers decode themselves."""

MEDIA_TYPES: Final = {
    "JPEG": "image/jpeg",
    "PNG": "image/png",
    "WebP": "image/webp",
    "GIF": "image/gif",
    "BMP": "image/bmp",
    "AVIF": "image/avif",
    "ICO": "image/x-icon",
    "TIFF": "image/tiff",
    "JPEG 2000": "image/jp2",
    "JPEG XL": "image/jxl",
    "HEIC": "image/heic",
    "SVG": "image/svg+xml",
    "FITS": "image/fits",
}

_SIGNATURES: Final = (
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
    (b"II+\0", "TIFF"),
    (b"MM\0+", "TIFF"),
    (b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000"),
    (b"\xff\x4f\xff\x51", "JPEG 2000"),
    (b"\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL"),
    (b"\xff\x0a", "JPEG XL"),
    (b"SIMPLE  =", "FITS"),
    (b"\x93NUMPY", "NumPy array"),
    (b"\0\0\1\0", "ICO"),
    (b"8BPS", "Photoshop"),
    (b"%PDF-", "PDF"),
    (b"\x89HDF\r\n\x1a\n", "HDF5"),
    (b"PK\3\4", "ZIP"),
    (b"\x1f\x8b", "gzip"),
)
_AVIF_BRANDS: Final = frozenset({b"avif", b"avis"})
_HEIC_BRANDS: Final = frozenset({b"heic", b"heix", b"hevc", b"hevx", b"mif1", b"msf1"})
_BRANDS_END: Final = 256
_BMP_HEADERS: Final = frozenset({12, 16, 40, 52, 56, 64, 108, 124})


def format_of(data: bytes) -> str:
    """Return the name of the format; empty where the bytes are none that is known."""
    for signature, name in _SIGNATURES:
        if data.startswith(signature):
            return name
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WebP"
    if data[4:8] == b"ftyp":
        end = min(len(data), _number(data[:4]), _BRANDS_END)
        brands = {data[8:12], *(data[at : at + 4] for at in range(16, end, 4))}
        if brands & _AVIF_BRANDS:
            return "AVIF"
        if brands & _HEIC_BRANDS:
            return "HEIC"
    if data[:2] == b"BM" and int.from_bytes(data[14:18], "little") in _BMP_HEADERS:
        return "BMP"
    head = data[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if head.startswith(b"<svg") or (head.startswith((b"<?xml", b"<!--", b"<!doctype svg")) and b"<svg" in head):
        return "SVG"
    return ""


def is_truncated(data: bytes, kind: str) -> bool:
    """Tell whether a picture's bytes end before the picture does.

    Only the frame of the format is looked at (markers, chunks, lengths), not the compressed values; formats other
    than JPEG, PNG, GIF, WebP and BMP are taken as complete.
    """
    check = {
        "JPEG": _jpeg_ends,
        "PNG": _png_ends,
        "GIF": _gif_ends,
        "WebP": _webp_ends,
        "BMP": _bmp_ends,
    }.get(kind)
    return check is not None and not check(data)


def bits_per_channel(data: bytes, kind: str) -> int:
    """Return how many bits a channel has; 8 where the format has no more, 0 where it is not told."""
    if kind == "PNG":
        return data[24] if len(data) > 24 else 0
    return 8 if kind in {"JPEG", "GIF", "WebP", "BMP"} else 0


def _number(data: bytes) -> int:
    return int.from_bytes(data, "big")


def _jpeg_ends(data: bytes) -> bool:
    """Walk the segments to the start of the scan, behind which the end marker must come."""
    at = 2
    while at + 4 <= len(data):
        if data[at] != 0xFF:
            return False
        marker = data[at + 1]
        if marker == 0xFF:  # fill
            at += 1
        elif marker == 0x01 or 0xD0 <= marker <= 0xD8:  # without a length
            at += 2
        elif marker == 0xD9:
            return True
        elif marker == 0xDA:
            return data.find(b"\xff\xd9", at) >= 0
        else:
            at += 2 + _number(data[at + 2 : at + 4])
    return False


def _png_ends(data: bytes) -> bool:
    at = 8
    while at + 12 <= len(data):
        kind = data[at + 4 : at + 8]
        at += 12 + _number(data[at : at + 4])
        if kind == b"IEND":
            return at <= len(data)
    return False


def _gif_ends(data: bytes) -> bool:
    """Walk the blocks to the trailer; a file that ends between two blocks, behind a picture, is complete too."""
    if len(data) < 13:
        return False
    pictures = 0
    at = 13 + _colour_table(data[10])
    while at < len(data):
        if data[at] == 0x3B:
            return True
        if data[at] == 0x21:  # an extension: its label, then sub-blocks
            at = _after_sub_blocks(data, at + 2)
        elif data[at] == 0x2C:  # an image: its descriptor, perhaps colours, the code size, then sub-blocks
            if at + 10 > len(data):
                return False
            at = _after_sub_blocks(data, at + 10 + _colour_table(data[at + 9]) + 1)
            pictures += 1
        else:
            return pictures > 0  # bytes behind the picture that are none of it
        if at < 0:
            return False
    return at == len(data) and pictures > 0


def _colour_table(flags: int) -> int:
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _after_sub_blocks(data: bytes, at: int) -> int:
    while at < len(data):
        size = data[at]
        at += 1 + size
        if size == 0:
            return at
    return -1


def _webp_ends(data: bytes) -> bool:
    declared = int.from_bytes(data[4:8], "little") + 8
    return len(data) >= declared - declared % 2


def _bmp_ends(data: bytes) -> bool:
    """Compare with the size that header and pixels of an uncompressed picture take up."""
    if len(data) < 54:
        return int.from_bytes(data[14:18], "little") == 12
    begin = int.from_bytes(data[10:14], "little")
    width = abs(int.from_bytes(data[18:22], "little", signed=True))
    height = abs(int.from_bytes(data[22:26], "little", signed=True))
    bits = int.from_bytes(data[28:30], "little")
    compression = int.from_bytes(data[30:34], "little")
    if compression not in {0, 3} or int.from_bytes(data[14:18], "little") < 40:
        return True
    return len(data) >= begin + (width * bits + 31) // 32 * 4 * height
