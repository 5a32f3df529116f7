/** Zooming and moving a picture with wheel, mouse and fingers. */

import { useLayoutEffect, useRef } from "preact/hooks";
import { focused } from "../app/focus";
import type { Placement } from "./usePlacement";
import type { Point } from "./view";

/** How much a picture grows with each pixel that the wheel turns: 100 pixels, a notch of many mice, make 1.2 times. */
const WHEEL_GROWTH = 1.2 ** (1 / 100);
const LINE_PIXELS = 33;
const PAGE_PIXELS = 300;

/** Binds the gestures to an element. */
export function useGestures(
  ref: { readonly current: HTMLElement | null },
  placed: Placement,
  pixelRatio: number,
): void {
  const latest = useRef({ placed, pixelRatio });
  latest.current = { placed, pixelRatio };
  useLayoutEffect(() => {
    const element = ref.current;
    return element === null ? undefined : bind(element, () => latest.current);
  }, [ref]);
}

function bind(element: HTMLElement, now: () => { placed: Placement; pixelRatio: number }): () => void {
  const fingers = new Map<number, Point>();
  // The wheel zooms once the pointer has been moved over the picture: a notebook that is scrolled on its way scrolls on.
  let engaged = false;

  const pointOf = (event: { clientX: number; clientY: number }): Point => {
    const box = element.getBoundingClientRect();
    const { pixelRatio } = now();
    return { x: (event.clientX - box.left) * pixelRatio, y: (event.clientY - box.top) * pixelRatio };
  };

  const wheel = (event: WheelEvent) => {
    if (!engaged && focused() !== element) return;
    event.preventDefault();
    const unit = event.deltaMode === 1 ? LINE_PIXELS : event.deltaMode === 2 ? PAGE_PIXELS : 1;
    now().placed.zoomBy(WHEEL_GROWTH ** (-event.deltaY * unit), pointOf(event));
  };
  const down = (event: PointerEvent) => {
    if (event.button !== 0) return;
    engaged = true;
    element.setPointerCapture(event.pointerId);
    fingers.set(event.pointerId, pointOf(event));
  };
  const move = (event: PointerEvent) => {
    if (event.movementX !== 0 || event.movementY !== 0) engaged = true;
    const before = fingers.get(event.pointerId);
    if (before === undefined) return;
    const at = pointOf(event);
    fingers.set(event.pointerId, at);
    const other = [...fingers].find(([id]) => id !== event.pointerId)?.[1];
    if (other === undefined) now().placed.pan({ x: at.x - before.x, y: at.y - before.y });
    else pinch(now().placed, other, before, at);
  };
  const up = (event: PointerEvent) => fingers.delete(event.pointerId);
  const leave = (event: PointerEvent) => {
    if (!fingers.has(event.pointerId)) engaged = false;
  };
  const twice = (event: MouseEvent) => {
    const { placed } = now();
    if (placed.zoom.kind === "fit") placed.actual();
    else placed.fit();
    event.preventDefault();
  };

  element.addEventListener("wheel", wheel, { passive: false });
  element.addEventListener("pointerdown", down);
  element.addEventListener("pointermove", move);
  element.addEventListener("pointerup", up);
  element.addEventListener("pointercancel", up);
  element.addEventListener("pointerleave", leave);
  element.addEventListener("dblclick", twice);
  return () => {
    element.removeEventListener("wheel", wheel);
    element.removeEventListener("pointerdown", down);
    element.removeEventListener("pointermove", move);
    element.removeEventListener("pointerup", up);
    element.removeEventListener("pointercancel", up);
    element.removeEventListener("pointerleave", leave);
    element.removeEventListener("dblclick", twice);
  };
}

/** Zooms by how far two fingers have come apart, and moves with the point between them. */
function pinch(placed: Placement, still: Point, before: Point, at: Point): void {
  const distance = (a: Point, b: Point) => Math.max(1, Math.hypot(a.x - b.x, a.y - b.y));
  placed.pan({ x: (at.x - before.x) / 2, y: (at.y - before.y) / 2 });
  placed.zoomBy(distance(still, at) / distance(still, before), { x: (still.x + at.x) / 2, y: (still.y + at.y) / 2 });
}
