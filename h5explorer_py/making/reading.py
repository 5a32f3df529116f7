"""Reading one picture on its way into an array: decoded, measured, brought to the rule."""

from __future__ import annotations

import hashlib
import io
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, BinaryIO

from h5explorer_py.decode.facts import DecodeOptions
from h5explorer_py.decode.picture import facts_of, image_of, pixels_of
from h5explorer_py.errors import ExplorerError, NotAnImageError, SourceNotFoundError
from h5explorer_py.files import regular_file, why
from h5explorer_py.making.conform import conform
from h5explorer_py.making.fit import Fit
from h5explorer_py.making.outcome import Outcome
from h5explorer_py.making.stores.inside import check_known, opened_store

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from h5explorer_py.decode.facts import FitsExtension
    from h5explorer_py.making.items import Item
    from h5explorer_py.making.rule import Rule

_WHOLE = 64 << 20
"""Bytes of a file that is read at once; of larger ones the decoder reads what it needs."""


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How pictures are read.

    Attributes
    ----------
    fits_extension : int, str, tuple or None
    most_pixels : int
        See `DecodeOptions`.
    fit : Fit
        How they are resized.
    """

    fits_extension: FitsExtension = None
    most_pixels: int = DecodeOptions().most_pixels
    fit: Fit = field(default_factory=Fit)

    def decoding(self, item: Item) -> DecodeOptions:
        """Return what is decoded of one file."""
        return DecodeOptions(item.page, self.fits_extension, self.most_pixels)


def survey(item: Item, options: ReadOptions) -> Outcome:
    """Read what a picture's header says. What is wrong with it is in the outcome."""
    outcome = Outcome()
    try:
        if item.inside is not None:
            check_known(item)
            outcome.facts, outcome.file_size = opened_store(item).facts(item, options.decoding(item))
            return outcome
        with opened(item) as file:
            outcome.file_size = os.fstat(file.fileno()).st_size
            outcome.facts = facts_of(file, options.decoding(item))
    except ExplorerError as error:
        outcome.fail(error)
    return outcome


def read(item: Item, rule: Rule, options: ReadOptions, outcome: Outcome) -> NDArray[Any] | None:
    """Read a picture.

    Parameters
    ----------
    item : Item
    rule : Rule
        What it is to become.
    options : ReadOptions
    outcome : Outcome
        What is known of it; the rest is written there, what is wrong with it too.

    Returns
    -------
    ndarray, shape (channels, height, width)
        ``None`` where it cannot be read.
    """
    try:
        if item.inside is not None:
            return _read_inside(item, rule, options, outcome)
        with opened(item) as file:
            outcome.file_size = os.fstat(file.fileno()).st_size
            whole: BinaryIO = file
            if outcome.file_size <= _WHOLE:
                data = file.read()
                outcome.checksum = hashlib.sha256(data).hexdigest()
                whole = io.BytesIO(data)
            else:
                outcome.checksum = hashlib.file_digest(file, "sha256").hexdigest()
            decoded = image_of(whole, options.decoding(item))
            if decoded is not None:
                image, outcome.facts = decoded
                outcome.measure_image(image)
                return conform(image, outcome.facts.kind, rule, options.fit)
            values, outcome.facts = pixels_of(whole, options.decoding(item))
            outcome.measure(values)
            return conform(values, outcome.facts.kind, rule, options.fit)
    except ExplorerError as error:
        outcome.fail(error)
    except MemoryError:
        outcome.fail(NotAnImageError("The picture takes more memory than there is."))
    return None


def _read_inside(item: Item, rule: Rule, options: ReadOptions, outcome: Outcome) -> NDArray[Any]:
    check_known(item)
    store = opened_store(item)
    values, outcome.facts, outcome.file_size, outcome.checksum = store.values(item, options.decoding(item))
    outcome.measure(values)
    return conform(values, outcome.facts.kind, rule, options.fit)


def opened(item: Item) -> io.BufferedReader:
    """Open a picture's file.

    Raises
    ------
    SourceNotFoundError
    """
    try:
        regular_file(item.path)
        return open(item.path, "rb")
    except (OSError, ValueError) as error:
        raise SourceNotFoundError(f"The file cannot be opened: {why(error).rstrip('.')}.") from error
