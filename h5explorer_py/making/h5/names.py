"""How the parts of an HDF5 file of pictures are called."""

from __future__ import annotations

IMAGES, NAMES, LABELS = "images", "names", "labels"
"""The array; the name of each picture; its label, where there is one."""

COLUMNS, NULLS = "metadata", "nulls"
"""The groups of what is known of each, and of where it is not."""

NAME, POSITION, KIND = "name", "position", "type"
"""What a column has written on it: its name, its place among the columns, its type in Arrow."""
