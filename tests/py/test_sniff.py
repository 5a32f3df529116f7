"""What bytes are, and whether they are all there: as Pillow says, and never an exception."""

from __future__ import annotations

import io
import tracemalloc
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as pil
from PIL import features

from h5explorer_py.images.sniff import MEDIA_TYPES, SHOWN_BY_PAGES, bits_per_channel, format_of, is_truncated
from tests.fixtures.pictures import encoded, pixels, png_16_bit
from tests.py.support import within

if TYPE_CHECKING:
    from pathlib import Path

OURS = {"JPEG2000": "JPEG 2000", "WEBP": "WebP", "MPO": "JPEG", "DIB": ""}
"""What Pillow calls otherwise."""


def picture(kind: str, mode: str = "RGB", number: int = 1, **options: object) -> bytes:
    written = io.BytesIO()
    pil.fromarray(pixels(number)).convert(mode).save(written, kind, **options)
    return written.getvalue()


def frames(kind: str, count: int = 4, **options: object) -> bytes:
    written = io.BytesIO()
    first, *others = (pil.fromarray(pixels(number)) for number in range(count))
    first.save(written, kind, save_all=True, append_images=others, **options)
    return written.getvalue()


def with_thumbnail() -> bytes:
    """A JPEG that holds a whole smaller one in its EXIF data, end marker and all."""
    exif = pil.Exif()
    exif[0x010E] = "described"
    thumbnail = picture("JPEG", number=2)
    head = exif.tobytes()
    body = head + thumbnail
    whole = picture("JPEG")
    segment = b"\xff\xe1" + (len(body) + 2).to_bytes(2, "big") + body
    return whole[:2] + segment + whole[2:]


WHOLE = {
    "JPEG": picture("JPEG"),
    "JPEG grey": picture("JPEG", "L"),
    "JPEG CMYK": picture("JPEG", "CMYK"),
    "JPEG progressive": picture("JPEG", progressive=True),
    "JPEG restart": picture("JPEG", restart_marker_blocks=2),
    "JPEG thumbnail": with_thumbnail(),
    "JPEG comment": picture("JPEG", comment=b"\xff\xd9 in a comment \xff\xd9"),
    "JPEG two": frames("MPO", 2),
    "PNG": picture("PNG"),
    "PNG alpha": picture("PNG", "RGBA"),
    "PNG palette": picture("PNG", "P"),
    "PNG 1 bit": picture("PNG", "1"),
    "PNG 16 bit": png_16_bit(),
    "PNG animated": frames("PNG"),
    "GIF": picture("GIF", "P"),
    "GIF animated": frames("GIF", loop=0),
    "GIF comment": picture("GIF", "P", comment=b";,! and more" * 40),
    "WebP": picture("WEBP"),
    "WebP lossless": picture("WEBP", lossless=True),
    "WebP alpha": picture("WEBP", "RGBA"),
    "WebP animated": frames("WEBP"),
    "WebP exif": picture("WEBP", exif=b"Exif\0\0odd"),
    "BMP": picture("BMP"),
    "BMP grey": picture("BMP", "L"),
    "BMP 1 bit": picture("BMP", "1"),
    "BMP alpha": picture("BMP", "RGBA"),
}
OTHERS = {
    "TIFF": picture("TIFF"),
    "TIFF big": picture("TIFF", big_tiff=True),
    "ICO": picture("ICO"),
    "JPEG 2000": picture("JPEG2000", no_jp2=False),
    "JPEG 2000 stream": picture("JPEG2000", no_jp2=True),
    "AVIF": picture("AVIF") if features.check("avif") else None,
    "": picture("PPM"),
    " tga": picture("TGA"),
}


@pytest.mark.parametrize("name", [*WHOLE, *(name for name, data in OTHERS.items() if data)])
def test_the_format_is_the_one_that_pillow_finds(name: str) -> None:
    data = WHOLE.get(name) or OTHERS[name]
    with pil.open(io.BytesIO(data)) as opened:
        theirs = OURS.get(opened.format, opened.format)
    assert format_of(data) == (theirs if theirs not in {"PPM", "TGA"} else "")


@pytest.mark.parametrize("name", WHOLE)
def test_a_whole_picture_is_not_cut_short(name: str) -> None:
    data = WHOLE[name]
    assert not is_truncated(data, format_of(data))
    assert not is_truncated(data + b"\0bytes behind it", format_of(data))


@pytest.mark.parametrize("name", WHOLE)
def test_a_real_size_picture_is_not_cut_short(name: str) -> None:
    """Noise leaves more markers in the values than a gradient does."""
    kind = format_of(WHOLE[name])
    noise = np.random.default_rng(3).integers(0, 256, (300, 400, 3), np.uint8)
    written = io.BytesIO()
    pil.fromarray(noise).save(written, kind, progressive="progressive" in name)
    data = written.getvalue()
    assert not is_truncated(data, kind)
    assert all(is_truncated(data[:cut], kind) for cut in range(1000, len(data), 997))


