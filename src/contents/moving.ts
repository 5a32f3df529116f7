/** Moving the rows by wheel and finger, whatever way they are shown. */

import type { Signal } from "@preact/signals";
import { useLayoutEffect } from "preact/hooks";
import { moveBy, type View } from "./scroll";

/** How fast rows that were thrown by a finger come to rest: the part of their speed left after a millisecond. */
const THROW_LEFT = 0.996;
const SLOWEST_THROW = 0.001;

/**
 * Moves the rows by the wheel; at their ends the page scrolls on.
 *
 * @param rowsOf - How many rows a turn is; the same function every time.
 */
export function useWheel(
  ref: { readonly current: HTMLElement | null },
  view: Signal<View>,
  rowsOf: (event: WheelEvent, view: View) => number,
): void {
  useLayoutEffect(() => {
    const grid = ref.current;
    if (grid === null) return undefined;
    const turn = (event: WheelEvent) => {
      if (event.ctrlKey || event.deltaY === 0) return;
      const before = view.peek();
      const after = moveBy(before, rowsOf(event, before));
      if (after === before) return;
      event.preventDefault();
      view.value = after;
    };
    grid.addEventListener("wheel", turn, { passive: false });
    return () => grid.removeEventListener("wheel", turn);
  }, [ref, view, rowsOf]);
}

/**
 * Moves the rows with a finger, and lets them run on when it is let go.
 *
 * @param rowsOf - How many rows a distance is, in CSS pixels.
 */
export function throwByFinger(
  down: PointerEvent,
  view: Signal<View>,
  gliding: { current: number },
  rowsOf: (distance: number) => number,
): void {
  const grid = down.currentTarget;
  if (down.pointerType !== "touch" || !(grid instanceof HTMLElement)) return;
  cancelAnimationFrame(gliding.current);
  let at = down.clientY;
  let when = down.timeStamp;
  let speed = 0;
  const move = (event: PointerEvent) => {
    const distance = at - event.clientY;
    speed = distance / Math.max(1, event.timeStamp - when);
    at = event.clientY;
    when = event.timeStamp;
    view.value = moveBy(view.peek(), rowsOf(distance));
  };
  const end = () => {
    grid.removeEventListener("pointermove", move);
    grid.removeEventListener("pointerup", end);
    grid.removeEventListener("pointercancel", end);
    glide(speed, view, gliding, rowsOf);
  };
  grid.addEventListener("pointermove", move);
  grid.addEventListener("pointerup", end);
  grid.addEventListener("pointercancel", end);
}

function glide(
  speed: number,
  view: Signal<View>,
  gliding: { current: number },
  rowsOf: (distance: number) => number,
): void {
  let last = performance.now();
  let left = speed;
  const frame = (now: number) => {
    const passed = now - last;
    last = now;
    left *= THROW_LEFT ** passed;
    const before = view.peek();
    view.value = moveBy(before, rowsOf(left * passed));
    if (Math.abs(left) > SLOWEST_THROW && view.peek() !== before) gliding.current = requestAnimationFrame(frame);
  };
  if (Math.abs(left) > SLOWEST_THROW) gliding.current = requestAnimationFrame(frame);
}
