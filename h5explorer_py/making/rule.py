"""One kind, type and size for all pictures that become one array, decided before any of them is decoded."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from h5explorer_py.decode.facts import KINDS, Facts, Kind
from h5explorer_py.errors import LossyError, MixedPicturesError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_SHOWN = 8


@dataclass(frozen=True, slots=True)
class Rule:
    """What every picture becomes.

    Attributes
    ----------
    kind : str
        What the channels are.
    channels, height, width : int
        The shape.
    dtype : str
        NumPy's name of the type.
    narrows : bool
        Whether it was asked for that values may lose something: they are rounded and cut to what the type holds.
    resizes : bool
        Whether pictures may have another size before.
    """

    kind: Kind
    channels: int
    height: int
    width: int
    dtype: str
    narrows: bool = False
    resizes: bool = False

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height, width."""
        return self.channels, self.height, self.width


class Survey:
    """Gathers what the headers of all pictures say, in little memory."""

    def __init__(self) -> None:
        self.sizes: Counter[tuple[int, int]] = Counter()
        self.kinds: Counter[tuple[Kind, int]] = Counter()
        self.dtypes: Counter[str] = Counter()
        self.several_pages = 0

    def add(self, facts: Facts) -> None:
        """Count one picture."""
        self.sizes[facts.width, facts.height] += 1
        self.kinds[facts.kind, facts.channels] += 1
        self.dtypes[facts.dtype] += 1
        self.several_pages += facts.pages > 1

    def rule(self, *, size: tuple[int, int] | None = None, dtype: str | None = None, kind: Kind | None = None) -> Rule:
        """Decide what every picture becomes.

        Parameters
        ----------
        size : (int, int), optional
            Height and width, where pictures are to be resized.
        dtype : str, optional
            The type, where it is asked for: values may lose something then.
        kind : str, optional
            The kind, where it is asked for: colours become grey, or alpha is left out then.

        Raises
        ------
        MixedPicturesError
            Where sizes differ and no size is given, or bands differ in number.
        LossyError
            Where no type holds the values of all.
        """
        channels_kind, channels = self._kind(kind)
        height, width = size or self._size()
        found = self._dtype() if dtype is None else np.dtype(dtype).name
        return Rule(channels_kind, channels, height, width, found, dtype is not None, size is not None)

    def _size(self) -> tuple[int, int]:
        if not self.sizes:
            raise MixedPicturesError("None of the pictures can be read, so that no size is known.", action=_RESIZE)
        if len(self.sizes) > 1:
            said = _counted({f"{width} × {height}": count for (width, height), count in self.sizes.items()})
            raise MixedPicturesError(
                f"The pictures differ in size (width × height): {said}.",
                action=_RESIZE,
                sizes=[[width, height, count] for (width, height), count in self.sizes.most_common()],
            )
        width, height = next(iter(self.sizes))
        return height, width

    def _kind(self, asked: Kind | None) -> tuple[Kind, int]:
        if not self.kinds:
            return ("colour", 3) if asked in {None, "bands"} else (asked, KINDS[asked])
        bands = {channels for kind, channels in self.kinds if kind == "bands"}
        if bands:
            counts = {channels for _, channels in self.kinds}
            if len(counts) > 1 or asked not in {None, "bands"}:
                said = _counted({f"{channels} ({kind})": count for (kind, channels), count in self.kinds.items()})
                raise MixedPicturesError(
                    f"The pictures differ in their number of channels: {said}.",
                    action="Convert those of each number by themselves.",
                )
            return "bands", counts.pop()
        if asked is not None and asked != "bands":
            return asked, KINDS[asked]
        return joined_kind({kind for kind, _ in self.kinds})

    def _dtype(self) -> str:
        return joined_dtype(self.dtypes)


_RESIZE = "Say to which size to bring them (resize), and how: stretch, pad or crop (fit)."


def joined_kind(kinds: Iterable[Kind]) -> tuple[Kind, int]:
    """Return the kind that holds several without a loss, and its channels: colours if any has, alpha if any has."""
    found = set(kinds)
    colour = any(kind.startswith("colour") for kind in found)
    alpha = any(kind.endswith("alpha") for kind in found)
    names: dict[tuple[bool, bool], Kind] = {
        (False, False): "grey",
        (False, True): "grey+alpha",
        (True, False): "colour",
        (True, True): "colour+alpha",
    }
    kind = names[colour, alpha]
    return kind, KINDS[kind]


def joined_dtype(dtypes: Mapping[str, int] | Iterable[str]) -> str:
    """Return the smallest type that holds all values of several: those of NumPy's promotion that lose nothing.

    Raises
    ------
    LossyError
        Where there is none, as for integers of 64 bits with a sign and without.
    """
    names = sorted(dtypes) or ["uint8"]
    found = np.result_type(*names)
    lossy = [name for name in names if not is_lossless(name, found.name)]
    if lossy:
        raise LossyError(
            f"No type holds the values of all pictures: they are {', '.join(names)}.",
            action="Say which type to take (dtype), and that values may lose something by it.",
        )
    return found.name


def is_lossless(source: str, target: str) -> bool:
    """Tell whether every value of one type is a value of another."""
    return bool(np.can_cast(source, target, "safe")) and not (
        np.dtype(source).kind in "iu" and np.dtype(source).itemsize == 8 and np.dtype(target).kind == "f"
    )


def check_lossless(rule: Rule, dtype: str, what: str) -> Rule:
    """Return the rule with the type that a store has, where no value is lost by it.

    Raises
    ------
    LossyError
    """
    if rule.dtype == dtype or rule.narrows or is_lossless(rule.dtype, dtype):
        return replace(rule, dtype=dtype)
    raise LossyError(
        f"The pictures have values of type {rule.dtype}, and {what} holds {dtype}, which would lose some.",
        action=f'Ask for it (dtype "{dtype}") if that is meant: values are rounded, and cut to what it holds.',
    )


def _counted(named: Mapping[str, int]) -> str:
    shown = sorted(named.items(), key=lambda each: (-each[1], each[0]))
    said = [f"{name} ({count:,})" for name, count in shown[:_SHOWN]]
    if len(shown) > _SHOWN:
        said.append(f"and {len(shown) - _SHOWN:,} more")
    return ", ".join(said)
