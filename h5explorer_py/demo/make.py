"""A small data set of real photographs, in the layout that the explorer reads."""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
from PIL import Image as pil

from h5explorer_py.demo.photographs import Crop, crops
from h5explorer_py.shards import IMAGES_SUFFIX, METADATA_SUFFIX

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

SHARDS = 4
IMAGES_PER_SHARD = 250
_SEED = 20_260_101
_FORMATS = ("JPEG", "JPEG", "JPEG", "PNG", "WEBP")
_FIRST_DAY = dt.datetime(2024, 2, 29, 8, 0, tzinfo=dt.UTC)

METADATA_SCHEMA = pa.schema(
    [
        ("uuid", pa.string()),
        ("subject", pa.string()),
        ("source", pa.dictionary(pa.int8(), pa.string())),
        ("licence", pa.string()),
        ("format", pa.string()),
        ("width", pa.int32()),
        ("height", pa.int32()),
        ("bytes", pa.int64()),
        ("mean_intensity", pa.float64()),
        ("contrast", pa.float32()),
        ("in_colour", pa.bool_()),
        ("taken_at", pa.timestamp("us", tz="UTC")),
        ("day", pa.date32()),
        ("offset", pa.list_(pa.int32(), 2)),
        ("tags", pa.list_(pa.string())),
        ("rating", pa.int8()),
        ("note", pa.string()),
        ("sha256", pa.binary()),
    ]
)


@dataclass(frozen=True)
class _Picture:
    key: str
    data: bytes
    record: dict[str, Any]


def make_dataset(folder: str | os.PathLike[str]) -> Path:
    """Write 4 shards of 250 images with metadata, ``lookup.parquet`` and ``lookup.csv``.

    The same bytes come out every time, given the same versions of Pillow and HDF5.

    Parameters
    ----------
    folder : path
        Where to; made if it is not there.

    Returns
    -------
    pathlib.Path
        The Parquet lookup.
    """
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    pictures = [_encode(number, crop) for number, crop in enumerate(crops(SHARDS * IMAGES_PER_SHARD, _SEED))]
    rows = []
    for shard in range(SHARDS):
        name = f"photographs_{shard:03d}"
        part = pictures[shard * IMAGES_PER_SHARD : (shard + 1) * IMAGES_PER_SHARD]
        _write_shard(target / name, part)
        rows += [{"uuid": picture.key, "filepath": name} for picture in part]
    np.random.default_rng(_SEED).shuffle(rows)
    lookup = pa.Table.from_pylist(rows)
    pq.write_table(lookup, target / "lookup.parquet")
    pa_csv.write_csv(lookup, target / "lookup.csv", pa_csv.WriteOptions(quoting_style="none"))
    return target / "lookup.parquet"


def _encode(number: int, crop: Crop) -> _Picture:
    written = io.BytesIO()
    kind = _FORMATS[number % len(_FORMATS)]
    pil.fromarray(crop.pixels).save(written, kind, quality=88)
    data = written.getvalue()
    key = str(uuid.uuid5(uuid.NAMESPACE_OID, f"h5explorer demo {number}"))
    return _Picture(key, data, _record(number, crop, kind, key, data))


def _record(number: int, crop: Crop, kind: str, key: str, data: bytes) -> dict[str, Any]:
    taken = _FIRST_DAY + dt.timedelta(minutes=37 * number, microseconds=number)
    colour = crop.pixels.ndim == 3
    return {
        "uuid": key,
        "subject": crop.subject,
        "source": crop.source,
        "licence": crop.licence,
        "format": kind,
        "width": crop.pixels.shape[1],
        "height": crop.pixels.shape[0],
        "bytes": len(data),
        "mean_intensity": float(crop.pixels.mean()),
        "contrast": float(crop.pixels.std()),
        "in_colour": colour,
        "taken_at": taken,
        "day": taken.date(),
        "offset": [crop.left, crop.top],
        "tags": [crop.source, "colour" if colour else "grey", *(["wide"] if _is_wide(crop) else [])],
        "rating": None if number % 7 == 0 else number % 5 + 1,
        "note": _note(number, crop),
        "sha256": hashlib.sha256(data).digest(),
    }


def _is_wide(crop: Crop) -> bool:
    return int(crop.pixels.shape[1]) > 2 * int(crop.pixels.shape[0])


def _note(number: int, crop: Crop) -> str | None:
    if number % 3:
        return None
    sentence = f"Part of {crop.subject!r} beginning {crop.left} px from its left and {crop.top} px from its top."
    return " ".join([sentence] * (1 + number % 9))


def _write_shard(prefix: Path, pictures: Sequence[_Picture]) -> None:
    with h5py.File(f"{prefix}{IMAGES_SUFFIX}", "w") as file:
        group = file.create_group("images")
        for picture in pictures:
            group.create_dataset(picture.key, data=np.frombuffer(picture.data, dtype=np.uint8))
    table = pa.Table.from_pylist([picture.record for picture in pictures], schema=METADATA_SCHEMA)
    pq.write_table(table, f"{prefix}{METADATA_SUFFIX}")
