"""What the kernel and its reader processes share: how messages are framed, and how large an image may be."""

from __future__ import annotations

import struct

LARGEST_IMAGE = 256 << 20
"""Bytes of an image that is given out."""

LENGTH = struct.Struct("<I")
"""In front of every message: how many bytes of JSON follow."""
