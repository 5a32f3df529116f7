/** The pictures of the contract's data set, from an independent reader. */

import { execFileSync } from "node:child_process";
import { venvProgram } from "../support/python";
import type { Expected } from "./expected";

/** Reads all pictures of the good shards with h5py itself. */
export function readPictures(folder: string, expected: Expected): Map<number, Buffer> {
  const script = `
import base64, h5py, json, sys
folder, rows = sys.argv[1], json.load(sys.stdin)
files = {}
out = []
for uuid, name in rows:
    file = files.setdefault(name, h5py.File(f"{folder}/{name}_images.h5"))
    out.append(base64.b64encode(file["images"][uuid][()].tobytes()).decode())
print(json.dumps(out))
`;
  const rows = expected.rows.slice(0, expected.good);
  const printed = execFileSync(venvProgram("python"), ["-c", script, folder], {
    input: JSON.stringify(rows),
    encoding: "utf8",
    maxBuffer: 1 << 28,
  });
  const list: string[] = JSON.parse(printed);
  return new Map(list.map((text, row) => [row, Buffer.from(text, "base64")]));
}
