"""Arrays wherever they lie, behind one small interface."""

from __future__ import annotations

from h5explorer_py.stacks.hdf5 import Hdf5Stack
from h5explorer_py.stacks.memory import ArrayStack
from h5explorer_py.stacks.stack import Axis, Stack

__all__ = ["ArrayStack", "Axis", "Hdf5Stack", "Stack"]
