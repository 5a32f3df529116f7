"""pandas, which takes a second to import, is never imported by what the explorer does on its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image as pil

SCRIPT = """
import sys
from h5explorer_py.lookup import rows as lookup_rows
from h5explorer_py.lookup.packed import store
store.SMALLEST, lookup_rows.BEGIN_SECONDS = 10, 0.0
from h5explorer_py.options import Options
from h5explorer_py.session import Session
from h5explorer_py.lookup.find import parse
from h5explorer_py.view.work import Work
from h5explorer_py.view.values import columns_of, values_of

def go_on():
    pass

def not_imported(what):
    assert "pandas" not in sys.modules, what

session = Session("lookup.parquet", Options(cache="cache"))
rows = session.dataset.rows
assert rows.preparation.wait(20) and rows.packed
not_imported("packing")
uuid = session.view.keys(5, 6).column(0)[0].as_py()
for text in (uuid, uuid.upper(), uuid[:5], "s1", "7"):
    session.view.find(parse(text), None, go_on)
    session.view.count(parse(text), 0, 0.1, go_on)
assert session.dataset.row_of(uuid) == 5
assert session.dataset.record(session.view.entry(5)).matches == 1
not_imported("finding")
for condition in ("uuid > '4'", "kind = 'k1'", "kind IS NULL", "kind = 'k1' AND filepath = 's1'"):
    session.show(condition, [("uuid", "desc")])
    session.view.keys(0, 10), session.view.read(0, 10)
    session.show(condition, [("kind", "asc")])
not_imported("filtering")
for column in columns_of(session.dataset):
    values_of(session.dataset, column["name"], Work())
not_imported("values")
session.close()
"""


def test_nothing_imports_it(tmp_path: Path) -> None:
    uuids = [f"{row * 2654435761 % 2**32:08x}-0000-4000-8000-000000000000" for row in range(300)]
    uuids[7] = "odd"
    files = [f"s{row % 3}" for row in range(300)]
    pq.write_table(pa.table({"uuid": uuids, "filepath": files}), tmp_path / "lookup.parquet")
    for shard in range(3):
        table = pa.table({"uuid": uuids[shard::3], "kind": [f"k{row % 5}" for row in range(100)], "n": range(100)})
        pq.write_table(table, tmp_path / f"s{shard}_metadata.parquet")
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(root)!r})\n{SCRIPT}"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr


CONVERSION = """
import sys
from h5explorer_py.making.convert import convert
from h5explorer_py.zarr import convert as from_memory, inspect, display_sample_images
import numpy as np
options = {"metadata": "m.csv", "workers": 1, "progress": False, "pages": "each", "on_error": "skip"}
for more in ({}, {"append": True}):
    convert("pictures", "x.zarr", **options, **more)
    assert "pandas" not in sys.modules, "converting"
images = np.zeros((2, 3, 8, 6), np.uint8)
rows = [{"a": 1, "b": 0.5}, {"a": 2, "c": "x"}]
from_memory("x.zarr", images=images, image_metadata=rows, append=True, progress=False)
assert "pandas" not in sys.modules, "from memory"
inspect("x.zarr")
display_sample_images("x.zarr", save_path="sheet.png")
assert "pandas" not in sys.modules, "looking at it"
"""


def test_no_conversion_imports_it(tmp_path: Path) -> None:
    (tmp_path / "pictures").mkdir()
    for number in range(3):
        pil.new("RGB", (6, 8), (number, 5, 7)).save(tmp_path / "pictures" / f"p{number}.png")
    (tmp_path / "pictures" / "q.png").write_bytes(b"")
    (tmp_path / "m.csv").write_text("filename,a,b,c,d\np0.png,1,,true,0007\np2.png,2,0.5,false,\n")
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-c", CONVERSION],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
