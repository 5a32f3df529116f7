import type { Arrangement } from "./layout";

const KEY_PIXELS = 16;

/** A bar between two panels that is dragged, or moved by arrow keys; a double click puts it back. */
export function Splitter({
  arrangement,
  label,
  percent,
  onBegin,
  onMove,
  onReset,
}: {
  readonly arrangement: Arrangement;
  readonly label: string;
  readonly percent: number;
  /** Is told that a move begins. */
  readonly onBegin: () => void;
  /** Is told how far it has been moved since, in CSS pixels. */
  readonly onMove: (distance: number) => void;
  readonly onReset: () => void;
}) {
  const along = (event: PointerEvent) => (arrangement === "columns" ? event.clientX : event.clientY);
  return (
    <div
      class="h5x-splitter"
      role="separator"
      tabIndex={0}
      aria-orientation={arrangement === "columns" ? "vertical" : "horizontal"}
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={percent}
      onDblClick={onReset}
      onKeyDown={(event) => {
        const [less, more] = arrangement === "columns" ? ["ArrowLeft", "ArrowRight"] : ["ArrowUp", "ArrowDown"];
        if (event.key === less || event.key === more) {
          onBegin();
          onMove(event.key === less ? -KEY_PIXELS : KEY_PIXELS);
        } else if (event.key === "Enter") onReset();
        else return;
        event.preventDefault();
      }}
      onPointerDown={(event) => {
        if (event.button !== 0) return;
        const bar = event.currentTarget;
        bar.setPointerCapture(event.pointerId);
        const begin = along(event);
        onBegin();
        const move = (moved: PointerEvent) => onMove(along(moved) - begin);
        const end = () => {
          bar.removeEventListener("pointermove", move);
          bar.removeEventListener("pointerup", end);
          bar.removeEventListener("pointercancel", end);
        };
        bar.addEventListener("pointermove", move);
        bar.addEventListener("pointerup", end);
        bar.addEventListener("pointercancel", end);
      }}
    />
  );
}
