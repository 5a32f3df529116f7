import { theme, toggleTheme } from "./theme";

/** Changes between light and dark. */
export function ThemeButton() {
  const dark = theme() === "dark";
  return (
    <button
      type="button"
      class="h5x-page-theme"
      aria-label={dark ? "Light colours" : "Dark colours"}
      title={dark ? "Light colours" : "Dark colours"}
      onClick={toggleTheme}
    >
      <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" focusable="false">
        <circle cx="8" cy="8" r="5.5" fill="none" stroke="currentcolor" stroke-width="1.25" />
        <path d="M8 2.5a5.5 5.5 0 010 11z" fill="currentcolor" />
      </svg>
    </button>
  );
}
