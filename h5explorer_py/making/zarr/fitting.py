"""Whether pictures fit into a store that is there, and what they become in it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from h5explorer_py.decode.facts import KINDS, Kind
from h5explorer_py.errors import MixedPicturesError
from h5explorer_py.making.rule import Rule, check_lossless

if TYPE_CHECKING:
    from h5explorer_py.making.zarr.store import Existing


def rule_of_store(existing: Existing, found: Rule) -> Rule:
    """Return what pictures become in a store that is there.

    Parameters
    ----------
    existing : Existing
    found : Rule
        What they would become by themselves.

    Raises
    ------
    MixedPicturesError
        Where they have another size, or channels that the store has not.
    LossyError
        Where the store's type does not hold their values, and it is not asked for.
    """
    channels, height, width = existing.picture
    if (found.height, found.width) != (height, width):
        raise MixedPicturesError(
            f"The pictures have {found.width} × {found.height} pixels, those of {existing.where} {width} × {height}.",
            action=f"Resize them to {height},{width}.",
        )
    own = kind_of_store(existing)
    if found.channels == channels and (found.kind == own or "bands" in {found.kind, own}):
        kind = found.kind
    elif own != "bands" and found.kind != "bands" and _holds(own, found.kind):
        kind = own
    else:
        raise MixedPicturesError(
            f"The pictures have {found.channels} channels ({found.kind}), those of {existing.where} {channels}, {own}.",
            action="Say what they are to become (channels), if they may lose some.",
        )
    return replace(check_lossless(found, existing.dtype, existing.where), kind=kind, channels=channels)


def kind_of_store(existing: Existing) -> Kind:
    """Return what the channels of a store are: as it says, else by their number."""
    said = existing.attributes.get("channels")
    channels = existing.picture[0]
    for kind, count in KINDS.items():
        if count == channels and said in {None, kind}:
            return kind
    return "bands"


def _holds(own: Kind, kind: Kind) -> bool:
    """Tell whether channels of one kind hold all of another."""
    colour = own.startswith("colour") or not kind.startswith("colour")
    return colour and (own.endswith("alpha") or not kind.endswith("alpha"))
