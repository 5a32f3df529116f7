/**
 * How rows are chosen by mouse, keyboard and finger, as pure functions.
 *
 * As in a list of files: a plain click or arrow chooses one row, Shift goes on from where that was, Control or Command
 * adds to what is selected or moves without selecting. At least one row stays selected: where nothing else is, the
 * current row stands for the selection.
 */

import type { Ranges } from "../state/shared";
import { areSame, holds, inverted, MOST_RANGES, single, withoutRow, withRange } from "./ranges";

/** What is chosen. */
export interface Chosen {
  /** The row that is shown; `null` for none. */
  readonly current: number | null;
  readonly selection: Ranges;
  /** The row that Shift goes on from; `null` for the current one. */
  readonly anchor: number | null;
}

/** What a person does with the rows. */
export type Act =
  /** Chooses this row only. */
  | { readonly kind: "only"; readonly row: number }
  /** Selects this row too, or no longer. */
  | { readonly kind: "toggle"; readonly row: number }
  /** Selects the rows from the anchor to this one, and no others. */
  | { readonly kind: "extend"; readonly row: number }
  /** Selects the rows from the anchor to this one too. */
  | { readonly kind: "add"; readonly row: number }
  /** Goes to this row; the selection stays. */
  | { readonly kind: "go"; readonly row: number }
  | { readonly kind: "all" }
  | { readonly kind: "invert" }
  /** Leaves only the current row selected. */
  | { readonly kind: "clear" };

/** The rows that are selected; where there are none, the current one. */
export function selected(chosen: Pick<Chosen, "current" | "selection">): Ranges {
  return chosen.selection.length > 0 ? chosen.selection : single(chosen.current);
}

/**
 * Does what a person wants with the rows of a view.
 *
 * @param total - How many rows the view has.
 * @returns What is chosen then; `null` where that would be more ranges than a selection has.
 */
export function perform(chosen: Chosen, act: Act, total: number): Chosen | null {
  const after = outcome(chosen, act, total);
  return after.selection.length > MOST_RANGES ? null : after;
}

function outcome(chosen: Chosen, act: Act, total: number): Chosen {
  const { current } = chosen;
  const before = selected(chosen);
  switch (act.kind) {
    case "only":
      return { current: act.row, selection: single(act.row), anchor: act.row };
    case "toggle": {
      const { row } = act;
      const after = holds(before, row) ? withoutRow(before, row) : withRange(before, row, row + 1);
      return { current: row, selection: after.length > 0 ? after : single(row), anchor: row };
    }
    case "extend": {
      const { anchor, start, stop } = stretch(chosen, act.row);
      return { current: act.row, selection: [[start, stop]], anchor };
    }
    case "add": {
      const { anchor, start, stop } = stretch(chosen, act.row);
      return { current: act.row, selection: withRange(before, start, stop), anchor };
    }
    case "go":
      return { current: act.row, selection: before, anchor: stretch(chosen, act.row).anchor };
    case "all":
      return { ...chosen, selection: total > 0 ? [[0, total]] : [] };
    case "invert": {
      const after = inverted(before, total);
      return { ...chosen, selection: after.length > 0 ? after : single(current) };
    }
    default:
      return { current, selection: single(current), anchor: current };
  }
}

/** The rows from the anchor to a row, whichever is first. */
function stretch(
  chosen: Chosen,
  row: number,
): { readonly anchor: number; readonly start: number; readonly stop: number } {
  const anchor = chosen.anchor ?? chosen.current ?? row;
  return { anchor, start: Math.min(anchor, row), stop: Math.max(anchor, row) + 1 };
}

/** Whether only the current row is selected. */
export function isClear(chosen: Pick<Chosen, "current" | "selection">): boolean {
  return areSame(selected(chosen), single(chosen.current));
}

/** The keys that are held while another one, or the mouse's, is pressed. */
export interface Held {
  readonly shiftKey: boolean;
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
  readonly altKey: boolean;
}

/** Whether the key that adds is held: Control, or Command on a Mac. */
function isAdding(held: Held, mac: boolean): boolean {
  return mac ? held.metaKey : held.ctrlKey;
}

/** What a click on a row does; `null` where it asks for a menu. */
export function actOfClick(held: Held, row: number, mac: boolean): Act | null {
  if (mac && held.ctrlKey) return null;
  const adding = isAdding(held, mac);
  if (held.shiftKey) return { kind: adding ? "add" : "extend", row };
  return { kind: adding ? "toggle" : "only", row };
}

/**
 * What a key does; `null` where it is not for the rows.
 *
 * @param to - The row that the key leads to; `null` for a key that leads to none.
 */
export function actOfKey(
  press: Held & { readonly key: string },
  chosen: Pick<Chosen, "current" | "selection">,
  to: number | null,
  mac: boolean,
): Act | null {
  const { key, shiftKey, altKey } = press;
  if (altKey || (mac ? press.ctrlKey : press.metaKey)) return null;
  const adding = isAdding(press, mac);
  if (to !== null) {
    if (shiftKey) return { kind: adding ? "add" : "extend", row: to };
    return { kind: adding ? "go" : "only", row: to };
  }
  if (key === " ") {
    if (chosen.current === null) return null;
    return { kind: shiftKey ? (adding ? "add" : "extend") : "toggle", row: chosen.current };
  }
  if (adding && !shiftKey && key.toLowerCase() === "a") return { kind: "all" };
  if (key === "Escape" && !adding && !shiftKey && !isClear(chosen)) return { kind: "clear" };
  return null;
}
