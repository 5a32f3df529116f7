import { useMemo, useState } from "preact/hooks";
import { Icon } from "../app/icons";
import { PathText } from "../app/PathText";
import { Problem } from "../app/Problem";
import type { ExplorerState } from "../state/explorer";
import { counted, countText } from "../text";
import { filterFields } from "./filter";
import { MetadataTable } from "./MetadataTable";
import "./metadata.css";

const SKELETON_ROWS = [9, 14, 7, 18, 11, 8];

/** The third panel: every column of the current row's record. */
export function MetadataPanel({ state }: { readonly state: ExplorerState }) {
  const { value: record, error, pending } = state.metadata.value;
  const [text, setText] = useState("");
  const fields = useMemo(() => (record === null ? [] : filterFields(record.fields, text)), [record, text]);
  const table = useMemo(() => <MetadataTable fields={fields} label="Metadata" />, [fields]);
  return (
    <section class="h5x-panel h5x-metadata" aria-label="Metadata" tabIndex={-1} aria-busy={pending}>
      <header class="h5x-metadata-head">
        <span class="h5x-field">
          <Icon name="search" />
          <input
            type="search"
            aria-label="Filter names and values"
            placeholder="Filter names and values"
            autocomplete="off"
            spellcheck={false}
            value={text}
            onInput={(event) => setText(event.currentTarget.value)}
          />
        </span>
        <span class="h5x-field-count" role="status">
          {record === null ? "" : countOf(fields.length, record.fields.length)}
        </span>
      </header>
      {error !== null && <Problem error={error} onRetry={() => state.retryMetadata()} />}
      {record === null ? (
        error === null && (pending ? <Skeletons /> : <p class="h5x-empty">{emptyText(state)}</p>)
      ) : (
        <div class="h5x-metadata-body" role="group" aria-label="Fields" tabIndex={0}>
          {record.matches > 1 && (
            <p class="h5x-note">{`${counted(record.matches, "record")} have this uuid; the first is shown.`}</p>
          )}
          {fields.length === 0 ? <p class="h5x-empty">{`Nothing matches “${text.trim()}”.`}</p> : table}
        </div>
      )}
      {record !== null && (
        <p class="h5x-status">
          <PathText path={record.source} />
        </p>
      )}
    </section>
  );
}

function emptyText(state: ExplorerState): string {
  return state.opened.value.records === 0 ? "There is no record to show." : "Choose a row to see its metadata.";
}

function countOf(shown: number, all: number): string {
  return shown === all ? counted(all, "field") : `${countText(shown)} of ${counted(all, "field")}`;
}

function Skeletons() {
  return (
    <div class="h5x-metadata-body" aria-hidden="true">
      {SKELETON_ROWS.map((width) => (
        <p key={width} class="h5x-skeleton-line">
          <span class="h5x-skeleton" style={{ width: "8ch" }} />
          <span class="h5x-skeleton" style={{ width: `${width}ch` }} />
        </p>
      ))}
    </div>
  );
}
