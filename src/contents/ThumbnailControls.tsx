import type { Signal } from "@preact/signals";
import { Icon } from "../app/icons";
import { SIZES } from "./gridLayout";

/** Turns the rows into thumbnails and back; sizes them. */
export function ThumbnailControls({
  thumbnails,
  size,
}: {
  readonly thumbnails: Signal<boolean>;
  /** The longer side of a thumbnail, in CSS pixels. */
  readonly size: Signal<number>;
}) {
  const shown = thumbnails.value;
  return (
    <div class="h5x-thumbnail-controls">
      {shown && (
        <input
          type="range"
          class="h5x-range"
          aria-label="Thumbnail size"
          aria-valuetext={`${size.value} pixels`}
          title={`Thumbnail size: ${size.value} px`}
          min={SIZES.smallest}
          max={SIZES.largest}
          step={SIZES.step}
          value={size.value}
          onInput={(event) => {
            size.value = event.currentTarget.valueAsNumber;
          }}
        />
      )}
      <button
        type="button"
        class="h5x-icon-button"
        aria-label="Show as thumbnails"
        title={shown ? "Show as list" : "Show as thumbnails"}
        aria-pressed={shown}
        onClick={() => {
          thumbnails.value = !shown;
        }}
      >
        <Icon name="thumbnails" />
      </button>
    </div>
  );
}
