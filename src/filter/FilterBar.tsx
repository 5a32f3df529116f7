import { useEffect, useRef, useState } from "preact/hooks";
import { CopyButton } from "../app/CopyButton";
import { Icon } from "../app/icons";
import { Problem } from "../app/Problem";
import type { Sort } from "../source/api";
import type { ExplorerState } from "../state/explorer";
import { ColumnPicker } from "./ColumnPicker";
import { FilterChips } from "./FilterChips";
import "./filter.css";

/** Chooses rows by a condition, and their order: by columns and their values, or in SQL, which is the same. */
export function FilterBar({ state }: { readonly state: ExplorerState }) {
  const [unfolded, setUnfolded] = useState(false);
  const { filter, sort } = state.opened.value;
  const { filtering } = state;
  const button = useRef<HTMLButtonElement>(null);
  return (
    <div class="h5x-filter">
      <div class="h5x-filter-line">
        <button
          ref={button}
          type="button"
          class="h5x-button h5x-filter-button"
          aria-expanded={unfolded}
          onClick={() => setUnfolded(!unfolded)}
        >
          <Icon name="filter" />
          Filter
        </button>
        <FilterChips filter={filter} sort={sort} show={(wanted, order) => void filtering.show(wanted, order)} />
      </div>
      <FilterProgress state={state} />
      {unfolded && (
        <div
          class="h5x-filter-body"
          role="group"
          aria-label="Filter and sort"
          onKeyDown={(event) => {
            if (event.key !== "Escape") return;
            event.preventDefault();
            setUnfolded(false);
            button.current?.focus();
          }}
        >
          <ConditionField state={state} filter={filter} sort={sort} />
          <ColumnPicker state={state} filter={filter} sort={sort} />
        </div>
      )}
      {!unfolded && <FilterProblem state={state} />}
    </div>
  );
}

/** The filter as a condition in SQL. */
function ConditionField({
  state,
  filter,
  sort,
}: {
  readonly state: ExplorerState;
  readonly filter: string;
  readonly sort: Sort;
}) {
  const [text, setText] = useState(filter);
  const { filtering } = state;
  useEffect(() => setText(filter), [filter]);
  const changed = text.trim() !== filter;
  return (
    <>
      <div class="h5x-filter-line">
        <span class="h5x-field">
          <input
            type="text"
            class="h5x-filter-sql"
            aria-label="Condition in SQL"
            placeholder="SQL condition, such as filepath LIKE '%2024%'"
            autocomplete="off"
            autocapitalize="off"
            spellcheck={false}
            aria-invalid={filtering.error.value !== null}
            value={text}
            onInput={(event) => {
              setText(event.currentTarget.value);
              filtering.forgive();
            }}
            onKeyDown={(event) => {
              // Not a form: within JupyterLab's cells a form is not submitted by Enter.
              if (event.key === "Enter") void filtering.show(text.trim(), sort);
              else if (event.key === "Escape" && changed) setText(filter);
              else return;
              event.preventDefault();
              event.stopPropagation();
            }}
          />
        </span>
        <button
          type="button"
          class="h5x-button h5x-primary"
          aria-disabled={!changed}
          onClick={() => {
            if (changed) void filtering.show(text.trim(), sort);
          }}
        >
          Apply
        </button>
        <CopyButton text={text} what="the condition" />
      </div>
      <FilterProblem state={state} />
    </>
  );
}

function FilterProblem({ state }: { readonly state: ExplorerState }) {
  const error = state.filtering.error.value;
  return error === null ? null : <Problem error={error} />;
}

/** What is being worked out, and a way to stop it. */
function FilterProgress({ state }: { readonly state: ExplorerState }) {
  const query = state.filtering.query.value;
  const [late, setLate] = useState(false);
  const works = query !== null;
  useEffect(() => {
    setLate(false);
    if (!works) return undefined;
    const timer = setTimeout(() => setLate(true), 300);
    return () => clearTimeout(timer);
  }, [works]);
  return (
    <div role="status" aria-live="polite">
      {works && late && (
        <span class="h5x-filter-progress">
          {query.done === null ? "Filtering…" : `Filtering… ${Math.floor(query.done * 100)}%`}
          <progress aria-label="Filtering" max={1} {...(query.done !== null && { value: query.done })} />
          <button type="button" class="h5x-button" onClick={() => state.filtering.stop()}>
            Stop
          </button>
        </span>
      )}
    </div>
  );
}
