"""What is told of plain headers is what the decoders tell, whatever the bytes are."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as pil

from h5explorer_py.decode import light
from h5explorer_py.decode.facts import DecodeOptions
from h5explorer_py.decode.light import facts_in
from h5explorer_py.decode.picture import facts_of
from h5explorer_py.errors import ExplorerError
from tests.py.pictures import numbers, saved
from tests.py.support import SHARED

if TYPE_CHECKING:
    from collections.abc import Callable

    from h5explorer_py.decode.facts import Facts


def told(read: Callable[[], Facts]) -> Any:
    try:
        return read()
    except ExplorerError as error:
        return type(error), error.message


def check(data: bytes, options: DecodeOptions | None = None) -> None:
    options = options or DecodeOptions()
    assert told(lambda: facts_in(data, options)) == told(lambda: facts_of(io.BytesIO(data), options))


def exif(orientation: int | None, *, big: bool = False, more: bool = True) -> bytes:
    made = pil.Exif()
    made.endian = ">" if big else "<"
    if orientation is not None:
        made[274] = orientation
    if more:
        made[271], made[282], made[306] = "A maker of cameras", 72.0, "2026:01:02 03:04:05"
    return made.tobytes()


def jpeg(mode: str = "RGB", **options: Any) -> bytes:
    return saved(pil.fromarray(numbers((21, 34, 3), "uint8")).convert(mode), "JPEG", **options)


def png(mode: str, **options: Any) -> bytes:
    image = pil.fromarray(numbers((21, 34, 3), "uint8"))
    made = pil.fromarray(numbers((21, 34), "uint16")) if mode == "I;16" else image.convert(mode)
    return saved(made, "PNG", **options)


PLAIN = {
    "colour": jpeg(),
    "progressive": jpeg(progressive=True, icc_profile=b"p" * 500),
    "grey": jpeg("L", comment=b"a comment"),
    "CMYK": jpeg("CMYK"),
    **{f"turned {n}": jpeg(exif=exif(n, big=n % 2 == 0)) for n in range(1, 9)},
    "EXIF without a turn": jpeg(exif=exif(None)),
    **{f"PNG {mode}": png(mode) for mode in ("1", "L", "LA", "RGB", "RGBA", "I;16")},
    "PNG with a density": png("RGB", dpi=(72, 72)),
}
ODD = {
    "a turn in XMP": jpeg(exif=exif(None), xmp=b'<x tiff:Orientation="6"/>'),
    "a turn of 0": jpeg(exif=exif(0)),
    "a turn of 9": jpeg(exif=exif(9)),
    "EXIF of nothing": jpeg(exif=b"Exif\0\0"),
    "PNG palette": png("P"),
    "PNG transparent": png("RGB", transparency=(1, 2, 3)),
    "PNG turned": png("RGB", exif=exif(6)),
    "PNG of frames": png("RGB", save_all=True, append_images=[pil.new("RGB", (34, 21))]),
    "GIF": saved(pil.new("P", (3, 2)), "GIF"),
    "nothing": b"",
    "text": b"no picture",
}


@pytest.mark.parametrize("data", PLAIN.values(), ids=PLAIN)
def test_plain_headers_are_told_without_a_decoder(data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    check(data)
    check(data, DecodeOptions(most_pixels=100))
    check(data, DecodeOptions(page=1))
    monkeypatch.setattr(light, "facts_of", None)
    facts_in(data, DecodeOptions())


@pytest.mark.parametrize("data", ODD.values(), ids=ODD)
def test_others_are_told_by_the_decoder(data: bytes) -> None:
    check(data)


@settings(max_examples=1_500)
@given(st.data())
def test_damaged_headers_are_told_as_the_decoder_tells_them(draw: st.DataObject) -> None:
    data = bytearray(draw.draw(st.sampled_from([*PLAIN.values(), *ODD.values()])))
    head = min(len(data), 700)
    for _ in range(draw.draw(st.integers(0, 4))):
        if head:
            data[draw.draw(st.integers(0, head - 1))] = draw.draw(st.integers(0, 255))
    check(bytes(data[: draw.draw(st.integers(0, head) | st.just(len(data)))]))


@settings(max_examples=1_500)
@given(st.binary(max_size=60), st.integers(1, 8), st.booleans())
def test_any_exif_data_is_told_as_the_decoder_tells_it(ending: bytes, turn: int, big: bool) -> None:
    made = exif(turn, big=big, more=len(ending) % 2 == 0)
    spoilt = made[: max(6, len(made) - len(ending))] + ending
    check(jpeg(exif=spoilt))


def test_every_bad_file_is_told_as_the_decoder_tells_it() -> None:
    folder = SHARED / "corpora" / "images"
    if not folder.is_dir():
        pytest.skip("The folder of bad pictures is not there.")
    for path in sorted(folder.iterdir()):
        if path.is_file():
            check(path.read_bytes())


def test_a_huge_size_in_a_plain_header_is_refused() -> None:
    data = bytearray(jpeg())
    at = data.index(b"\xff\xc0")
    data[at + 5 : at + 9] = b"\xff\xff\xff\xff"
    check(bytes(data))
    assert np.iterable(told(lambda: facts_in(bytes(data), DecodeOptions())))
