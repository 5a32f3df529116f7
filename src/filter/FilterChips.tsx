import type { Sort } from "../source/api";
import { filterSql, parseFilter, termSql, termText } from "./filterText";

/** What rows are chosen by and how they are sorted, each term with a button that takes it away. */
export function FilterChips({
  filter,
  sort,
  show,
}: {
  readonly filter: string;
  readonly sort: Sort;
  readonly show: (filter: string, sort: Sort) => void;
}) {
  const terms = parseFilter(filter);
  if (terms.length === 0 && sort.length === 0) return <span class="h5x-filter-none">all rows, as they are stored</span>;
  return (
    <ul class="h5x-chips" aria-label="Filter and order">
      {terms.map((term, at) => (
        <Chip
          key={`${at} ${termSql(term)}`}
          text={termText(term)}
          title={termSql(term)}
          remove={() => show(filterSql(terms.filter((_, other) => other !== at)), sort)}
        />
      ))}
      {sort.map(([column, direction]) => (
        <Chip
          key={`sort ${column}`}
          text={`${direction === "asc" ? "↑" : "↓"} ${column}`}
          title={`sorted by ${column}, ${direction === "asc" ? "ascending" : "descending"}`}
          remove={() =>
            show(
              filter,
              sort.filter(([other]) => other !== column),
            )
          }
        />
      ))}
    </ul>
  );
}

function Chip({ text, title, remove }: { readonly text: string; readonly title: string; readonly remove: () => void }) {
  return (
    <li class="h5x-chip" title={title}>
      <span class="h5x-chip-text">{text}</span>
      <button type="button" class="h5x-chip-remove" aria-label={`Remove ${title}`} onClick={remove}>
        ×
      </button>
    </li>
  );
}
