import { useState } from "preact/hooks";
import { copyText } from "../app/clipboard";
import { bytesText } from "../text";
import type { KernelChoice } from "./kernelChoice";
import { MOST_BYTES, type PlainOffer } from "./plain/offer";

/** What a tab says in place of its explorer. */
export type NoticeContent =
  | {
      readonly kind: "waiting";
      readonly text: string;
      /** What the page can do meanwhile, where it takes long. */
      readonly plain?: PlainOffer | null;
    }
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
      /** Whether the page can show the file by itself. */
      readonly plain?: PlainOffer | null;
    };

/** Says what a tab waits for, or what is wrong and what to do about it. */
export function Notice({
  content,
  onRetry,
  onKernel,
  onPlain,
}: {
  readonly content: NoticeContent;
  readonly onRetry: () => void;
  readonly onKernel: (name: string) => void;
  readonly onPlain: () => void;
}) {
  if (content.kind === "waiting") {
    const { text, plain = null } = content;
    return (
      <div class="h5x-notice h5x-notice-waiting">
        <div class="h5x-notice-wait" role="status">
          <span class="h5x-notice-spinner" aria-hidden="true" />
          {text}
        </div>
        {plain !== null && <Plain offer={plain} onPlain={onPlain} />}
      </div>
    );
  }
  const { title, text, command, retry, kernels = [], plain = null } = content;
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
          <legend>{retry === "Go back" ? "Kernels" : "Or take another kernel"}</legend>
          {kernels.map(({ name, label }) => (
            <button key={name} type="button" class="h5x-notice-button" onClick={() => onKernel(name)}>
              {label}
            </button>
          ))}
        </fieldset>
      )}
      {plain !== null && <Plain offer={plain} onPlain={onPlain} />}
    </div>
  );
}

/** Says what this page can show by itself, and what that lacks; nothing is read before a person wants it. */
function Plain({ offer, onPlain }: { readonly offer: PlainOffer; readonly onPlain: () => void }) {
  const most = `${MOST_BYTES / 1e9} GB`;
  const size = offer.size === null ? "" : `This one has ${bytesText(offer.size)}.`;
  return (
    <section aria-label="Without a kernel">
      <h3>Without a kernel</h3>
      <p>
        {offer.fits
          ? `This page can read files of up to ${most} itself, piece by piece, from JupyterLab's server. ${size}
             It shows rows, search, pictures and metadata. Filters, sorting, export, sharing and Python need a kernel.`
          : `This page can read files of up to ${most} itself. ${size}`}
      </p>
      {offer.fits && (
        <button type="button" class="h5x-notice-button" onClick={onPlain}>
          Show it without a kernel
        </button>
      )}
    </section>
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
