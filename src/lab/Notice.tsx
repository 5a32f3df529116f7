import { useState } from "preact/hooks";
import { copyText } from "../app/clipboard";
import type { KernelChoice } from "./kernelChoice";

/** What a tab says in place of its explorer. */
export type NoticeContent =
  | { readonly kind: "waiting"; readonly text: string }
  | {
      readonly kind: "trouble";
      readonly title: string;
      readonly text: string;
      /** What to type in a terminal. */
      readonly command?: string;
      /** What the button does that tries again, and what it is called. */
      readonly retry?: string;
      /** Kernels that can be taken instead. */
      readonly kernels?: readonly KernelChoice[];
    };

/** Says what a tab waits for, or what is wrong and what to do about it. */
export function Notice({
  content,
  onRetry,
  onKernel,
}: {
  readonly content: NoticeContent;
  readonly onRetry: () => void;
  readonly onKernel: (name: string) => void;
}) {
  if (content.kind === "waiting") {
    return (
      <div class="h5x-notice h5x-notice-waiting" role="status">
        <span class="h5x-notice-spinner" aria-hidden="true" />
        {content.text}
      </div>
    );
  }
  const { title, text, command, retry, kernels = [] } = content;
  return (
    <div class="h5x-notice">
      <div role="alert">
        <h2>{title}</h2>
        {text !== "" && <p>{text}</p>}
      </div>
      {command !== undefined && <Command text={command} />}
      {retry !== undefined && (
        <button type="button" class="h5x-notice-button" onClick={onRetry}>
          {retry}
        </button>
      )}
      {kernels.length > 0 && (
        <fieldset>
          <legend>{command === undefined ? "Kernels" : "Or take another kernel"}</legend>
          {kernels.map(({ name, label }) => (
            <button key={name} type="button" class="h5x-notice-button" onClick={() => onKernel(name)}>
              {label}
            </button>
          ))}
        </fieldset>
      )}
    </div>
  );
}

function Command({ text }: { readonly text: string }) {
  const [copied, setCopied] = useState(false);
  return (
    <div class="h5x-notice-command">
      <code>{text}</code>
      <button type="button" class="h5x-notice-button" onClick={async () => setCopied(await copyText(text))}>
        {copied ? "Copied" : "Copy"}
      </button>
    </div>
  );
}
