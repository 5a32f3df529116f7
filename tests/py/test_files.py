"""Files that are read by several threads, and writes that the system takes in pieces."""

from __future__ import annotations

import io
import os
import warnings
from typing import TYPE_CHECKING

import numpy as np
import pytest

from h5explorer_py.files import CLOSED_FILE, HeldFile, read_at, write_all

if TYPE_CHECKING:
    from pathlib import Path


class Reluctant(io.BytesIO):
    """Takes seven bytes at a time."""

    def write(self, data: object) -> int:
        return super().write(memoryview(data)[:7])  # type: ignore[call-overload]


def test_what_is_taken_in_pieces_is_written_whole() -> None:
    numbers = np.arange(100, dtype="<u4")
    file = Reluctant()
    write_all(file, numbers.data)
    write_all(file, memoryview(b""))
    assert file.getvalue() == numbers.tobytes()


def test_a_file_is_closed_by_the_last_who_lets_go(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        file = HeldFile(tmp_path / "a")
        number = file.fileno()
        reading = file
        del file
        assert read_at(reading, 1, 2) == b"bc"
        del reading
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(number)


def test_one_that_was_let_go_of_is_not_read() -> None:
    with pytest.raises(ValueError, match="closed file"):
        read_at(CLOSED_FILE, 0, 1)
