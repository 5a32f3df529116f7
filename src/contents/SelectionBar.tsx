import { useEffect, useRef, useState } from "preact/hooks";
import { copyText } from "../app/clipboard";
import { Icon } from "../app/icons";
import type { ExplorerState } from "../state/explorer";
import { countText } from "../text";
import { asPython } from "./asPython";
import type { Chooser } from "./chooser";
import { ExportControl } from "./ExportControl";
import { countRows } from "./ranges";
import { ShareControl } from "./ShareControl";
import { isClear } from "./selecting";
import "./selection.css";

/** How long it is said that something has been copied. */
const SHOWN_MS = 1_500;

/** The line below the rows: how many are selected, what can be done about that, and the view as Python. */
export function SelectionBar({ state, chooser }: { readonly state: ExplorerState; readonly chooser: Chooser }) {
  const { records } = state.opened.value;
  const now = { current: state.current.value, selection: state.selection.value };
  const count = countRows(now.selection);
  const text = count > 1 ? `${countText(count)} selected` : "";
  const button = (label: string, kind: "all" | "invert" | "clear", name: string, useless: boolean) => (
    <button
      type="button"
      class="h5x-quiet-button"
      aria-label={name}
      title={name}
      aria-disabled={useless} // it keeps the focus
      onClick={() => {
        if (!useless) chooser.perform({ kind });
      }}
    >
      {label}
    </button>
  );
  const [open, setOpen] = useState<"export" | "share" | null>(null);
  const buttons = { export: useRef<HTMLButtonElement>(null), share: useRef<HTMLButtonElement>(null) };
  const close = () => {
    if (open !== null) buttons[open].current?.focus();
    setOpen(null);
  };
  const opener = (what: "export" | "share", label: string, name: string, title: string) => (
    <button
      ref={buttons[what]}
      type="button"
      class="h5x-quiet-button"
      aria-label={name}
      title={title}
      aria-expanded={open === what}
      onClick={() => (open === what ? close() : setOpen(what))}
    >
      {label}
    </button>
  );
  return (
    <>
      {open === "export" && <ExportControl state={state} onClose={close} />}
      {open === "share" && <ShareControl state={state} onClose={close} />}
      <div class="h5x-selection" role="group" aria-label="Selection">
        <p class="h5x-selection-refusal" role="status">
          {chooser.refusal.value}
        </p>
        <span class="h5x-selection-count" role="status" title={text || undefined}>
          {text}
        </span>
        <span class="h5x-selection-buttons">
          {button("All", "all", "Select all rows", records === 0)}
          {button("Invert", "invert", "Invert the selection", records === 0)}
          {button("Clear", "clear", "Clear the selection", isClear(now))}
          {state.hasKernel && (
            <>
              {opener("export", "Export", "Export rows", "Export: a table, or a smaller data set with its images")}
              {opener("share", "Share", "Share rows", "Share: one page with pictures and metadata, as a file")}
              <CopyAsPython state={state} />
            </>
          )}
        </span>
      </div>
    </>
  );
}

function CopyAsPython({ state }: { readonly state: ExplorerState }) {
  const [outcome, setOutcome] = useState<"Copied" | "The browser refused to copy" | null>(null);
  useEffect(() => {
    if (outcome === null) return undefined;
    const timer = setTimeout(() => setOutcome(null), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [outcome]);
  return (
    <>
      <button
        type="button"
        class="h5x-quiet-button"
        aria-label="Copy as Python"
        title={outcome ?? "Copy as Python: the lines that make this view again"}
        onClick={async () => {
          const lines = asPython(state.opened.peek(), state.current.peek(), state.selection.peek());
          setOutcome((await copyText(lines)) ? "Copied" : "The browser refused to copy");
        }}
      >
        <Icon name={outcome === "Copied" ? "check" : "copy"} />
        <span class="h5x-selection-python">
          <span class="h5x-selection-word">Copy as </span>Python
        </span>
      </button>
      <span class="h5x-hidden" role="status">
        {outcome}
      </span>
    </>
  );
}
