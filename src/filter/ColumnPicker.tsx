import { useEffect, useState } from "preact/hooks";
import { Problem } from "../app/Problem";
import { asExplorerError, type ExplorerError } from "../errors";
import type { Column, ColumnValues, Sort } from "../source/api";
import type { ExplorerState } from "../state/explorer";
import { ColumnChoice } from "./ColumnChoice";
import { parseFilter, type Term } from "./filterText";

/** The columns, and what the chosen one holds: values and bounds to choose rows by, and to sort them. */
export function ColumnPicker({
  state,
  filter,
  sort,
}: {
  readonly state: ExplorerState;
  readonly filter: string;
  readonly sort: Sort;
}) {
  const { filtering } = state;
  const { location, name, total } = state.opened.value;
  const columns = useAsked(() => filtering.columns(), [location, name, total]);
  const [wanted, setWanted] = useState<string | null>(null);
  const [searched, setSearched] = useState("");
  if (columns.error !== null) return <Problem error={columns.error} onRetry={columns.again} />;
  if (columns.value === null) return <p class="h5x-filter-hint">Looking for columns…</p>;
  const chosen = columns.value.find((column) => column.name === wanted) ?? null;
  const terms = parseFilter(filter);
  const shown = columns.value.filter((column) => column.name.toLowerCase().includes(searched.toLowerCase()));
  return (
    <div class="h5x-filter-columns">
      <div class="h5x-column-list">
        {columns.value.length > 12 && (
          <span class="h5x-field">
            <input
              type="text"
              aria-label="Find a column"
              placeholder="Find a column"
              value={searched}
              onInput={(event) => setSearched(event.currentTarget.value)}
            />
          </span>
        )}
        <ul aria-label="Columns">
          {shown.map((column) => (
            <li key={`${column.source} ${column.name}`}>
              <ColumnButton column={column} terms={terms} sort={sort} chosen={chosen} onChoose={setWanted} />
            </li>
          ))}
        </ul>
      </div>
      {chosen !== null && (
        <ValuesOf key={chosen.name} state={state} column={chosen} terms={terms} sort={sort} filter={filter} />
      )}
    </div>
  );
}

function ColumnButton({
  column,
  terms,
  sort,
  chosen,
  onChoose,
}: {
  readonly column: Column;
  readonly terms: readonly Term[];
  readonly sort: Sort;
  readonly chosen: Column | null;
  readonly onChoose: (name: string | null) => void;
}) {
  const filtered = terms.some((term) => term.kind !== "other" && term.column === column.name);
  const sorted = sort.find(([name]) => name === column.name)?.[1];
  return (
    <button
      type="button"
      class={`h5x-column${filtered ? " h5x-filtered" : ""}`}
      aria-expanded={column === chosen}
      title={`${column.type}, of the ${column.source}`}
      onClick={() => onChoose(column === chosen ? null : column.name)}
    >
      <span class="h5x-column-name">{column.name}</span>
      {sorted !== undefined && <span aria-hidden="true">{sorted === "asc" ? "↑" : "↓"}</span>}
      <span class="h5x-column-type">{column.type}</span>
    </button>
  );
}

function ValuesOf({
  state,
  column,
  terms,
  sort,
  filter,
}: {
  readonly state: ExplorerState;
  readonly column: Column;
  readonly terms: readonly Term[];
  readonly sort: Sort;
  readonly filter: string;
}) {
  const { filtering } = state;
  const values = useAsked<ColumnValues>(() => filtering.values(column.name), [column.name]);
  return (
    <section class="h5x-column-values" aria-label={column.name}>
      <SortButtons column={column.name} sort={sort} show={(order) => void filtering.show(filter, order)} />
      {values.error !== null ? (
        <Problem error={values.error} onRetry={values.again} />
      ) : values.value === null ? (
        <p class="h5x-filter-hint" role="status">
          Counting values…
        </p>
      ) : (
        <ColumnChoice values={values.value} terms={terms} show={(wanted) => void filtering.show(wanted, sort)} />
      )}
    </section>
  );
}

function SortButtons({
  column,
  sort,
  show,
}: {
  readonly column: string;
  readonly sort: Sort;
  readonly show: (sort: Sort) => void;
}) {
  const now = sort.find(([name]) => name === column)?.[1] ?? null;
  return (
    <div class="h5x-sort" role="group" aria-label={`Sort by ${column}`}>
      {(["asc", "desc"] as const).map((direction) => (
        <button
          key={direction}
          type="button"
          class="h5x-button"
          aria-pressed={now === direction}
          onClick={() => show(now === direction ? [] : [[column, direction]])}
        >
          {direction === "asc" ? "↑ Ascending" : "↓ Descending"}
        </button>
      ))}
    </div>
  );
}

/** What is asked for once, and again where it failed. */
function useAsked<Value>(
  ask: () => Promise<Value>,
  about: readonly unknown[],
): { readonly value: Value | null; readonly error: ExplorerError | null; readonly again: () => void } {
  const [value, setValue] = useState<Value | null>(null);
  const [error, setError] = useState<ExplorerError | null>(null);
  const [times, setTimes] = useState(0);
  useEffect(() => {
    let current = true;
    setValue(null);
    setError(null);
    ask().then(
      (found) => current && setValue(() => found),
      (reason) => current && setError(asExplorerError(reason)),
    );
    return () => {
      current = false;
    };
  }, [...about, times]);
  return { value, error, again: () => setTimes(times + 1) };
}
