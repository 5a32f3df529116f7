"""Small copies of pictures, against a full decode by Pillow."""

from __future__ import annotations

import contextlib
import io
import threading
import time
import zlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as pil
from PIL import ImageCms, ImageOps

from h5explorer_py.errors import (
    EmptyImageError,
    ExplorerError,
    FormatNotShownError,
    NotAnImageError,
    TooLargeError,
    TruncatedImageError,
)
from h5explorer_py.images import thumbnail as module
from h5explorer_py.images.thumbnail import Thumbnail, thumbnail
from tests.fixtures.pictures import pixels, png_16_bit
from tests.py.support import within

ORIENTATION = 0x0112


def scene(width: int, height: int, number: int = 3) -> np.ndarray:
    """A picture with a gradient, waves and a block, no side or corner of which is like another."""
    picture = pixels(number, width, height).astype(np.float64)
    x, y = np.meshgrid(np.linspace(0, 9, width), np.linspace(0, 6, height))
    return np.clip(picture + 20 * np.sin(x)[..., None] * np.cos(y * 1.7)[..., None], 0, 255).astype(np.uint8)


def saved(image: pil.Image, kind: str, **options: Any) -> bytes:
    written = io.BytesIO()
    image.save(written, kind, **options)
    return written.getvalue()


def decoded(made: Thumbnail) -> pil.Image:
    with pil.open(io.BytesIO(made.data)) as opened:
        opened.load()
        assert pil.MIME[opened.format or ""] == made.media_type
        assert opened.size == (made.width, made.height)
        return opened.copy()


def expected(data: bytes, side: int, mode: str = "RGB") -> pil.Image:
    """The truth: everything is decoded, turned, converted, then reduced by the best filter."""
    with pil.open(io.BytesIO(data)) as opened:
        whole = ImageOps.exif_transpose(opened).convert(mode)
    scale = min(1, side / max(whole.size))
    size = (max(1, round(whole.width * scale)), max(1, round(whole.height * scale)))
    return whole if whole.size == size else whole.resize(size, pil.Resampling.LANCZOS)


def decibels(found: pil.Image, wanted: pil.Image) -> float:
    """The peak signal-to-noise ratio; what is clear is compared as it looks on grey."""
    assert found.size == wanted.size
    first, second = (np.asarray(_on_grey(image), dtype=np.float64) for image in (found, wanted))
    error = float(((first - second) ** 2).mean())
    return 10 * np.log10(255**2 / max(error, 1e-6))


def _on_grey(image: pil.Image) -> pil.Image:
    ground = pil.new("RGBA", image.size, "grey")
    return pil.alpha_composite(ground, image.convert("RGBA")).convert("RGB")


