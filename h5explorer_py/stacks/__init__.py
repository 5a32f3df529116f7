"""Arrays wherever they lie, behind one small interface."""

from __future__ import annotations

from h5explorer_py.stacks.memory import ArrayStack
from h5explorer_py.stacks.stack import Axis, Stack

__all__ = ["ArrayStack", "Axis", "Stack"]
