import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Picture } from "../decode/picture";
import { actualSize, FIT, type Point, panBy, type Size, type Zoom, zoomAt, zoomForNext } from "./view";

/** How a picture is placed in the panel, and the ways to change that. Lengths are in screen pixels. */
export interface Placement {
  readonly zoom: Zoom;
  readonly panel: Size;
  fit(): void;
  actual(): void;
  zoomBy(factor: number, at?: Point): void;
  pan(distance: Point): void;
}

/** Screen pixels in a CSS pixel; follows the browser's zoom and a move to another screen. */
export function usePixelRatio(): number {
  const [ratio, setRatio] = useState(devicePixelRatio);
  useEffect(() => {
    const query = matchMedia(`(resolution: ${ratio}dppx)`);
    const changed = () => setRatio(devicePixelRatio);
    query.addEventListener("change", changed);
    return () => query.removeEventListener("change", changed);
  }, [ratio]);
  return ratio;
}

/** Keeps the placement of the picture that is shown. */
export function usePlacement(picture: Picture | null, panel: Size): Placement {
  const [zoom, setZoom] = useState<Zoom>(FIT);
  const before = useRef<Picture | null>(null);
  useLayoutEffect(() => {
    if (picture === null || picture === before.current) return;
    const last = before.current;
    before.current = picture;
    if (last !== null) setZoom((now) => zoomForNext(now, last, picture, panel));
  }, [picture, panel]);
  const change = (next: (zoom: Zoom, picture: Size) => Zoom) => {
    if (picture !== null) setZoom((now) => next(now, picture));
  };
  return {
    zoom,
    panel,
    fit: () => setZoom(FIT),
    actual: () => change((now, size) => actualSize(now, size, panel)),
    zoomBy: (factor, at = { x: panel.width / 2, y: panel.height / 2 }) =>
      change((now, size) => zoomAt(now, factor, at, size, panel)),
    pan: (distance) => change((now, size) => panBy(now, distance, size, panel)),
  };
}
