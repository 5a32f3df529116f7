"""From a reader's refusal to the error that a person sees."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from h5explorer_py.errors import (
    ArrayNotShownError,
    EmptyImageError,
    ExplorerError,
    ImageNotFoundError,
    MissingFilterError,
    NoImagesGroupError,
    NotAnImageError,
    OutsideDataError,
    ShardUnreadableError,
    TooLargeError,
)
from h5explorer_py.files import shorten

if TYPE_CHECKING:
    from collections.abc import Callable

    Facts = dict[str, Any]
    Tell = Callable[[str, str, Facts], ExplorerError]


def error_of(code: str, facts: Facts, path: str, key: str) -> ExplorerError:
    """Make the error.

    Parameters
    ----------
    code : str
        The refusal's code, which is the error's.
    facts : dict
        What the sentence needs.
    path : str
        The HDF5 file.
    key : str
        The uuid; empty where the file as a whole is refused.
    """
    tell = _TELL.get(code, _unreadable)
    error = tell(os.path.basename(path), shorten(key), facts)
    error.details["path"] = path
    return error


def _no_images_group(name: str, key: str, facts: Facts) -> ExplorerError:  # noqa: ARG001
    found = ", ".join(shorten(text, 40) for text in facts["found"]) or "nothing"
    return NoImagesGroupError(f"{name} has no group named images. It has: {found}.")


def _image_not_found(name: str, key: str, facts: Facts) -> ExplorerError:  # noqa: ARG001
    return ImageNotFoundError(f"{name} has no image {key}.")


def _empty_image(name: str, key: str, facts: Facts) -> ExplorerError:  # noqa: ARG001
    return EmptyImageError(f"The image {key} in {name} is empty: it has no bytes.")


def _not_an_image(name: str, key: str, facts: Facts) -> ExplorerError:
    return NotAnImageError(f"What {name} holds as {key} is {facts['kind']}, not a picture.")


def _array_not_shown(name: str, key: str, facts: Facts) -> ExplorerError:
    shape = " × ".join(f"{length:,}" for length in facts["shape"]) or "one"
    return ArrayNotShownError(
        f"The data set {key} in {name} is an array of {shape} values of type {facts['dtype']}, not an encoded picture.",
        action="Arrays are drawn by a later version.",
        shape=facts["shape"],
        dtype=facts["dtype"],
    )


def _too_large(name: str, key: str, facts: Facts) -> ExplorerError:
    return TooLargeError(f"The image {key} in {name} has {facts['size']:,} bytes; up to {facts['limit']:,} are read.")


def _outside_data(name: str, key: str, facts: Facts) -> ExplorerError:
    whose = f" for {key}" if key else ""
    return OutsideDataError(
        f"{name} refers to {shorten(facts['target'])}{whose}, which is outside the folder of the shard.",
        action="Such links and external storage are not followed.",
    )


def _missing_filter(name: str, key: str, facts: Facts) -> ExplorerError:
    return MissingFilterError(
        f"The image {key} in {name} is compressed by the HDF5 filter {facts['filter']} "
        f"({facts['name'] or 'unnamed'}), which is not installed.",
        action="hdf5plugin brings most filters: pip install --upgrade hdf5plugin.",
        filter=facts["filter"],
    )


def _unreadable(name: str, key: str, facts: Facts) -> ExplorerError:  # noqa: ARG001
    reason = str(facts.get("why") or "it is damaged")
    action = ""
    if "truncated" in reason:
        action = "It may still be written or copied; try again, or copy it anew."
    elif "lock file" in reason or "already open" in reason:
        action = "Another program has it open for writing; try again when it is done (else: h5clear -s)."
    return ShardUnreadableError(f"{name} cannot be read as HDF5: {reason}.", action=action)


_TELL: dict[str, Tell] = {
    "no_images_group": _no_images_group,
    "image_not_found": _image_not_found,
    "empty_image": _empty_image,
    "not_an_image": _not_an_image,
    "array_not_shown": _array_not_shown,
    "too_large": _too_large,
    "outside_data": _outside_data,
    "missing_filter": _missing_filter,
}
