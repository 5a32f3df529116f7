import { useLayoutEffect, useRef } from "preact/hooks";
import type { Picture } from "../decode/picture";
import type { Placement } from "./usePlacement";
import { partInView, placement, type Size, scaleOf, type Zoom } from "./view";

/** Draws the part of a picture that is in view. Magnified, its pixels have crisp edges. */
export function PictureCanvas({
  picture,
  placed,
  onPainted,
}: {
  readonly picture: Picture;
  readonly placed: Placement;
  /** Is told when the picture has come onto the screen. */
  readonly onPainted: (picture: Picture) => void;
}) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const { zoom, panel } = placed;
  useLayoutEffect(() => {
    if (canvas.current !== null) draw(canvas.current, picture, zoom, panel);
  }, [picture, zoom, panel]);
  useLayoutEffect(() => {
    if (panel.width === 0) return undefined;
    let frame = requestAnimationFrame(() => {
      frame = requestAnimationFrame(() => onPainted(picture)); // the frame after the one that it is drawn in
    });
    return () => cancelAnimationFrame(frame);
  }, [picture, panel.width === 0, onPainted]);
  return (
    <canvas
      ref={canvas}
      class="h5x-canvas"
      role="img"
      aria-label={picture.image.key}
      data-scale={scaleOf(zoom, picture, panel)}
      width={Math.max(1, panel.width)}
      height={Math.max(1, panel.height)}
    />
  );
}

function draw(canvas: HTMLCanvasElement, picture: Picture, zoom: Zoom, panel: Size): void {
  const context = canvas.getContext("2d");
  if (context === null || picture.bitmap.width === 0) return; // a closed bitmap has no width
  const scale = scaleOf(zoom, picture, panel);
  const { left, top } = placement(zoom, picture, panel);
  const part = partInView(zoom, picture, panel);
  context.clearRect(0, 0, canvas.width, canvas.height);
  if (part.width <= 0 || part.height <= 0) return;
  context.imageSmoothingEnabled = scale < 1;
  context.imageSmoothingQuality = "high";
  context.drawImage(
    picture.bitmap,
    part.x,
    part.y,
    part.width,
    part.height,
    left + part.x * scale,
    top + part.y * scale,
    part.width * scale,
    part.height * scale,
  );
}
