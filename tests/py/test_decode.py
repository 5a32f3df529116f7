"""Pictures decode to the values that were written, whatever their kind: nothing is cut to 8 bits without a word."""

from __future__ import annotations

import io
import zlib
from typing import TYPE_CHECKING, Any

import imagecodecs
import numpy as np
import pytest
from astropy.io import fits
from PIL import Image as pil
from PIL import ImageCms, ImageOps

from h5explorer_py import errors
from h5explorer_py.decode.facts import DecodeOptions
from h5explorer_py.decode.picture import facts_of, pixels_of
from tests.py.pictures import HEIGHT, WIDTH, fits_of, numbers, saved, tiff
from tests.py.support import SHARED

if TYPE_CHECKING:
    from numpy.typing import NDArray

GREY, COLOUR = (HEIGHT, WIDTH), (HEIGHT, WIDTH, 3)


def check(data: bytes, expected: NDArray[Any], kind: str, options: DecodeOptions | None = None) -> None:
    """Decode, compare value by value, and see that the header told the same."""
    values, told = pixels_of(io.BytesIO(data), options)
    expected = expected[..., np.newaxis] if expected.ndim == 2 else expected
    assert values.dtype == expected.dtype
    np.testing.assert_array_equal(values, expected)
    assert told.kind == kind
    assert (told.height, told.width, told.channels) == values.shape
    assert told.dtype == values.dtype.name
    assert facts_of(io.BytesIO(data), options) == told


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF"])
@pytest.mark.parametrize(("mode", "shape"), [("L", GREY), ("RGB", COLOUR)])
def test_plain(kind: str, mode: str, shape: tuple[int, ...]) -> None:
    values = numbers(shape, "uint8")
    check(saved(pil.fromarray(values), kind), values, "grey" if mode == "L" else "colour")


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WebP"])
def test_alpha_is_kept(kind: str) -> None:
    values = numbers((HEIGHT, WIDTH, 4), "uint8")
    check(saved(pil.fromarray(values), kind, lossless=True, exact=True), values, "colour+alpha")


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_grey_with_alpha(kind: str) -> None:
    values = numbers((HEIGHT, WIDTH, 2), "uint8")
    check(saved(pil.fromarray(values, "LA"), kind), values, "grey+alpha")


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_jpeg_as_pillow_decodes_it(mode: str) -> None:
    image = pil.fromarray(numbers((32, 40, 3), "uint8")).convert(mode)
    data = saved(image, "JPEG", quality=90)
    expected = np.asarray(pil.open(io.BytesIO(data)).convert("L" if mode == "L" else "RGB"))
    check(data, expected, "grey" if mode == "L" else "colour")


def test_a_palette_is_colours() -> None:
    image = pil.fromarray(numbers(GREY, "uint8") % 5, "P")
    image.putpalette([10, 20, 30, 200, 0, 0, 0, 200, 0, 0, 0, 200, 255, 255, 255])
    expected = np.asarray(image.convert("RGB"))
    assert len(np.unique(expected)) > 5
    check(saved(image, "PNG"), expected, "colour")
    check(saved(image, "GIF"), expected, "colour")
    seen = saved(image, "PNG", transparency=2)
    check(seen, np.asarray(pil.open(io.BytesIO(seen)).convert("RGBA")), "colour+alpha")


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "BMP"])
def test_one_bit_is_black_and_white(kind: str) -> None:
    values = numbers(GREY, "uint8") > 128
    check(saved(pil.fromarray(values), kind), values.astype(np.uint8) * np.uint8(255), "grey")


@pytest.mark.parametrize("shape", [GREY, COLOUR, (HEIGHT, WIDTH, 2), (HEIGHT, WIDTH, 4)])
def test_png_of_16_bits(shape: tuple[int, ...]) -> None:
    values = numbers(shape, "uint16")
    kinds = {2: "grey+alpha", 3: "colour", 4: "colour+alpha"}
    check(bytes(imagecodecs.png_encode(values)), values, "grey" if len(shape) == 2 else kinds[shape[2]])


@pytest.mark.parametrize("depth", [8, 12, 16])
@pytest.mark.parametrize("shape", [GREY, COLOUR])
def test_jpeg_2000(depth: int, shape: tuple[int, ...]) -> None:
    big = (64, 64, *shape[2:])
    values = (numbers(big, "uint16") >> (16 - depth)).astype(np.uint8 if depth == 8 else np.uint16)
    data = bytes(imagecodecs.jpeg2k_encode(values, reversible=True, bitspersample=depth, level=0))
    check(data, values, "grey" if len(shape) == 2 else "colour")


