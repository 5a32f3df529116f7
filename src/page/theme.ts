/** Light or dark: as the system says, until a person chooses. */

import { effect, signal } from "@preact/signals";

/** A theme of the page. */
export type Theme = "light" | "dark";

const KEY = "h5explorer.theme";

const system = window.matchMedia("(prefers-color-scheme: dark)");
const chosen = signal<Theme | null>(remembered());
const systems = signal<Theme>(system.matches ? "dark" : "light");

/** The theme that is shown. */
export function theme(): Theme {
  return chosen.value ?? systems.value;
}

/** Changes to the other theme; what the system says by itself need not be remembered. */
export function toggleTheme(): void {
  const other: Theme = theme() === "dark" ? "light" : "dark";
  chosen.value = other === systems.peek() ? null : other;
  try {
    if (chosen.value === null) localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, chosen.value);
  } catch {
    // The browser keeps nothing; the choice holds until the page is closed.
  }
}

/** Keeps the page in its theme. */
export function followTheme(): void {
  system.addEventListener("change", (event) => {
    systems.value = event.matches ? "dark" : "light";
  });
  effect(() => {
    document.documentElement.dataset.theme = theme();
  });
}

function remembered(): Theme | null {
  try {
    const kept = localStorage.getItem(KEY);
    return kept === "light" || kept === "dark" ? kept : null;
  } catch {
    return null;
  }
}
