import type { Signal } from "@preact/signals";
import { useState } from "preact/hooks";
import { useSize } from "../app/useSize";
import { countText } from "../text";
import { moveToPart, moveToSliderValue, pageRows, sliderPart, sliderValue, thumbLength, type View } from "./scroll";

const SHORTEST_THUMB = 24;

/** The vertical slider over all rows: dragging is coarse, keys are fine, Enter chooses the row that it names. */
export function RowSlider({
  view,
  onChoose,
}: {
  readonly view: Signal<View>;
  /** Is told the row that the slider names, from 0, when Enter is pressed. */
  readonly onChoose: (row: number) => void;
}) {
  const { ref, height } = useSize<HTMLDivElement>();
  const [dragging, setDragging] = useState(false);
  const now = view.value;
  const value = sliderValue(now);
  const thumb = thumbLength(now, height, SHORTEST_THUMB);
  const way = height - thumb;
  const top = sliderPart(now) * way;
  return (
    <div
      ref={ref}
      class={`h5x-slider${dragging ? " h5x-dragging" : ""}`}
      role="slider"
      tabIndex={0}
      aria-label="Row"
      aria-orientation="vertical"
      aria-valuemin={1}
      aria-valuemax={now.total}
      aria-valuenow={value}
      aria-valuetext={`Row ${countText(value)} of ${countText(now.total)}`}
      onKeyDown={(event) => {
        const to = sliderKeyTarget(event, value, now);
        if (to === null && event.key !== "Enter") return;
        event.preventDefault();
        if (to === null) return onChoose(value - 1);
        view.value = moveToSliderValue(view.peek(), to);
      }}
      onPointerDown={(event) => {
        if (event.button !== 0 || way <= 0) return;
        const track = event.currentTarget;
        const trackTop = track.getBoundingClientRect().top;
        const at = event.clientY - trackTop;
        const grabbed = at >= top && at <= top + thumb ? at - top : thumb / 2;
        const move = (moved: PointerEvent) => {
          view.value = moveToPart(view.peek(), (moved.clientY - trackTop - grabbed) / way);
        };
        const end = () => {
          track.removeEventListener("pointermove", move);
          track.removeEventListener("pointerup", end);
          track.removeEventListener("pointercancel", end);
          setDragging(false);
        };
        track.setPointerCapture(event.pointerId);
        track.addEventListener("pointermove", move);
        track.addEventListener("pointerup", end);
        track.addEventListener("pointercancel", end);
        setDragging(true);
        move(event);
      }}
    >
      <div class="h5x-thumb" style={{ height: `${thumb}px`, transform: `translateY(${top}px)` }}>
        {dragging && <span class="h5x-thumb-label">{countText(value)}</span>}
      </div>
    </div>
  );
}

/** The row number that a key leads to, from 1; `null` for other keys. */
export function sliderKeyTarget(event: Pick<KeyboardEvent, "key">, value: number, view: View): number | null {
  switch (event.key) {
    case "ArrowDown":
    case "ArrowRight":
      return value + 1;
    case "ArrowUp":
    case "ArrowLeft":
      return value - 1;
    case "PageDown":
      return value + pageRows(view);
    case "PageUp":
      return value - pageRows(view);
    case "Home":
      return 1;
    case "End":
      return view.total;
    default:
      return null;
  }
}
