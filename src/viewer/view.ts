/**
 * Which part of a picture is seen and how large, as pure functions.
 *
 * Lengths are in pixels of the screen, not in CSS pixels, so that a scale of 1 puts one pixel of the picture on one
 * pixel of the screen.
 */

export interface Size {
  readonly width: number;
  readonly height: number;
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** How the picture is placed: fitted, or at a scale with a point of the picture in the middle of the panel. */
export type Zoom =
  | { readonly kind: "fit" }
  | { readonly kind: "scale"; readonly scale: number; readonly centre: Point };

/** The smallest and the largest scale that a person can zoom to, in screen pixels a picture pixel. */
export const SCALES = { smallest: 1 / 64, largest: 64 } as const;

/** The whole picture, never magnified. */
export const FIT: Zoom = { kind: "fit" };

/** The scale at which the whole picture fits; at most 1. */
export function fitScale(picture: Size, panel: Size): number {
  if (picture.width <= 0 || picture.height <= 0) return 1;
  return Math.min(1, panel.width / picture.width, panel.height / picture.height);
}

/** The scale that a zoom amounts to. */
export function scaleOf(zoom: Zoom, picture: Size, panel: Size): number {
  return zoom.kind === "fit" ? fitScale(picture, panel) : zoom.scale;
}

/** One pixel of the picture on one of the screen, about the picture's middle or the point that is in the middle now. */
export function actualSize(zoom: Zoom, picture: Size, panel: Size): Zoom {
  return bounded({ kind: "scale", scale: 1, centre: centreOf(zoom, picture) }, picture, panel);
}

/** Zooms by a factor so that what is under a point of the panel stays there. */
export function zoomAt(zoom: Zoom, factor: number, at: Point, picture: Size, panel: Size): Zoom {
  const scale = scaleOf(zoom, picture, panel);
  const smallest = Math.min(SCALES.smallest, fitScale(picture, panel));
  const next = Math.min(Math.max(scale * factor, smallest), SCALES.largest);
  const placed = placement(zoom, picture, panel);
  const under = { x: (at.x - placed.left) / scale, y: (at.y - placed.top) / scale };
  const centre = {
    x: under.x + (panel.width / 2 - at.x) / next,
    y: under.y + (panel.height / 2 - at.y) / next,
  };
  return bounded({ kind: "scale", scale: next, centre }, picture, panel);
}

/** Moves the picture by a distance on the screen. */
export function panBy(zoom: Zoom, distance: Point, picture: Size, panel: Size): Zoom {
  if (zoom.kind === "fit") return zoom;
  const centre = { x: zoom.centre.x - distance.x / zoom.scale, y: zoom.centre.y - distance.y / zoom.scale };
  return bounded({ ...zoom, centre }, picture, panel);
}

/** Whether the picture is larger than the panel, so that it can be moved. */
export function canPan(zoom: Zoom, picture: Size, panel: Size): boolean {
  const scale = scaleOf(zoom, picture, panel);
  return picture.width * scale > panel.width + 0.5 || picture.height * scale > panel.height + 0.5;
}

/** Where the picture's corner comes to lie in the panel. Whole pixels, so that edges are crisp. */
export function placement(zoom: Zoom, picture: Size, panel: Size): { readonly left: number; readonly top: number } {
  const scale = scaleOf(zoom, picture, panel);
  const centre = centreOf(zoom, picture);
  return {
    left: Math.round(panel.width / 2 - centre.x * scale),
    top: Math.round(panel.height / 2 - centre.y * scale),
  };
}

/** The part of the picture that is in view, in its own whole pixels. */
export function partInView(zoom: Zoom, picture: Size, panel: Size): Point & Size {
  const scale = scaleOf(zoom, picture, panel);
  const { left, top } = placement(zoom, picture, panel);
  const x = Math.max(0, Math.floor(-left / scale));
  const y = Math.max(0, Math.floor(-top / scale));
  const right = Math.min(picture.width, Math.ceil((panel.width - left) / scale));
  const bottom = Math.min(picture.height, Math.ceil((panel.height - top) / scale));
  return { x, y, width: Math.max(0, right - x), height: Math.max(0, bottom - y) };
}

/** What the next picture is shown with: the same, if it is as large; else fitted, unless one to one was chosen. */
export function zoomForNext(zoom: Zoom, before: Size, next: Size, panel: Size): Zoom {
  if (zoom.kind === "fit") return zoom;
  if (before.width === next.width && before.height === next.height) return zoom;
  return zoom.scale === 1 ? actualSize(FIT, next, panel) : FIT;
}

function centreOf(zoom: Zoom, picture: Size): Point {
  return zoom.kind === "fit" ? { x: picture.width / 2, y: picture.height / 2 } : zoom.centre;
}

function bounded(zoom: Zoom, picture: Size, panel: Size): Zoom {
  if (zoom.kind === "fit") return zoom;
  const { scale, centre } = zoom;
  return {
    ...zoom,
    centre: {
      x: boundedAxis(centre.x, picture.width, panel.width / scale),
      y: boundedAxis(centre.y, picture.height, panel.height / scale),
    },
  };
}

/** Keeps a picture larger than the panel from leaving a gap, and a smaller one in the middle. */
function boundedAxis(centre: number, length: number, seen: number): number {
  if (length <= seen) return length / 2;
  return Math.min(Math.max(centre, seen / 2), length - seen / 2);
}
