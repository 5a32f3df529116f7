import type { RefObject } from "preact";
import { useEffect } from "preact/hooks";

const SUPPRESS = "data-lm-suppress-shortcuts";
const EDITING = new Set(["a", "c", "v", "x", "y", "z"]);

/** What tells whose a key is. */
export interface KeyPress {
  readonly key: string;
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
}

/**
 * Whether a key pressed in the widget is the widget's alone. Plain keys are: JupyterLab would move between cells,
 * insert one or delete one. Chords such as Control+S stay JupyterLab's, but for those that edit the text of a field.
 */
export function isOwnKey(press: KeyPress, inField: boolean): boolean {
  if (!press.ctrlKey && !press.metaKey) return true;
  return inField && EDITING.has(press.key.toLowerCase());
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
      const inField = target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement;
      if (isOwnKey(event, inField)) target.setAttribute(SUPPRESS, "true");
      else target.removeAttribute(SUPPRESS);
    };
    // On the window, before what any host listens for on the document.
    window.addEventListener("keydown", mark, true);
    return () => window.removeEventListener("keydown", mark, true);
  }, [root]);
}
