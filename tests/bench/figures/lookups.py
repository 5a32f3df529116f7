"""The lookups that figures are taken of: random uuids and the names of 2,000 shards, in several forms of file."""

from __future__ import annotations

import binascii
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

SHARDS = 2_000
BLOCK_ROWS = 1 << 20
LARGEST_GROUP = 1 << 26
"""pyarrow writes no row group of more rows."""

SMALL_GROUP = 10_000

BYTES_A_ROW = {"1Mi groups": 38, "10k groups": 40, "giant groups": 38, "CSV": 120}
"""The room that each form takes."""

_DASHES = (8, 13, 18, 23)
_UUID_LENGTH = 36


def uuid_texts(packed: NDArray[np.uint8]) -> pa.StringArray:
    """Write uuids, shape (n, 16), as text."""
    digits = np.frombuffer(binascii.hexlify(packed.tobytes()), np.uint8).reshape(-1, 32)
    texts = np.full((len(packed), _UUID_LENGTH), ord("-"), np.uint8)
    texts[:, [at for at in range(_UUID_LENGTH) if at not in _DASHES]] = digits
    offsets = np.arange(len(packed) + 1, dtype=np.int32) * _UUID_LENGTH
    return pa.StringArray.from_buffers(len(packed), pa.py_buffer(offsets), pa.py_buffer(texts))


def random_uuids(random: np.random.Generator, count: int) -> NDArray[np.uint8]:
    """Make uuids of version 4, shape (count, 16)."""
    packed = np.frombuffer(random.bytes(count * 16), np.uint8).reshape(-1, 16).copy()
    packed[:, 6] = packed[:, 6] & 0x0F | 0x40
    packed[:, 8] = packed[:, 8] & 0x3F | 0x80
    return packed


def _shard_names() -> pa.StringArray:
    prefix = "/fs/scratch/TreeOfLife-200M/source=gbif/server=images.inaturalist.org"
    return pa.array([f"{prefix}/shard_{number:05d}" for number in range(SHARDS)])


def blocks(rows: int) -> Iterator[pa.Table]:
    """Give the rows of the lookup, 1,048,576 at a time; they are the same each time, and in every form of file."""
    names = _shard_names()
    for number, start in enumerate(range(0, rows, BLOCK_ROWS)):
        random = np.random.default_rng([20, number])
        count = min(BLOCK_ROWS, rows - start)
        codes = pa.array(random.integers(0, SHARDS, count, dtype=np.int32))
        uuids = uuid_texts(random_uuids(random, count))
        yield pa.table({"uuid": uuids, "filepath": pa.DictionaryArray.from_arrays(codes, names)})


def _write_parquet(path: str, rows: int, group: int) -> None:
    schema = pa.schema([("uuid", pa.string()), ("filepath", pa.dictionary(pa.int32(), pa.string()))])
    # Without Arrow's own schema in it the file says that both columns are text.
    with pq.ParquetWriter(path, schema, use_dictionary=["filepath"], store_schema=False) as writer:
        held: list[pa.Table] = []
        for block in blocks(rows):
            held.append(block)
            if sum(table.num_rows for table in held) + BLOCK_ROWS > max(group, BLOCK_ROWS):
                writer.write_table(pa.concat_tables(held), row_group_size=group)
                held.clear()
        if held:
            writer.write_table(pa.concat_tables(held), row_group_size=group)


def _write_csv(path: str, rows: int, _: int) -> None:
    schema = pa.schema([("uuid", pa.string()), ("filepath", pa.string())])
    with pa_csv.CSVWriter(path, schema, write_options=pa_csv.WriteOptions(quoting_style="none")) as writer:
        for block in blocks(rows):
            writer.write_table(block.cast(schema))


_WRITERS: dict[str, tuple[str, Callable[[str, int, int], None], int]] = {
    "1Mi groups": ("lookup-1mi.parquet", _write_parquet, BLOCK_ROWS),
    "10k groups": ("lookup-10k.parquet", _write_parquet, SMALL_GROUP),
    "giant groups": ("lookup-giant.parquet", _write_parquet, LARGEST_GROUP),
    "CSV": ("lookup.csv", _write_csv, 0),
}


def path_of(folder: Path, form: str) -> Path:
    """Return the file of a lookup in one of the forms of ``BYTES_A_ROW``."""
    return folder / _WRITERS[form][0]


def make_lookup(folder: Path, form: str, rows: int) -> str:
    """Return the path of a lookup, which is written first where it is not there."""
    path = path_of(folder, form)
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        _, write, group = _WRITERS[form]
        aside = f"{path}.part"
        write(aside, rows, group)
        os.replace(aside, path)
    return str(path)


def main() -> None:
    """Write one lookup: ``python -m tests.bench.figures.lookups FOLDER FORM ROWS``."""
    folder, form, rows = sys.argv[1:]
    make_lookup(Path(folder), form, int(rows))


if __name__ == "__main__":
    main()
