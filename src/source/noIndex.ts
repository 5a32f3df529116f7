import type { IndexProgress } from "./api";

/** The index of a lookup that has none. */
export const NO_INDEX: IndexProgress = { phase: "off", fraction: 0, rows: 0, bytes: 0, folder: "", message: "" };
