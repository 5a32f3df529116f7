"""An image as Python gets it, and the still picture that a notebook keeps."""

from __future__ import annotations

import base64
import html.parser
import io
import re
import warnings

import numpy as np
import pytest
from PIL import Image as pil
from PIL import UnidentifiedImageError

from h5explorer_py.images.image import Image
from h5explorer_py.still import LARGEST, small_jpeg, still_html
from tests.fixtures.pictures import encoded, pixels, png_16_bit


def image(data: bytes, key: str = "a") -> Image:
    return Image(data, key, "/data/s_images.h5", 0.001)


class Markup(html.parser.HTMLParser):
    """Collects what a browser would make of a piece of HTML."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF"])
def test_decoding_is_what_pillow_does(kind: str) -> None:
    data = encoded(7, kind)
    with pil.open(io.BytesIO(data)) as theirs:
        wanted = np.asarray(theirs)
        assert image(data).to_pil().mode == theirs.mode
    assert np.array_equal(image(data).to_numpy(), wanted)
    assert np.array_equal(np.asarray(image(data).to_pil()), wanted)
    if kind in {"PNG", "BMP"}:
        assert np.array_equal(image(data).to_numpy(), pixels(7))


def test_sixteen_bits_stay_sixteen_bits() -> None:
    assert image(png_16_bit()).to_numpy().max() == 1023 * 60


def test_facts_of_an_image() -> None:
    made = image(encoded(1, "JPEG"))
    assert (made.format, made.media_type, made.key, made.source) == ("JPEG", "image/jpeg", "a", "/data/s_images.h5")
    assert len(repr(made)) < 200
    assert image(b"nothing known").format == ""
    assert image(b"nothing known").media_type == "application/octet-stream"
    with pytest.raises(AttributeError):
        made.data = b""


def test_bytes_that_are_no_picture() -> None:
    with pytest.raises(UnidentifiedImageError):
        image(b"nothing known").to_pil()
    with pytest.raises(OSError, match=r"(?i)truncated"):
        image(encoded(1, "JPEG")[:500]).to_numpy()


@pytest.mark.parametrize(("kind", "media"), [("JPEG", "image/jpeg"), ("PNG", "image/png"), ("GIF", None)])
def test_an_image_shows_itself_in_a_notebook(kind: str, media: str | None) -> None:
    bundle = image(encoded(1, kind))._repr_mimebundle_()
    assert bundle.get("image/jpeg", bundle.get("image/png")) == (encoded(1, kind) if media else None)
    assert bundle["text/plain"].startswith("Image(")


# The still picture


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF"])
def test_the_still_picture_is_the_picture(kind: str) -> None:
    data = small_jpeg(encoded(7, kind))
    assert data is not None
    with pil.open(io.BytesIO(data)) as still:
        assert still.format == "JPEG"
        difference = np.abs(np.asarray(still, int) - pixels(7).astype(int))
        assert difference.mean() < 12


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK", "I;16", "YCbCr"])
def test_pictures_of_every_mode_have_a_still(mode: str) -> None:
    written = io.BytesIO()
    picture = pil.fromarray(pixels(1)).convert("I").convert("I;16") if mode == "I;16" else None
    (picture or pil.fromarray(pixels(1)).convert(mode)).save(written, "TIFF")
    assert small_jpeg(written.getvalue()) is not None


def test_what_is_clear_is_white() -> None:
    written = io.BytesIO()
    pil.new("RGBA", (20, 20), (255, 0, 0, 0)).save(written, "PNG")
    with pil.open(io.BytesIO(small_jpeg(written.getvalue()))) as still:
        assert np.asarray(still).min() > 250


def test_a_turned_picture_is_turned_back() -> None:
    exif = pil.Exif()
    exif[0x0112] = 6
    written = io.BytesIO()
    pil.fromarray(pixels(1)).save(written, "JPEG", exif=exif)
    with pil.open(io.BytesIO(small_jpeg(written.getvalue()))) as still:
        assert still.size == (30, 40)


def test_noise_of_any_size_fits() -> None:
    noise = np.random.default_rng(1).integers(0, 256, (2000, 1500, 3), np.uint8)
    written = io.BytesIO()
    pil.fromarray(noise).save(written, "PNG", compress_level=1)
    markup = still_html("lookup.parquet", 3, image(written.getvalue()))
    found = re.search(r'base64,([^"]+)', markup)
    assert found
    assert len(base64.b64decode(found[1])) <= LARGEST
    assert len(found[1]) <= 100_000
    assert len(markup) <= 101_000


@pytest.mark.parametrize("data", [b"", b"nothing", encoded(1, "PNG")[:60], encoded(1, "JPEG")[:300], b"GIF89a"])
def test_damaged_bytes_have_no_still(data: bytes) -> None:
    assert small_jpeg(data) is None
    markup = Markup(still_html("lookup.parquet", 3, image(data)))
    assert "img" not in [tag for tag, _ in markup.tags]


def test_a_picture_of_enormous_size_is_not_decoded() -> None:
    data = bytearray(encoded(1, "PNG"))
    data[16:24] = (60_000).to_bytes(4, "big") * 2
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert small_jpeg(bytes(data)) is None


def test_the_still_says_what_it_is_and_what_to_do() -> None:
    markup = Markup(still_html("lookup.parquet", 1234, image(encoded(1), "the key")))
    text = "".join(markup.texts)
    assert "lookup.parquet: 1,234 records." in text
    assert "the key" in text
    assert "run this cell again" in text
    assert [attributes.get("alt") for tag, attributes in markup.tags if tag == "img"] == ["the key"]
    assert "1 record." in "".join(Markup(still_html("l", 1, None)).texts)


def test_no_text_becomes_markup(hostile_strings: list[str]) -> None:
    """Names and keys are shown as they are, cut where they are long, and open no tag and no attribute."""
    plain = [tag for tag, _ in Markup(still_html("name", 1, image(encoded(1)))).tags]
    for text in hostile_strings:
        markup = Markup(still_html(text, 1, image(encoded(1), text)))
        assert [tag for tag, _ in markup.tags] == plain
        attributes = dict(markup.tags[plain.index("img")][1])
        assert set(attributes) == {"alt", "src"}
        assert attributes["src"].startswith("data:image/jpeg;base64,")
        if len(text) <= 80 and "\r" not in text:
            assert attributes["alt"] == text
            assert text in "".join(markup.texts)


@pytest.mark.parametrize(
    "text", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "</figure>", "&lt;b&gt;"]
)
def test_markup_in_names_stays_text(text: str) -> None:
    markup = Markup(still_html(text, 1, image(encoded(1), text)))
    assert [tag for tag, _ in markup.tags] == ["figure", "img", "figcaption", "strong"]
    assert "".join(markup.texts).startswith(text)
