/** What the page and Python both know and both may change: small things only. */

import type { ReadonlySignal } from "@preact/signals";
import type { Opened } from "../source/api";
import type { KeptShares, Look } from "./look";

/** Half-open ranges of rows, sorted, neither touching nor overlapping. */
export type Ranges = readonly (readonly [number, number])[];

/** What a person chose. */
export interface Choice {
  readonly current?: number | null;
  readonly selection?: Ranges;
}

/** The state that is kept in step with Python. */
export interface SharedState {
  readonly opened: ReadonlySignal<Opened>;
  /** The row that is shown, from 0. */
  readonly current: ReadonlySignal<number | null>;
  readonly selection: ReadonlySignal<Ranges>;
  /** The widget's height as a CSS length; `null` for its own. */
  readonly height: ReadonlySignal<string | null>;
  /** How it looked when it was opened. */
  readonly look: Look;
  /** Has the shares of the panels remembered. */
  keepShares(shares: KeptShares): void;
  /** Changes what a person chose, in one message. */
  choose(choice: Choice): void;
  close(): void;
}
