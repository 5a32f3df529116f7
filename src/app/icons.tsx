/** The few pictograms, drawn as strokes in the text's colour. */

const PATHS = {
  copy: "M5 5V2.5h8.5V11H11M2.5 5H11v8.5H2.5z",
  check: "M3 8.5l3.5 3.5L13 4.5",
  save: "M8 2v8M4.5 7L8 10.5 11.5 7M2.5 13.5h11",
  minus: "M3 8h10",
  plus: "M3 8h10M8 3v10",
  fit: "M2.5 6V2.5H6M10 2.5h3.5V6M13.5 10v3.5H10M6 13.5H2.5V10",
  folder: "M2 4h4.5l1.5 2H14v7H2z",
  filter: "M2 3h12L9.5 8.5V13l-3-1.5v-3z",
  search: "M7 2.5a4.5 4.5 0 110 9 4.5 4.5 0 010-9zM10.5 10.5l3 3",
  previous: "M10 3L5 8l5 5",
  next: "M6 3l5 5-5 5",
  thumbnails: "M2.5 2.5H7V7H2.5zM9 2.5h4.5V7H9zM2.5 9H7v4.5H2.5zM9 9h4.5v4.5H9z",
  noPicture: "M2.5 3.5h11v9h-11zM3 14L13 2",
} as const;

/** The name of a pictogram. */
export type IconName = keyof typeof PATHS;

/** A pictogram; what it means is said by the control that it stands in. */
export function Icon({ name }: { readonly name: IconName }) {
  return (
    <svg class="h5x-icon" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}
