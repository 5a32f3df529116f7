"""What came of a merging."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from h5explorer_py.making.job import Failure

_SHOWN = 5


@dataclass(frozen=True)
class MergeReport:
    """What came of a merging.

    Attributes
    ----------
    output : str
        The file that was written.
    images : int
        How many pictures it has.
    inputs : tuple of (str, int)
        The files, and how many pictures are of each.
    shape : tuple of int
        Of a picture.
    dtype : str
    copied : int
        Of how many pictures the bytes were copied as they lay, without reading the pictures.
    failed : int
        How many could not be read; they are zeros.
    failures : tuple of Failure
        The first 1,000 of them.
    bytes_read, bytes_written : int
    seconds : float
    notices : tuple of str
    """

    output: str
    images: int
    inputs: tuple[tuple[str, int], ...]
    shape: tuple[int, ...]
    dtype: str
    copied: int
    failed: int
    failures: tuple[Failure, ...]
    bytes_read: int
    bytes_written: int
    seconds: float
    notices: tuple[str, ...]

    @property
    def exit_code(self) -> int:
        """What a command ends with: 0 where all is well, 3 where pictures could not be read."""
        return 3 if self.failed else 0

    def sentences(self) -> list[str]:
        """Say it in words."""
        size = " × ".join(map(str, self.shape))
        said = [
            f"{self.images:,} pictures of {len(self.inputs):,} files in {self.output} ({self.bytes_written:,} bytes).",
            f"Each has {size} values of type {self.dtype}.",
        ]
        if self.failed:
            said.append(f"Pictures that could not be read, and are zeros: {self.failed:,}.")
            said += [f"  {each.name}: {each.reason}" for each in self.failures[:_SHOWN]]
            if self.failed > _SHOWN:
                said.append(f"  and {self.failed - _SHOWN:,} more")
        return [*said, *self.notices]