@pytest.mark.parametrize(("shape", "dtype"), [(GREY, "uint8"), (COLOUR, "uint8"), (COLOUR, "uint16")])
def test_jpeg_xl(shape: tuple[int, ...], dtype: str) -> None:
    values = numbers(shape, dtype)
    data = bytes(imagecodecs.jpegxl_encode(values, lossless=True))
    check(data, values, "grey" if len(shape) == 2 else "colour")


@pytest.mark.parametrize("dtype", ["uint8", "int8", "uint16", "int16", "uint32", "int32", "float32", "float64"])
@pytest.mark.parametrize("order", "<>")
def test_tiff_of_every_type(dtype: str, order: str) -> None:
    for shape, kind in ((GREY, "grey"), (COLOUR, "colour")):
        values = numbers(shape, dtype)
        photometric = "rgb" if kind == "colour" else "minisblack"
        check(tiff(values, byteorder=order, photometric=photometric), values, kind)


@pytest.mark.parametrize("compression", ["lzw", "deflate", "zstd", "lzma", "packbits"])
@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_tiff_compressed(compression: str, dtype: str) -> None:
    values = numbers((40, 32, 3), dtype)
    check(tiff(values, photometric="rgb", compression=compression, tile=(16, 16)), values, "colour")


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_tiff_of_five_bands(dtype: str) -> None:
    values = numbers((HEIGHT, WIDTH, 5), dtype)
    check(tiff(values, photometric="minisblack", planarconfig="contig"), values, "bands")
    planes = np.ascontiguousarray(np.moveaxis(values, -1, 0))
    check(tiff(planes, photometric="minisblack", planarconfig="separate"), values, "bands")


def test_tiff_of_three_planes_is_colours() -> None:
    values = numbers(COLOUR, "uint8")
    check(tiff(np.ascontiguousarray(np.moveaxis(values, -1, 0)), photometric="rgb"), values, "colour")


def test_tiff_where_white_is_least() -> None:
    for dtype in ("uint8", "uint16"):
        values = numbers(GREY, dtype)
        check(tiff(values, photometric="miniswhite"), np.invert(values), "grey")


def test_tiff_of_several_pages() -> None:
    values = numbers((3, *GREY), "uint16")
    data = tiff(values, photometric="minisblack")
    assert facts_of(io.BytesIO(data)).pages == 3
    for page in range(3):
        check(data, values[page], "grey", DecodeOptions(page=page))
    with pytest.raises(errors.NotAnImageError, match="none of number 4"):
        facts_of(io.BytesIO(data), DecodeOptions(page=3))


