"""An image as Python gets it."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from h5explorer_py.images.sniff import MEDIA_TYPES, format_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL import Image as pil


@dataclass(frozen=True)
class Image:
    """The encoded bytes of an image, as the shard holds them.

    Attributes
    ----------
    data : bytes
        The bytes, unchanged.
    key : str
        The uuid.
    source : str
        The HDF5 file that they come from.
    seconds : float
        How long it took to get them, in seconds.
    """

    data: bytes = field(repr=False)
    key: str
    source: str
    seconds: float

    @cached_property
    def format(self) -> str:
        """The format as told from the bytes: ``"JPEG"``, ``"PNG"``...; empty where it is not known."""
        return format_of(self.data)

    @property
    def media_type(self) -> str:
        """The Internet media type, ``image/jpeg`` for example."""
        return MEDIA_TYPES.get(self.format, "application/octet-stream")

    def to_pil(self) -> pil.Image:
        """Decode the image with Pillow.

        Returns
        -------
        PIL.Image.Image
            As stored: neither turned by its EXIF orientation nor converted.

        Raises
        ------
        PIL.UnidentifiedImageError
            Where Pillow does not know the format.
        OSError
            Where the bytes are damaged.
        """
        from PIL import Image as pil

        image = pil.open(io.BytesIO(self.data))
        image.load()
        return image

    def to_numpy(self) -> NDArray[np.generic]:
        """Decode the image into an array, height x width (x channels), with the values that Pillow gives."""
        import numpy as np

        return np.asarray(self.to_pil())

    def _repr_mimebundle_(self, **_: object) -> dict[str, bytes | str]:
        if self.format in {"JPEG", "PNG"}:
            return {self.media_type: self.data, "text/plain": repr(self)}
        return {"text/plain": repr(self)}
