import { useEffect, useRef, useState } from "preact/hooks";
import { Problem } from "../app/Problem";
import type { FileRef } from "../browser/fileRef";
import { USUAL_COLUMNS } from "../browser/opener";
import type { KeyColumns } from "../browser/tables/lookup";
import { asExplorerError, type ExplorerError, isCancelled } from "../errors";
import { filesOfDrop, filesOfInput } from "./dropped";
import "./plain.css";

/** What a person wants opened. */
export type Wish =
  | { readonly files: readonly FileRef[]; readonly columns: KeyColumns }
  | { readonly address: string; readonly columns: KeyColumns };

/** After how many milliseconds a person is told that something is being opened. */
const TELL_MS = 300;

/** The first thing on the page: a place to drop files on, buttons to choose them, and a field for an address. */
export function DropZone({ onOpen }: { readonly onOpen: (wish: Wish, signal: AbortSignal) => Promise<void> }) {
  const [address, setAddress] = useState("");
  const [columns, setColumns] = useState(USUAL_COLUMNS);
  const [error, setError] = useState<ExplorerError | null>(null);
  const [opening, setOpening] = useState(false);
  const [over, setOver] = useState(false);
  const running = useRef<AbortController | null>(null);
  useEffect(() => () => running.current?.abort(), []);

  async function open(wish: () => Promise<Wish>): Promise<void> {
    running.current?.abort();
    const control = new AbortController();
    running.current = control;
    setError(null);
    const tell = setTimeout(() => setOpening(true), TELL_MS);
    try {
      await onOpen(await wish(), control.signal);
    } catch (reason) {
      if (!isCancelled(reason)) setError(asExplorerError(reason));
    } finally {
      clearTimeout(tell);
      if (running.current === control) setOpening(false);
    }
  }

  const openFiles = (files: readonly FileRef[]) => {
    if (files.length > 0) void open(async () => ({ files, columns }));
  };
  const openAddress = () => {
    if (address.trim() !== "") void open(async () => ({ address: address.trim(), columns }));
  };

  return (
    <main
      class={`h5x-root h5x-drop${over ? " h5x-over" : ""}`}
      aria-label="Open a data set"
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={(event) => {
        if (event.target === event.currentTarget) setOver(false);
      }}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        if (event.dataTransfer === null) return;
        const files = filesOfDrop(event.dataTransfer);
        void open(async () => ({ files: await files, columns }));
      }}
    >
      <div class="h5x-drop-body">
        <h1 class="h5x-drop-title">h5explorer</h1>
        <div class="h5x-drop-area">
          <p class="h5x-drop-call">Drop a data set here</p>
          <p class="h5x-drop-hint">
            A folder, or some files of it: a lookup with its shards, or a shard with its metadata. They are read where
            they are, piece by piece, by this page alone: nothing is sent anywhere.
          </p>
          <div class="h5x-drop-buttons">
            <FileButton label="Choose files" folder={false} onFiles={openFiles} />
            <FileButton label="Choose a folder" folder={true} onFiles={openFiles} />
          </div>
          <dl class="h5x-drop-examples">
            <dt>lookup.parquet</dt>
            <dd>uuid and filepath, a row an image; .csv and .tsv up to 200 MB</dd>
            <dt>shard_007_images.h5</dt>
            <dd>images by their uuids, in the group “images”</dd>
            <dt>shard_007_metadata.parquet</dt>
            <dd>a record an image</dd>
          </dl>
        </div>
        <div class="h5x-drop-address">
          <span class="h5x-field">
            <input
              type="url"
              aria-label="Address of a lookup or a shard"
              placeholder="https://…/lookup.parquet"
              autocomplete="off"
              spellcheck={false}
              value={address}
              onInput={(event) => {
                setAddress(event.currentTarget.value);
                setError(null);
              }}
              onKeyDown={(event) => {
                if (event.key === "Enter") openAddress();
              }}
            />
          </span>
          <button type="button" class="h5x-button h5x-primary" disabled={address.trim() === ""} onClick={openAddress}>
            Open address
          </button>
        </div>
        <details class="h5x-drop-columns">
          <summary>Column names</summary>
          <ColumnField
            label="Column of uuids"
            value={columns.uuid}
            onInput={(uuid) => setColumns({ ...columns, uuid })}
          />
          <ColumnField
            label="Column of filepaths"
            value={columns.filepath}
            onInput={(filepath) => setColumns({ ...columns, filepath })}
          />
        </details>
        <div class="h5x-drop-state" role="status">
          {opening && (
            <>
              Opening…{" "}
              <button type="button" class="h5x-link" onClick={() => running.current?.abort()}>
                Cancel
              </button>
            </>
          )}
        </div>
        {error !== null && <Problem error={error} />}
      </div>
    </main>
  );
}

function FileButton({
  label,
  folder,
  onFiles,
}: {
  readonly label: string;
  readonly folder: boolean;
  readonly onFiles: (files: readonly FileRef[]) => void;
}) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <button type="button" class="h5x-button h5x-primary" onClick={() => input.current?.click()}>
        {label}
      </button>
      <input
        ref={input}
        hidden
        type="file"
        multiple
        {...(folder ? { webkitdirectory: true } : {})}
        onChange={(event) => {
          const field = event.currentTarget;
          onFiles(field.files === null ? [] : filesOfInput(field.files));
          field.value = ""; // the same files can be chosen again, as they may have changed
        }}
      />
    </>
  );
}

function ColumnField({
  label,
  value,
  onInput,
}: {
  readonly label: string;
  readonly value: string;
  readonly onInput: (value: string) => void;
}) {
  return (
    <label class="h5x-drop-column">
      {label}
      <span class="h5x-field">
        <input type="text" spellcheck={false} value={value} onInput={(event) => onInput(event.currentTarget.value)} />
      </span>
    </label>
  );
}
