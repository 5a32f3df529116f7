import { useEffect, useState } from "preact/hooks";
import { copyText } from "./clipboard";
import { Icon } from "./icons";

const SHOWN_MS = 1_500;

/** Copies a text; says for a moment whether it could. */
export function CopyButton({ text, what }: { readonly text: string; readonly what: string }) {
  const [outcome, setOutcome] = useState<"copied" | "refused" | null>(null);
  useEffect(() => {
    if (outcome === null) return undefined;
    const timer = setTimeout(() => setOutcome(null), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [outcome]);
  const label =
    outcome === "copied" ? "Copied" : outcome === "refused" ? "The browser refused to copy" : `Copy ${what}`;
  return (
    <button
      type="button"
      class="h5x-icon-button"
      aria-label={label}
      title={label}
      onClick={async (event) => {
        event.stopPropagation();
        setOutcome((await copyText(text)) ? "copied" : "refused");
      }}
    >
      <Icon name={outcome === "copied" ? "check" : "copy"} />
    </button>
  );
}