@pytest.mark.parametrize("name", [name for name in WHOLE if not name.startswith(("GIF", "JPEG two"))])
def test_every_beginning_of_a_picture_is_cut_short(name: str) -> None:
    data = WHOLE[name]
    kind = format_of(data)
    cuts = range(len(data)) if len(data) < 3000 else [*range(0, len(data), 7), *range(len(data) - 64, len(data))]
    assert [cut for cut in cuts if not is_truncated(data[:cut], kind)] == []


def ends_of_frames(data: bytes) -> list[int]:
    """Where a GIF may lack its trailer and nothing else, found by asking Pillow for all frames."""
    ends = []
    for cut in range(len(data)):
        try:
            with pil.open(io.BytesIO(data[:cut] + b";")) as opened:
                for frame in range(opened.n_frames):
                    opened.seek(frame)
                    opened.load()
        except Exception:  # noqa: BLE001  (Pillow raises all kinds)
            continue
        ends.append(cut)
    return ends


@pytest.mark.parametrize("name", ["GIF", "GIF animated", "GIF comment"])
def test_a_gif_may_lack_its_trailer_and_no_more(name: str) -> None:
    data = WHOLE[name]
    taken = [cut for cut in range(len(data)) if not is_truncated(data[:cut], "GIF")]
    assert len(data) - 1 in taken
    assert set(taken) <= set(ends_of_frames(data))


@pytest.mark.parametrize("header", [b"GIF89a\1\0\1\0\0\0\0", b"GIF87a\1\0\1\0\x80\0\0" + bytes(6)])
def test_a_gif_without_any_picture_is_cut_short(header: bytes) -> None:
    assert is_truncated(header, "GIF")
    assert is_truncated(header + b"!\xfe\3abc\0", "GIF")


def test_a_jpeg_of_two_pictures_is_there_when_the_first_is() -> None:
    data = WHOLE["JPEG two"]
    first = len(data) - data[::-1].find(b"\xff\xd8\xff"[::-1])
    assert is_truncated(data[: first // 2], "JPEG")


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"<svg xmlns='x'/>", "SVG"),
        (b"\xef\xbb\xbf<?xml version='1.0'?>\n<SVG>", "SVG"),
        (b"<!-- note --><svg>", "SVG"),
        (b"<?xml version='1.0'?><html>", ""),
        (b"<html><svg>", ""),
        (b"SIMPLE  =                    T", "FITS"),
        (b"\x93NUMPY\x01\0", "NumPy array"),
        (b"\0\0\0\x20ftypavif\0\0\0\0avifmif1", "AVIF"),
        (b"\0\0\0\x18ftypmif1\0\0\0\0mif1avif", "AVIF"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIC"),
        (b"\0\0\0\x18ftypisom\0\0\0\0isomiso2", ""),
        (b"\xff\x0a\x00", "JPEG XL"),
        (b"BM" + bytes(12) + b"\x28\0\0\0", "BMP"),
        (b"BMx and words that begin alike", ""),
        (b"RIFF\0\0\0\0WAVE", ""),
        (b"", ""),
        (b"\0", ""),
    ],
)
def test_formats_that_pillow_does_not_write(data: bytes, name: str) -> None:
    assert format_of(data) == name


def test_every_format_that_a_page_shows_has_a_media_type() -> None:
    assert set(MEDIA_TYPES) > SHOWN_BY_PAGES


@pytest.mark.parametrize(
    ("name", "bits"), [("PNG", 8), ("PNG 16 bit", 16), ("PNG 1 bit", 1), ("PNG palette", 4), ("JPEG", 8), ("BMP", 8)]
)
def test_bits_of_a_channel(name: str, bits: int) -> None:
    found = bits_per_channel(WHOLE[name], format_of(WHOLE[name]))
    assert found == bits or (name == "PNG palette" and found == 8)


starts = st.sampled_from([data[:length] for data in WHOLE.values() for length in (3, 8, 12, 30)]) | st.binary(
    max_size=8
)


@given(head=starts, rest=st.binary(max_size=200))
def test_no_bytes_raise(head: bytes, rest: bytes) -> None:
    data = head + rest
    kind = format_of(data)
    for each in (kind, *SHOWN_BY_PAGES):
        assert is_truncated(data, each) in {True, False}
        assert bits_per_channel(data, each) >= 0


@given(st.sampled_from(sorted(WHOLE)), st.data())
def test_no_damaged_picture_raises(name: str, data: st.DataObject) -> None:
    damaged = bytearray(WHOLE[name])
    for _ in range(data.draw(st.integers(1, 8))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    within(5, lambda: is_truncated(bytes(damaged), format_of(bytes(damaged))))


def test_lengths_that_are_not_true_take_neither_time_nor_memory() -> None:
    liar = b"\xff\xff\xff\xffftypxxxx" + bytes(30 << 20)
    tracemalloc.start()
    try:
        assert within(1, lambda: format_of(liar)) == ""
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


def test_files_that_are_known_to_break_decoders(shared: Path) -> None:
    files = sorted((shared / "corpora" / "images").iterdir())
    assert files
    for file in files:
        data = file.read_bytes()
        assert within(5, lambda data=data: is_truncated(data, format_of(data))) in {True, False}


def test_the_fixtures_are_what_they_are_called() -> None:
    for kind in ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF"):
        assert format_of(encoded(1, kind)).upper() == kind
