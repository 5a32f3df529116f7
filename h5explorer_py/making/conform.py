"""Bringing one decoded picture to the rule: its size, its channels, its type."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from h5explorer_py.errors import LossyError, MixedPicturesError
from h5explorer_py.making.fit import array_of, resized, size_of

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL import Image as pil

    from h5explorer_py.decode.facts import Kind
    from h5explorer_py.making.fit import Fit
    from h5explorer_py.making.rule import Rule

_LUMA = (299, 587, 114)
"""Weights of red, green and blue in a grey (ITU-R BT.601), in thousandths."""


def conform(picture: NDArray[Any] | pil.Image, kind: Kind, rule: Rule, fit: Fit) -> NDArray[Any]:
    """Bring a picture to the rule.

    Parameters
    ----------
    picture : ndarray, shape (height, width, channels), or image of Pillow with 8 bits
    kind : str
        What its channels are.
    rule : Rule
    fit : Fit
        How it is resized, if its size is another.

    Returns
    -------
    ndarray, shape (channels, height, width)
        In memory in this order.

    Raises
    ------
    LossyError, MixedPicturesError
        Where it cannot be: it differs from what its header said.
    """
    if kind.endswith("alpha") and not rule.kind.endswith("alpha") and "bands" not in {kind, rule.kind}:
        picture = array_of(picture)[..., :-1]  # what is left out does not weigh
        kind = "grey" if kind == "grey+alpha" else "colour"
    height, width = size_of(picture)
    if (height, width) == (rule.height, rule.width):
        values = array_of(picture)
    elif not rule.resizes:
        raise MixedPicturesError(
            f"The picture has {width} × {height} pixels once it is decoded, which its header does not say; the others "
            f"have {rule.width} × {rule.height}."
        )
    else:
        values = resized(picture, kind, (rule.height, rule.width), fit)
    return np.ascontiguousarray(np.moveaxis(retyped(rechannelled(values, kind, rule), rule), -1, 0))


def rechannelled(values: NDArray[Any], kind: Kind, rule: Rule) -> NDArray[Any]:
    """Return a picture with the channels of the rule: grey is repeated, what has no alpha is opaque."""
    if kind == rule.kind and values.shape[-1] == rule.channels:
        return values
    if "bands" in {kind, rule.kind}:
        if values.shape[-1] != rule.channels:
            raise MixedPicturesError(f"The picture has {values.shape[-1]} channels, the others have {rule.channels}.")
        return values
    has_alpha, wants_alpha = kind.endswith("alpha"), rule.kind.endswith("alpha")
    colours = values[..., :-1] if has_alpha else values
    wanted = rule.channels - wants_alpha
    if colours.shape[-1] == 1 and wanted == 3:
        colours = np.repeat(colours, 3, axis=-1)
    elif colours.shape[-1] == 3 and wanted == 1:
        colours = _grey(colours)
    if not wants_alpha:
        return colours
    return np.concatenate([colours, values[..., -1:] if has_alpha else _opaque(colours)], axis=-1)


def _opaque(colours: NDArray[Any]) -> NDArray[Any]:
    top = np.iinfo(colours.dtype).max if colours.dtype.kind in "iu" else 1
    return np.full((*colours.shape[:-1], 1), top, colours.dtype)


def _grey(colours: NDArray[Any]) -> NDArray[Any]:
    if colours.dtype.kind == "f":
        return np.asarray((colours @ np.array(_LUMA, colours.dtype) / 1000)[..., np.newaxis], colours.dtype)
    weights = np.array(_LUMA, object if colours.dtype.itemsize == 8 else np.int64)
    return np.asarray((colours.astype(weights.dtype) @ weights + 500) // 1000, colours.dtype)[..., np.newaxis]


def retyped(values: NDArray[Any], rule: Rule) -> NDArray[Any]:
    """Return a picture with the type of the rule."""
    target = np.dtype(rule.dtype)
    if values.dtype == target:
        return values
    if not rule.narrows:
        from h5explorer_py.making.rule import is_lossless

        if not is_lossless(values.dtype.name, target.name):
            raise LossyError(f"The picture has values of type {values.dtype.name}, which {target.name} does not hold.")
        return values.astype(target)
    return narrowed(values, target)


def narrowed(values: NDArray[Any], target: np.dtype[Any]) -> NDArray[Any]:
    """Cut values to what a type holds, fractions rounded to the nearest (halves to the even one); NaN becomes 0."""
    if target.kind == "f":
        with np.errstate(over="ignore"):
            return values.astype(target)
    info = np.iinfo(target)
    if values.dtype.kind == "f":
        whole = np.rint(np.nan_to_num(values, nan=0.0, posinf=np.inf, neginf=-np.inf))
        # The greatest float that is not above the greatest integer: of 64 bits it is another number.
        high, low = values.dtype.type(info.max), values.dtype.type(info.min)
        cut = np.where(whole >= high, 0, np.where(whole <= low, 0, whole)).astype(target)
        inner = np.where(whole <= low, target.type(info.min), cut)
        return np.asarray(np.where(whole >= high, target.type(info.max), inner))
    own = np.iinfo(values.dtype)
    low_int, high_int = max(info.min, own.min), min(info.max, own.max)
    return np.asarray(np.clip(values, low_int, high_int), target)
