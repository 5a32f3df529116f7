import { useEffect, useState } from "preact/hooks";
import type { ColumnValues } from "../source/api";
import { counted, countText } from "../text";
import { bounded, boundsOf, choiceOf, filterSql, type Term, toggled } from "./filterText";
import { barHeights, boundText, readBound } from "./histogram";

/** What a column holds, to choose rows by. */
export function ColumnChoice({
  values,
  terms,
  show,
}: {
  readonly values: ColumnValues;
  readonly terms: readonly Term[];
  readonly show: (filter: string) => void;
}) {
  if (values.kind === "none") {
    return (
      <p class="h5x-filter-hint">There are too many values, or of a kind that is not listed: write SQL instead.</p>
    );
  }
  return (
    <>
      {values.kind === "numbers" ? (
        <Numbers values={values} terms={terms} show={show} />
      ) : (
        <ul class="h5x-values" aria-label={`Values of ${values.name}`}>
          {values.values.map((value) => (
            <ValueItem
              key={value.sql}
              text={value.text}
              count={value.count}
              most={values.values[0]?.count ?? 1}
              checked={choiceOf(terms, values.name).values.includes(value.sql)}
              onToggle={() => show(filterSql(toggled(terms, values.name, value.sql)))}
            />
          ))}
        </ul>
      )}
      {values.nulls > 0 && (
        <ul class="h5x-values" aria-label={`No value of ${values.name}`}>
          <ValueItem
            text={null}
            count={values.nulls}
            most={values.values[0]?.count ?? values.nulls}
            checked={choiceOf(terms, values.name).nulls}
            onToggle={() => show(filterSql(toggled(terms, values.name, null)))}
          />
        </ul>
      )}
      {values.different > values.values.length && values.kind === "values" && (
        <p class="h5x-filter-hint">
          The {values.values.length} most frequent of {counted(values.different, "value")}; counts are of all rows.
        </p>
      )}
    </>
  );
}

function ValueItem({
  text,
  count,
  most,
  checked,
  onToggle,
}: {
  readonly text: string | null;
  readonly count: number;
  readonly most: number;
  readonly checked: boolean;
  readonly onToggle: () => void;
}) {
  return (
    <li>
      <label class="h5x-value" title={text ?? undefined}>
        <input type="checkbox" checked={checked} onChange={onToggle} />
        <span class={text === null || text === "" ? "h5x-missing" : "h5x-value-text"}>
          {text === null ? "no value" : text === "" ? "empty text" : text}
        </span>
        <span class="h5x-value-count">{countText(count)}</span>
        <span class="h5x-value-bar" style={{ width: `${Math.min(100, (100 * count) / most)}%` }} aria-hidden="true" />
      </label>
    </li>
  );
}

/** How numbers are spread, and bounds for them. */
function Numbers({
  values,
  terms,
  show,
}: {
  readonly values: ColumnValues;
  readonly terms: readonly Term[];
  readonly show: (filter: string) => void;
}) {
  const bounds = boundsOf(terms, values.name);
  const [low, setLow] = useState(bounds?.low ?? boundText(values.low));
  const [high, setHigh] = useState(bounds?.high ?? boundText(values.high));
  useEffect(() => {
    setLow(bounds?.low ?? boundText(values.low));
    setHigh(bounds?.high ?? boundText(values.high));
  }, [bounds?.low, bounds?.high, values.low, values.high]);
  const least = readBound(low);
  const greatest = readBound(high);
  const good = least !== null && greatest !== null && least <= greatest;

  function apply(): void {
    if (!good) return;
    const term = { kind: "between", column: values.name, low: low.trim(), high: high.trim() } as const;
    show(filterSql(bounded(terms, values.name, term)));
  }

  const heights = barHeights(values.bins);
  const width = (values.high - values.low) / Math.max(1, values.bins.length);
  return (
    <>
      <div
        class="h5x-histogram"
        role="img"
        aria-label={`How ${values.name} is spread from ${boundText(values.low)} to ${boundText(values.high)}`}
      >
        {heights.map((height, at) => {
          const from = values.low + at * width;
          const within = good && from + width >= least && from <= greatest;
          return (
            <span
              key={from}
              class={within ? "h5x-bar" : "h5x-bar h5x-outside"}
              style={{ height: `${height * 100}%` }}
              title={`${boundText(from)} to ${boundText(from + width)}: ${counted(values.bins[at] ?? 0, "row")}`}
            />
          );
        })}
      </div>
      <div class="h5x-bounds">
        {(
          [
            ["Least", low, setLow],
            ["Greatest", high, setHigh],
          ] as const
        ).map(([what, text, set]) => (
          <label key={what} class="h5x-field">
            <span class="h5x-hidden">
              {what} {values.name}
            </span>
            <input
              type="text"
              inputmode="decimal"
              aria-invalid={!good}
              value={text}
              onInput={(event) => set(event.currentTarget.value)}
              onKeyDown={(event) => {
                if (event.key !== "Enter") return;
                event.preventDefault();
                apply();
              }}
            />
          </label>
        ))}
        <button type="button" class="h5x-button" aria-disabled={!good} onClick={apply}>
          Apply
        </button>
        {bounds !== null && (
          <button type="button" class="h5x-button" onClick={() => show(filterSql(bounded(terms, values.name, null)))}>
            All
          </button>
        )}
      </div>
      {values.notFinite > 0 && (
        <p class="h5x-filter-hint">{counted(values.notFinite, "row")} with an infinite number or none.</p>
      )}
    </>
  );
}