def rgba(width: int, height: int) -> pil.Image:
    image = pil.fromarray(scene(width, height)).convert("RGBA")
    alpha = np.zeros((height, width), np.uint8)
    alpha[:, width // 4 :] = np.linspace(0, 255, width - width // 4).astype(np.uint8)
    image.putalpha(pil.fromarray(alpha))
    return image


def of_mode(mode: str, width: int = 700, height: int = 500) -> pil.Image:
    whole = pil.fromarray(scene(width, height))
    return rgba(width, height).convert(mode) if mode in {"RGBA", "LA"} else whole.convert(mode)


OPAQUE = [
    *(("JPEG", mode, {"quality": 90}) for mode in ("RGB", "L", "CMYK")),
    ("JPEG", "RGB", {"quality": 90, "progressive": True}),
    ("JPEG", "RGB", {"quality": 90, "subsampling": 0}),
    *(("PNG", mode, {}) for mode in ("RGB", "L", "P", "1")),
    ("WEBP", "RGB", {"quality": 90}),
    ("GIF", "P", {}),
    ("GIF", "L", {}),
    *(("BMP", mode, {}) for mode in ("RGB", "L", "P", "1")),
    *(("TIFF", mode, {}) for mode in ("RGB", "L", "P", "1", "CMYK")),
    ("TIFF", "RGB", {"compression": "tiff_lzw"}),
    ("TIFF", "RGB", {"compression": "jpeg"}),
    ("JPEG2000", "RGB", {}),
    ("AVIF", "RGB", {"quality": 90}),
]


@pytest.mark.parametrize(("kind", "mode", "options"), OPAQUE, ids=lambda value: str(value).replace(" ", ""))
@pytest.mark.parametrize("side", [64, 100, 256, 512])
def test_what_is_opaque_becomes_a_jpeg_that_looks_the_same(kind: str, mode: str, options: Any, side: int) -> None:
    if kind == "AVIF" and "AVIF" not in pil.registered_extensions().values():
        pytest.skip("This Pillow has no AVIF.")
    data = saved(of_mode(mode), kind, **options)
    made = thumbnail(data, side)
    assert made.media_type == "image/jpeg"
    assert max(made.width, made.height) == side
    # What is dithered to few colours is all edges, which JPEG keeps least.
    assert decibels(decoded(made), expected(data, side)) > {"1": 16, "P": 29}.get(mode, 33)
    assert len(made.data) < side * side


@pytest.mark.parametrize(("width", "height", "side"), [(521, 521, 64), (515, 389, 128), (1025, 513, 127)])
def test_a_reduced_decode_that_ends_within_a_pixel_shifts_nothing(width: int, height: int, side: int) -> None:
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    waves = 128 + 60 * np.sin(x * 2 * np.pi / 90) + 60 * np.sin(y * 2 * np.pi / 90)
    data = saved(pil.fromarray(waves.astype(np.uint8)), "JPEG", quality=95)
    assert decibels(decoded(thumbnail(data, side)), expected(data, side)) > 33


@pytest.mark.parametrize(("kind", "mode"), [("PNG", "RGBA"), ("PNG", "LA"), ("WEBP", "RGBA"), ("TIFF", "RGBA")])
@pytest.mark.parametrize("side", [64, 128, 512])
def test_transparency_stays(kind: str, mode: str, side: int) -> None:
    data = saved(of_mode(mode), kind)
    made = thumbnail(data, side)
    assert made.media_type == "image/webp"
    found = decoded(made)
    assert found.mode == "RGBA"
    wanted = expected(data, side, "RGBA")
    assert decibels(found, wanted) > 33
    alpha, true = (np.asarray(image.getchannel("A"), dtype=int) for image in (found, wanted))
    assert abs(alpha - true).max() <= 12
    assert (alpha[:, : side // 8] == 0).all()


def test_transparency_without_webp(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("PIL.features.check", lambda _: False)
    data = saved(of_mode("RGBA"), "PNG")
    made = thumbnail(data, 128)
    assert made.media_type == "image/png"
    assert decibels(decoded(made), expected(data, 128, "RGBA")) > 40


@pytest.mark.parametrize("mode", ["P", "RGB", "L", "1"])
def test_one_transparent_colour(mode: str) -> None:
    image = of_mode(mode, 300, 200)
    colour = image.getpixel((0, 0))
    data = saved(image, "PNG", transparency=colour)
    with pil.open(io.BytesIO(data)) as opened:
        clear = np.asarray(opened.convert("RGBA"))[..., 3] == 0
    assert clear.any()
    made = thumbnail(data, 100)
    assert decibels(decoded(made), expected(data, 100, "RGBA")) > 20


def test_an_alpha_channel_that_hides_nothing_costs_nothing() -> None:
    data = saved(pil.fromarray(scene(300, 200)).convert("RGBA"), "PNG")
    assert thumbnail(data, 100).media_type == "image/jpeg"


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize(("width", "height"), [(600, 320), (50, 90)], ids=["reduced", "not reduced"])
def test_it_is_turned_as_its_exif_says(orientation: int, kind: str, width: int, height: int) -> None:
    exif = pil.Exif()
    exif[ORIENTATION] = orientation
    data = saved(pil.fromarray(scene(width, height)), kind, exif=exif)
    made = thumbnail(data, 128)
    assert (made.width > made.height) == ((width > height) == (orientation <= 4))
    assert decibels(decoded(made), expected(data, 128)) > 30
    with pil.open(io.BytesIO(made.data)) as opened:
        assert not opened.getexif()


@pytest.mark.parametrize(
    "exif", [b"", b"Exif\0\0", b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0MM\0*" + bytes(30), b"x" * 99]
)
def test_damaged_exif_data_does_not_hide_the_picture(exif: bytes) -> None:
    data = saved(pil.fromarray(scene(300, 200)), "JPEG", exif=exif)
    assert (thumbnail(data, 128).width, thumbnail(data, 128).height) == (128, 85)


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "TIFF"])
def test_the_first_frame_stands_for_all(kind: str) -> None:
    frames = [pil.fromarray(scene(200, 150, number)) for number in (1, 40, 90)]
    data = saved(frames[0], kind, save_all=True, append_images=frames[1:])
    first = decibels(decoded(thumbnail(data, 100)), frames[0].resize((100, 75), pil.Resampling.LANCZOS))
    other = decibels(decoded(thumbnail(data, 100)), frames[1].resize((100, 75), pil.Resampling.LANCZOS))
    assert first > 28
    assert first > other + 8


def test_sixteen_bits_are_mapped_as_a_browser_maps_them() -> None:
    found = np.asarray(decoded(thumbnail(png_16_bit(), 64)), dtype=float)
    wanted = np.arange(32 * 32).reshape(32, 32) * 60 * 255 / 65535
    assert abs(found - wanted).max() <= 0.5


@pytest.mark.parametrize("dtype", ["<u2", ">u2"])
def test_sixteen_bits_of_either_order(dtype: str) -> None:
    values = np.linspace(0, 65535, 300 * 200).reshape(200, 300).astype(dtype)
    made = thumbnail(saved(pil.fromarray(values), "TIFF"), 150)
    wanted = pil.fromarray((values.astype(float) / 257).astype(np.uint8)).resize((150, 100), pil.Resampling.LANCZOS)
    assert decibels(decoded(made), wanted) > 35


@pytest.mark.parametrize("dtype", [np.int32, np.float32])
def test_numbers_without_a_range_are_shown_from_the_least_to_the_greatest(dtype: Any) -> None:
    ramp = np.linspace(-40_000, 90_000, 300 * 200).reshape(200, 300)
    made = thumbnail(saved(pil.fromarray(ramp.astype(dtype)), "TIFF"), 150)
    wanted = pil.fromarray(((ramp + 40_000) * 255 / 130_000).astype(np.uint8)).resize((150, 100))
    assert decibels(decoded(made), wanted) > 35


@pytest.mark.parametrize("value", [0.0, 5.0, np.nan, np.inf])
def test_numbers_that_are_all_one_or_none(value: float) -> None:
    odd = np.full((100, 100), value, np.float32)
    assert np.asarray(decoded(thumbnail(saved(pil.fromarray(odd), "TIFF"), 64))).max() == 0


def test_numbers_that_are_none_do_not_hide_the_others() -> None:
    values = np.zeros((64, 64), np.float32)
    values[:, 32:] = 10
    values[0, 0], values[1, 1], values[2, 2] = np.nan, np.inf, -np.inf
    found = np.asarray(decoded(thumbnail(saved(pil.fromarray(values), "TIFF"), 64)))
    assert (found[10, 5], found[10, 40], found[0, 0], found[1, 1]) == (0, 255, 0, 255)


@pytest.mark.parametrize("kind", ["PNG", "BMP", "GIF"])
def test_a_tiny_picture_stays_exactly_as_it_is(kind: str) -> None:
    image = pil.fromarray(np.random.default_rng(1).integers(0, 2, (28, 20), dtype=np.uint8) * 255)
    made = thumbnail(saved(image, kind), 128)
    assert (made.media_type, made.width, made.height) == ("image/png", 20, 28)
    assert np.array_equal(np.asarray(decoded(made).convert("L")), np.asarray(image))


def test_a_short_profile_of_wide_colours_goes_along_and_the_usual_does_not() -> None:
    usual = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    wide = bytearray(usual[:600])
    wide[0:4] = len(wide).to_bytes(4, "big")
    image = pil.fromarray(scene(300, 200))
    for profile, kept in ((bytes(wide), True), (usual + bytes(3000), False)):
        made = decoded(thumbnail(saved(image, "JPEG", icc_profile=profile), 100))
        assert (made.info.get("icc_profile") == profile) == kept
    grey = thumbnail(saved(image.convert("L"), "JPEG", icc_profile=bytes(wide)), 100)
    assert "icc_profile" not in decoded(grey).info


def test_nothing_else_that_was_written_into_the_picture_goes_along() -> None:
    data = saved(pil.fromarray(scene(300, 200)), "JPEG", comment=b"c" * 50_000, xmp=b"x" * 50_000)
    assert len(thumbnail(data, 100).data) < 10_000


# hypothesis shrinks what fails to a picture that a person can look at
@settings(max_examples=60)
@given(
    width=st.integers(1, 900),
    height=st.integers(1, 900),
    side=st.integers(module.SMALLEST_SIDE, module.LARGEST_SIDE),
    kind=st.sampled_from(["JPEG", "PNG", "WEBP"]),
)
def test_sizes(width: int, height: int, side: int, kind: str) -> None:
    plain = pil.new("RGB", (width, height), (200, 30, 90))
    made = thumbnail(saved(plain, kind), side)
    assert max(made.width, made.height) == min(side, max(width, height))
    scale = max(made.width, made.height) / max(width, height)
    assert abs(min(made.width, made.height) - max(1, min(width, height) * scale)) <= 0.5
    middle = decoded(made).convert("RGB").getpixel((made.width // 2, made.height // 2))
    assert all(abs(found - wanted) <= 6 for found, wanted in zip(middle, (200, 30, 90), strict=True))


def test_a_large_jpeg_is_not_decoded_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of one with 100 MP, 12,500 × 8,000, less than 2 MP are."""
    monkeypatch.setattr(module, "LARGEST_DECODED", 2_000_000)
    data = saved(pil.new("L", (12_500, 8_000), 77), "JPEG")
    made = thumbnail(data, 128)
    assert (made.width, made.height) == (128, 82)
    assert decoded(made).convert("L").getpixel((64, 40)) == 77


def resized_header(width: int, height: int) -> bytes:
    data = bytearray(saved(pil.new("RGB", (40, 30)), "PNG"))
    data[16:24] = width.to_bytes(4, "big") + height.to_bytes(4, "big")
    data[29:33] = zlib.crc32(data[12:29]).to_bytes(4, "big")
    return bytes(data)


def large_jpeg(width: int, height: int, **options: Any) -> bytes:
    data = bytearray(saved(pil.new("L", (64, 64)), "JPEG", **options))
    at = data.index(b"\xff\xc2" if options else b"\xff\xc0") + 5
    data[at : at + 4] = height.to_bytes(2, "big") + width.to_bytes(2, "big")
    return bytes(data)


def large_webp(kind: bytes) -> bytes:
    size = (16_383, 16_383)
    if kind == b"VP8X":
        body = bytes(4) + (size[0] - 1).to_bytes(3, "little") + (size[1] - 1).to_bytes(3, "little")
    elif kind == b"VP8L":
        body = b"\x2f" + ((size[0] - 1) | (size[1] - 1) << 14).to_bytes(4, "little") + bytes(5)
    else:
        body = b"\x10\0\0\x9d\x01\x2a" + size[0].to_bytes(2, "little") + size[1].to_bytes(2, "little")
    chunk = kind + len(body).to_bytes(4, "little") + body
    return b"RIFF" + (4 + len(chunk)).to_bytes(4, "little") + b"WEBP" + chunk


def icon(picture: bytes) -> bytes:
    entry = bytes([32, 32, 0, 0, 1, 0, 32, 0]) + len(picture).to_bytes(4, "little") + (22).to_bytes(4, "little")
    return b"\0\0\1\0\1\0" + entry + picture


@pytest.mark.parametrize(
    "data",
    [
        resized_header(40_000, 40_000),
        resized_header(8_000, 8_000),
        large_jpeg(65_000, 65_000),
        large_jpeg(9_000, 9_000, progressive=True),
        *(large_webp(kind) for kind in (b"VP8X", b"VP8L", b"VP8 ")),
        icon(resized_header(20_000, 20_000)),
    ],
    ids=["png", "smaller png", "jpeg", "progressive", "VP8X", "VP8L", "VP8", "ico"],
)
def test_bombs_are_refused_before_they_are_decoded(data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", lambda _: pytest.fail("it is decoded"))
    monkeypatch.setattr("PIL.WebPImagePlugin.WebPImageFile._open", lambda _: pytest.fail("it is opened"))
    with pytest.raises(TooLargeError, match="×") as caught:
        thumbnail(data, 128, "cafe")
    assert str(caught.value).startswith("cafe has ")


@pytest.mark.filterwarnings("error")
def test_no_warning_of_pillow_reaches_the_notebook() -> None:
    """Its own bounds warn from 89 MP on, and refuse from 179 MP on."""
    data = saved(pil.new("L", (10_000, 9_500), 9), "JPEG")
    assert thumbnail(data, 64).width == 64


def test_large_ones_are_decoded_one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_SIDE_BY_SIDE", 1000)
    data = saved(pil.fromarray(scene(300, 200)), "PNG")
    inside = threading.Semaphore(1)
    load = pil.Image.load

    def alone(image: Any) -> Any:
        if not hasattr(image, "tile") or not image.tile:
            return load(image)
        assert inside.acquire(blocking=False)
        time.sleep(0.01)
        try:
            return type(image).__mro__[1].load(image)
        finally:
            inside.release()

    monkeypatch.setattr("PIL.PngImagePlugin.PngImageFile.load", alone, raising=False)
    failures: list[BaseException] = []

    def make() -> None:
        try:
            thumbnail(data, 100)
        except BaseException as error:  # noqa: BLE001
            failures.append(error)

    threads = [threading.Thread(target=make) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert failures == []


def test_what_nobody_waits_for_is_not_decoded() -> None:
    class WithdrawnError(ExplorerError):
        code = "withdrawn"

    def give_up() -> None:
        raise WithdrawnError("Enough.")

    with pytest.raises(WithdrawnError):
        thumbnail(saved(pil.fromarray(scene(300, 200)), "PNG"), 100, "it", give_up)


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"", EmptyImageError),
        (b"\x01\x02 nothing known", FormatNotShownError),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", FormatNotShownError),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", FormatNotShownError),
        (b"8BPS" + bytes(40), FormatNotShownError),
        (b"\xff\xd8\xff\xe0 no jpeg at all \xff\xd9", TruncatedImageError),
        (b"II*\0" + bytes(20), NotAnImageError),
        (b"BM" + bytes(60), FormatNotShownError),
        (b"\0\0\1\0\1\0" + bytes(40), TruncatedImageError),
    ],
)
def test_what_is_no_picture_says_so(data: bytes, kind: type[ExplorerError]) -> None:
    with pytest.raises(kind) as caught:
        thumbnail(data, 128, "cafe")
    assert type(caught.value) is kind
    assert str(caught.value).startswith("cafe ")
    assert caught.value.message.endswith(".")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "JPEG2000"])
def test_cut_anywhere_it_is_an_error_or_a_picture_of_the_right_size(kind: str) -> None:
    data = saved(pil.fromarray(scene(90, 70)), kind)
    for cut in range(0, len(data), max(1, len(data) // 60)):
        with contextlib.suppress(NotAnImageError):
            made = within(20, lambda end=cut: thumbnail(data[:end], 64))
            assert (made.width, made.height) == (64, 50)


@settings(max_examples=200)
@given(
    kind=st.sampled_from(["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF"]),
    changes=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=8),
)
@pytest.mark.filterwarnings("ignore")
def test_damaged_anywhere_it_is_a_typed_error_or_a_picture(kind: str, changes: list[tuple[float, int]]) -> None:
    data = bytearray(saved(pil.fromarray(scene(40, 30)), kind))
    for at, value in changes:
        data[int(at * len(data))] = value
    with contextlib.suppress(NotAnImageError, TooLargeError):
        made = thumbnail(bytes(data), 64)
        assert 1 <= max(made.width, made.height) <= 64
