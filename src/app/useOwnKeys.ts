import type { RefObject } from "preact";
import { useEffect } from "preact/hooks";

const SUPPRESS = "data-lm-suppress-shortcuts";
const EDITING = new Set(["a", "c", "v", "x", "y", "z"]);
const CHOOSING = new Set([
  "a",
  " ",
  "ArrowUp",
  "ArrowDown",
  "ArrowLeft",
  "ArrowRight",
  "PageUp",
  "PageDown",
  "Home",
  "End",
]);

/** What tells whose a key is. */
export interface KeyPress {
  readonly key: string;
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
}

/** What a key is pressed in: a field for text, the rows that are chosen from, or something else. */
export type Place = "field" | "rows" | "other";

/**
 * Whether a key pressed in the widget is the widget's alone. Plain keys are: JupyterLab would move between cells,
 * insert one or delete one. Chords such as Control+S stay JupyterLab's, but for those that edit the text of a field or
 * select rows: it would move the cell, or select all cells.
 */
export function isOwnKey(press: KeyPress, place: Place): boolean {
  if (!press.ctrlKey && !press.metaKey) return true;
  if (place === "field") return EDITING.has(press.key.toLowerCase());
  return place === "rows" && CHOOSING.has(press.key);
}

function placeOf(target: Element): Place {
  if (target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement) return "field";
  return target.getAttribute("role") === "grid" ? "rows" : "other";
}

/**
 * Keeps the widget's keys from JupyterLab, which looks for the mark on the element that has the focus, from that
 * element outwards, and finds its own selectors for focused elements first where the mark is further out.
 */
export function useOwnKeys(root: RefObject<HTMLElement | null>): void {
  useEffect(() => {
    const mark = (event: KeyboardEvent) => {
      const { target } = event;
      if (!(target instanceof Element) || root.current?.contains(target) !== true) return;
      if (isOwnKey(event, placeOf(target))) target.setAttribute(SUPPRESS, "true");
      else target.removeAttribute(SUPPRESS);
    };
    // On the window, before what any host listens for on the document.
    window.addEventListener("keydown", mark, true);
    return () => window.removeEventListener("keydown", mark, true);
  }, [root]);
}
