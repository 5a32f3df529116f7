/** What a person has set for the extension. */

import { isFields } from "../fields";
import { type Look, lookOf } from "../state/look";

const THEMES = ["lab", "light", "dark"] as const;

/** The settings. */
export interface Settings {
  readonly theme: (typeof THEMES)[number];
  readonly look: Pick<Look, "rowHeight" | "prefetch">;
  /** Whether large lookups are indexed, or the folder for that. */
  readonly cache: boolean | string;
  /** How many bytes all indexes may take; `null` where the kernel's environment says it. */
  readonly cacheLimit: number | null;
  /** The name of the kernel to start; empty for the server's choice. */
  readonly kernel: string;
}

/** Reads the settings; what is missing or no good is as usual. */
export function settingsOf(value: unknown): Settings {
  const fields = isFields(value) ? value : {};
  const folder = typeof fields.cacheFolder === "string" ? fields.cacheFolder.trim() : "";
  const gigabytes = typeof fields.cacheLimit === "number" ? fields.cacheLimit : 0;
  const { rowHeight, prefetch } = lookOf(fields);
  return {
    theme: THEMES.find((each) => each === fields.theme) ?? "lab",
    look: { rowHeight, prefetch },
    cache: fields.cache === false ? false : folder || true,
    cacheLimit: gigabytes >= 0.001 ? Math.round(gigabytes * 1e9) : null,
    kernel: typeof fields.kernel === "string" ? fields.kernel : "",
  };
}
