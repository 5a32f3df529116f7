import type { RefObject } from "preact";
import { useLayoutEffect } from "preact/hooks";

/** Leads the focus to the panel when an element goes that has it: else it would be lost to the page. */
export function useKeptFocus<T extends HTMLElement>(ref: RefObject<T | null>): void {
  useLayoutEffect(() => {
    const element = ref.current;
    return () => {
      if (element?.contains(document.activeElement)) element.closest("section")?.focus();
    };
  }, [ref]);
}
