"""FITS: the planes of one or more units, with the values that their headers' scale gives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from h5explorer_py.decode.facts import DecodeOptions, Facts, check_size, is_channels_last, planes_of
from h5explorer_py.errors import MissingPackageError, NotAnImageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from h5explorer_py.decode.facts import Kind


def facts(file: BinaryIO, kind: str, options: DecodeOptions) -> Facts:
    """Read what a picture says about itself."""
    with _opened(file) as units:
        return _facts(_chosen(units, options), kind, options)


def pixels(file: BinaryIO, kind: str, options: DecodeOptions) -> tuple[NDArray[np.generic], Facts]:
    """Decode a picture. Row 0 is the first that the file has; nothing is turned over."""
    with _opened(file) as units:
        chosen = _chosen(units, options)
        told = _facts(chosen, kind, options)
        planes = [_channels_last(np.asarray(unit.data)).astype(told.dtype, copy=False) for unit in chosen]
        values = planes[0] if len(planes) == 1 else np.concatenate(planes, axis=-1)
        return values, told


def _opened(file: BinaryIO) -> Any:
    try:
        from astropy.io import fits
    except ImportError as error:
        raise MissingPackageError(
            "Decoding FITS pictures takes the package astropy.", action='Install it: pip install "h5explorer[convert]"'
        ) from error
    return fits.open(file, mode="readonly", memmap=False, lazy_load_hdus=False, uint=True)


def _chosen(units: Any, options: DecodeOptions) -> list[Any]:
    wanted = options.fits_extension
    if wanted is None:
        filled = [unit for unit in units if _shape(unit)]
        if not filled:
            raise NotAnImageError("No unit of the FITS file has a picture.")
        return filled[:1]
    names = wanted if isinstance(wanted, tuple) else (wanted,)
    found = []
    for name in names:
        try:
            unit = units[name]
        except (KeyError, IndexError) as error:
            there = ", ".join(f"{number} {unit.name}".rstrip() for number, unit in enumerate(units))
            raise NotAnImageError(f"The FITS file has no unit {name!r}; it has {there}.") from error
        if not _shape(unit):
            raise NotAnImageError(f"Unit {name!r} of the FITS file has no picture.")
        found.append(unit)
    return found


def _shape(unit: Any) -> tuple[int, ...]:
    """Return the shape of a unit's array; empty where it has none, as a table has not."""
    shape = getattr(unit, "shape", ()) if unit.is_image else ()
    return tuple(shape) if shape and all(shape) else ()


def _facts(units: list[Any], kind: str, options: DecodeOptions) -> Facts:
    sizes = []
    for unit in units:
        planes = planes_of(_shape(unit))
        if planes is None:
            raise NotAnImageError(f"A unit of the FITS file has shape {_shape(unit)}, which is none of a picture.")
        sizes.append(planes)
    if len({size[1:] for size in sizes}) > 1:
        said = ", ".join(f"{width} × {height}" for _, height, width in sizes)
        raise NotAnImageError(f"The units of the FITS file differ in size ({said}), and cannot be put together.")
    channels = sum(size[0] for size in sizes)
    dtype = np.result_type(*(_dtype(unit) for unit in units))
    _, height, width = sizes[0]
    check_size(width, height, channels * dtype.itemsize, options.most_pixels)
    told: Kind = "grey" if channels == 1 else "colour" if channels == 3 and len(units) == 1 else "bands"
    return Facts(kind, f"BITPIX {units[0].header.get('BITPIX')}", width, height, told, channels, dtype.name)


def _dtype(unit: Any) -> np.dtype[Any]:
    """Return the type of the values that astropy gives, scaled as FITS 4.0, section 5.3, says."""
    header = unit.header
    bits = int(header["BITPIX"])
    plain = {8: "u1", 16: "i2", 32: "i4", 64: "i8", -32: "f4", -64: "f8"}.get(bits)
    if plain is None:
        raise NotAnImageError(f"A unit of the FITS file has BITPIX {bits}, which is not decoded.")
    zero, scale = header.get("BZERO", 0), header.get("BSCALE", 1)
    if bits < 0:
        return np.dtype(plain)
    if scale == 1 and "BLANK" not in header:
        if zero == 0:
            return np.dtype(plain)
        if bits == 8 and zero == -128:
            return np.dtype("i1")
        if bits > 8 and zero == 1 << (bits - 1):
            return np.dtype(f"u{bits // 8}")
    return np.dtype("f8" if bits > 16 else "f4")


def _channels_last(values: NDArray[np.generic]) -> NDArray[np.generic]:
    while values.ndim > 2 and values.shape[0] == 1:
        values = values[0]
    if values.ndim == 2:
        return values[..., np.newaxis]
    return values if is_channels_last(values.shape) else np.moveaxis(values, 0, -1)
