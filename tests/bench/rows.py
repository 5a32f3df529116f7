"""Lookups of many rows for the slider, and the least widget that shows rows by one."""

from __future__ import annotations

import os
from typing import Any

import anywidget
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import traitlets

GROUP_ROWS = 1 << 20
SHOWN_ROWS = 128
"""Rows that the explorer asks for at once."""


def make_repeating(path: str, rows: int) -> str:
    """Return the path of a lookup whose uuids repeat, so that 200 million rows take little room; written if need be."""
    if os.path.exists(path):
        return path
    schema = pa.schema([("uuid", pa.string()), ("filepath", pa.string())])
    uuids = pa.array([f"{number:08x}-1111-4222-8333-{number:012x}" for number in range(4096)])
    files = pa.array([f"/data/shard_{number:05}" for number in range(4096)])
    with pq.ParquetWriter(path, schema) as writer:
        for start in range(0, rows, GROUP_ROWS):
            numbers = np.arange(start, min(start + GROUP_ROWS, rows))
            codes = pa.array(numbers // 512 % 4096)
            writer.write_table(pa.table([uuids.take(codes), files.take(codes)], schema=schema), GROUP_ROWS)
    return path


ESM = """
export default {
  render({ model, el }) {
    el.classList.add("baseline", "rows");
    const slider = document.createElement("input");
    slider.type = "range";
    slider.max = String(model.get("rows") - 1);
    slider.value = "0";
    slider.style.width = "400px";
    const list = document.createElement("div");
    el.append(slider, list);
    slider.onchange = () => model.send({ start: Number(slider.value) });
    model.on("msg:custom", (answer, [bytes]) => {
      const lines = new TextDecoder().decode(bytes).split("\\n");
      list.replaceChildren(...lines.slice(0, 20).map((text) => {
        const line = document.createElement("p");
        line.textContent = text;
        return line;
      }));
      list.dataset.start = String(answer.start);
    });
  },
};
"""


class MinimalRows(anywidget.AnyWidget):
    """Has the bytes of rows at hand, whatever is asked for, and sends them."""

    _esm = ESM
    rows = traitlets.Int().tag(sync=True)

    def __init__(self, rows: int) -> None:
        super().__init__(rows=rows)
        line = "00000001-1111-4222-8333-000000000001 /data/shard_00001"
        self._bytes = "\n".join([line] * SHOWN_ROWS).encode()
        self.on_msg(self._answer)

    def _answer(self, _: Any, content: dict[str, int], __: Any) -> None:
        self.send({"start": content["start"]}, [self._bytes])