def test_the_frames_of_a_gif() -> None:
    frames = [pil.fromarray(np.full(GREY, 60 * n, np.uint8)) for n in range(3)]
    data = saved(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert facts_of(io.BytesIO(data)).pages == 3
    assert pixels_of(io.BytesIO(data), DecodeOptions(page=2))[0].max() == 120


@pytest.mark.parametrize("turn", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WebP", "TIFF of 16 bits"])
def test_upright(turn: int, kind: str) -> None:
    if kind == "TIFF of 16 bits":
        values = numbers(GREY, "uint16")
        data = tiff(values, extratags=[(274, "H", 1, turn, True)])
        expected = np.asarray(_turned(pil.fromarray(values.astype(np.int32)), turn)).astype(np.uint16)
        check(data, expected, "grey")
        return
    exif = pil.Exif()
    exif[0x0112] = turn
    data = saved(
        pil.fromarray(numbers((16, 24, 3), "uint8")), kind, exif=exif, **({"lossless": True} if kind == "WebP" else {})
    )
    plain = pil.open(io.BytesIO(data))
    expected = np.asarray(plain if kind == "TIFF" else ImageOps.exif_transpose(plain))
    if kind == "TIFF":
        expected = np.asarray(_turned(pil.fromarray(numbers((16, 24, 3), "uint8")), turn))
    check(data, expected, "colour")


def _turned(image: pil.Image, turn: int) -> pil.Image:
    exif = image.getexif()
    exif[0x0112] = turn
    return ImageOps.exif_transpose(image)


@pytest.mark.parametrize(
    "dtype", ["uint8", "int16", "int32", "int64", "float32", "float64", "uint16", "uint32", "int8"]
)
def test_fits_of_every_type(dtype: str) -> None:
    for shape, kind in ((GREY, "grey"), ((5, *GREY), "bands"), ((1, 1, *GREY), "grey")):
        values = numbers(shape, dtype)
        expected = np.moveaxis(values, 0, -1) if len(shape) == 3 else values.reshape(GREY)
        check(fits_of(fits.PrimaryHDU(values)), expected, kind)


def test_fits_is_scaled() -> None:
    unit = fits.PrimaryHDU(numbers(GREY, "int16"))
    unit.header["BSCALE"], unit.header["BZERO"] = 0.5, 100.0
    data = fits_of(unit)
    with fits.open(io.BytesIO(data)) as opened:
        expected = np.array(opened[0].data)
    assert expected.dtype == np.float32
    check(data, expected, "grey")


def test_fits_keeps_what_is_no_number() -> None:
    values = numbers(GREY, "float32")
    values[2, 3], values[0, 0] = np.nan, np.inf
    check(fits_of(fits.PrimaryHDU(values)), values, "grey")
    whole = numbers(GREY, "int16")
    unit = fits.PrimaryHDU(whole)
    unit.header["BLANK"] = int(whole[1, 1])
    expected = whole.astype(np.float32)
    expected[whole == whole[1, 1]] = np.nan
    check(fits_of(unit), expected, "grey")


def test_fits_units() -> None:
    values = [numbers(GREY, "float32", seed) for seed in range(3)]
    data = fits_of(
        fits.PrimaryHDU(), fits.ImageHDU(values[0], name="SCI"), fits.ImageHDU(values[1], name="ERR"), fits.ImageHDU()
    )
    check(data, values[0], "grey")  # the first that has data
    check(data, values[1], "grey", DecodeOptions(fits_extension="ERR"))
    check(data, values[1], "grey", DecodeOptions(fits_extension=2))
    both = np.stack(values[:2], axis=-1)
    check(data, both, "bands", DecodeOptions(fits_extension=(1, "ERR")))
    for wrong, said in ((7, "no unit 7"), ("DQ", "no unit 'DQ'"), (3, "has no picture"), (0, "has no picture")):
        with pytest.raises(errors.NotAnImageError, match=said):
            facts_of(io.BytesIO(data), DecodeOptions(fits_extension=wrong))


def test_fits_compressed() -> None:
    values = numbers((32, 40), "int16")
    check(fits_of(fits.PrimaryHDU(), fits.CompImageHDU(values)), values, "grey")


def test_what_is_no_picture() -> None:
    for data, error in (
        (b"", errors.EmptyImageError),
        (b"hello", errors.FormatNotReadError),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n", errors.FormatNotReadError),
        (b"%PDF-1.7", errors.FormatNotReadError),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", errors.FormatNotReadError),
    ):
        with pytest.raises(error):
            facts_of(io.BytesIO(data))
        with pytest.raises(error):
            pixels_of(io.BytesIO(data))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "WebP", "GIF", "BMP", "FITS", "TIFF of 16 bits"])
def test_what_is_cut_short(kind: str) -> None:
    values = numbers((64, 64, 3), "uint8")
    whole = {
        "FITS": lambda: fits_of(fits.PrimaryHDU(values[..., 0])),
        "TIFF of 16 bits": lambda: tiff(values.astype(np.uint16)),
    }
    data = whole.get(kind, lambda: saved(pil.fromarray(values), kind))()
    for length in (len(data) // 2, 40, 20):
        with pytest.raises(errors.NotAnImageError):
            pixels_of(io.BytesIO(data[:length]))


def test_bombs_are_refused() -> None:
    data = bytearray(saved(pil.new("L", (8, 8)), "PNG"))
    data[16:24] = (100_000).to_bytes(4, "big") * 2
    data[29:33] = zlib.crc32(data[12:29]).to_bytes(4, "big")
    for ask in (facts_of, pixels_of):
        with pytest.raises(errors.TooLargeError, match="100,000 × 100,000 pixels"):
            ask(io.BytesIO(bytes(data)))
    small = DecodeOptions(most_pixels=63)
    for made in (
        saved(pil.new("RGB", (8, 8)), "WebP"),
        saved(pil.new("L", (8, 8)), "JPEG"),
        tiff(np.zeros((8, 8), "u2")),
    ):
        with pytest.raises(errors.TooLargeError):
            pixels_of(io.BytesIO(made), small)


def test_colour_profiles_do_not_change_values() -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    values = numbers(COLOUR, "uint8")
    check(saved(pil.fromarray(values), "PNG", icc_profile=profile), values, "colour")


@pytest.mark.skipif(
    not (SHARED / "corpora" / "images").is_dir(), reason="the hostile files are not beside the checkout"
)
def test_hostile_files() -> None:
    decoded = 0
    for path in sorted((SHARED / "corpora" / "images").iterdir()):
        with open(path, "rb") as file:
            for ask in (facts_of, pixels_of):
                try:
                    ask(file)
                    decoded += 1
                except errors.ExplorerError:
                    pass
    assert decoded > 50
