import type { ExplorerState } from "../state/explorer";
import { countText } from "../text";
import { countRows } from "./ranges";

/** The choice between all rows that are shown and those that are selected. */
export function WhichRows({
  state,
  onlySelected,
  onChoose,
}: {
  readonly state: ExplorerState;
  readonly onlySelected: boolean;
  readonly onChoose: (onlySelected: boolean) => void;
}) {
  const selected = countRows(state.selection.value);
  const { records } = state.opened.value;
  return (
    <div class="h5x-export-line" role="radiogroup" aria-label="Which rows">
      {(
        [
          [false, `all that are shown (${countText(records)})`],
          [true, `selected (${countText(selected)})`],
        ] as const
      ).map(([some, label]) => (
        <label key={label}>
          <input
            type="radio"
            checked={onlySelected === some}
            disabled={some && selected === 0}
            onChange={() => onChoose(some)}
          />{" "}
          {label}
        </label>
      ))}
    </div>
  );
}
