import type { RefObject } from "preact";
import { useLayoutEffect } from "preact/hooks";
import { focused } from "./focus";

/** Leads the focus to the panel when an element goes that has it: else it would be lost to the page. */
export function useKeptFocus<T extends HTMLElement>(ref: RefObject<T | null>): void {
  useLayoutEffect(() => {
    const element = ref.current;
    return () => {
      if (element?.contains(focused())) element.closest("section")?.focus();
    };
  }, [ref]);
}
