"""Widgets to measure the explorer against: an empty one, a minimal one, and one that reads as its ancestor does."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import anywidget
import h5py
import polars as pl
import traitlets

ROWS = """
function build(model, el, show) {
  el.classList.add("baseline", model.get("kind"));
  const list = document.createElement("div");
  list.style.cssText = "height: 60px; overflow: auto";
  for (const row of model.get("rows")) {
    const button = document.createElement("button");
    button.textContent = button.dataset.row = String(row);
    button.onclick = () => model.send({ row });
    list.append(button);
  }
  const canvas = document.createElement("canvas");
  const image = document.createElement("img");
  const table = document.createElement("table");
  el.append(list, canvas, image, table);
  model.on("msg:custom", (answer, buffers) => show(answer, buffers, { canvas, image, table }));
}
function fill(table, record) {
  table.replaceChildren(...Object.entries(record).map(([name, value]) => {
    const line = document.createElement("tr");
    for (const text of [name, String(value)]) {
      const cell = document.createElement("td");
      cell.textContent = text;
      line.append(cell);
    }
    return line;
  }));
}
"""

MINIMAL = (
    ROWS
    + """
async function show(answer, [bytes], { canvas, table }) {
  const bitmap = await createImageBitmap(new Blob([bytes]));
  canvas.width = bitmap.width;
  canvas.height = bitmap.height;
  canvas.getContext("2d").drawImage(bitmap, 0, 0);
  fill(table, answer.record);
  table.dataset.row = String(answer.row);
}
export default { render: ({ model, el }) => build(model, el, show) };
"""
)

ANCESTOR = (
    ROWS
    + """
async function show(answer, _, { image, table }) {
  image.src = `data:image/webp;base64,${answer.image}`;
  fill(table, answer.record);
  await image.decode();
  table.dataset.row = String(answer.row);
}
export default { render: ({ model, el }) => build(model, el, show) };
"""
)


class Empty(anywidget.AnyWidget):
    """A widget with one word in it."""

    _esm = "export default { render({ el }) { el.innerHTML = '<p class=empty-widget>here</p>'; } };"


class _Baseline(anywidget.AnyWidget):
    rows = traitlets.List().tag(sync=True)
    kind = traitlets.Unicode().tag(sync=True)

    def __init__(self, folder: str, rows: list[int]) -> None:
        lookup = pl.read_parquet(Path(folder) / "lookup.parquet")
        self._lookup = {row: lookup.row(row, named=True) for row in rows}
        self._folder = Path(folder)
        super().__init__(rows=rows)
        self.on_msg(self._answer)

    def _base(self, row: int) -> str:
        return str(self._folder / self._lookup[row]["filepath"].removesuffix("_images.h5"))

    def _read(self, row: int) -> tuple[bytes, dict[str, Any]]:
        key, base = self._lookup[row]["uuid"], self._base(row)
        with h5py.File(f"{base}_images.h5", "r") as file:
            data = bytes(file["images"][key][()])
        record = pl.read_parquet(f"{base}_metadata.parquet").filter(pl.col("uuid") == key).row(0, named=True)
        return data, {name: value if isinstance(value, int | float) else str(value) for name, value in record.items()}

    def _answer(self, _: Any, content: dict[str, int], __: Any) -> None:
        raise NotImplementedError  # each does


class Minimal(_Baseline):
    """Has everything in memory, and sends it."""

    _esm = MINIMAL

    def __init__(self, folder: str, rows: list[int]) -> None:
        super().__init__(folder, rows)
        self.kind = "minimal"
        self._here = {row: self._read(row) for row in rows}

    def _answer(self, _: Any, content: dict[str, int], __: Any) -> None:
        data, record = self._here[content["row"]]
        self.send({"row": content["row"], "record": record}, [data])


class Ancestor(_Baseline):
    """Opens the shard and reads all its metadata at every click, and sends base64 in JSON."""

    _esm = ANCESTOR

    def __init__(self, folder: str, rows: list[int]) -> None:
        super().__init__(folder, rows)
        self.kind = "ancestor"

    def _answer(self, _: Any, content: dict[str, int], __: Any) -> None:
        data, record = self._read(content["row"])
        self.send({"row": content["row"], "record": record, "image": base64.b64encode(data).decode()})
