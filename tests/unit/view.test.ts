import fc from "fast-check";
import {
  actualSize,
  canPan,
  FIT,
  fitScale,
  panBy,
  partInView,
  placement,
  SCALES,
  type Size,
  scaleOf,
  type Zoom,
  zoomAt,
  zoomForNext,
} from "../../src/viewer/view";

const panel: Size = { width: 800, height: 600 };
const sizes = fc.record({ width: fc.integer({ min: 1, max: 40_000 }), height: fc.integer({ min: 1, max: 40_000 }) });
const points = fc.record({ x: fc.integer({ min: 0, max: 800 }), y: fc.integer({ min: 0, max: 600 }) });
const steps = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constant("zoom" as const), factor: fc.double({ min: 0.2, max: 5, noNaN: true }), at: points }),
    fc.record({ kind: fc.constant("pan" as const), by: points }),
    fc.constant({ kind: "actual" as const }),
  ),
  { maxLength: 8 },
);

const after = (picture: Size, done: (typeof steps extends fc.Arbitrary<infer Steps> ? Steps : never)[number][]): Zoom =>
  done.reduce<Zoom>((zoom, step) => {
    if (step.kind === "zoom") return zoomAt(zoom, step.factor, step.at, picture, panel);
    if (step.kind === "pan") return panBy(zoom, step.by, picture, panel);
    return actualSize(zoom, picture, panel);
  }, FIT);

test("fitting shows the whole picture and magnifies none", () => {
  fc.assert(
    fc.property(sizes, (picture) => {
      const scale = fitScale(picture, panel);
      expect(scale).toBeLessThanOrEqual(1);
      expect(picture.width * scale).toBeLessThanOrEqual(panel.width + 1e-6);
      expect(picture.height * scale).toBeLessThanOrEqual(panel.height + 1e-6);
      expect(partInView(FIT, picture, panel)).toEqual({ x: 0, y: 0, ...picture });
    }),
  );
});

test("what is under the pointer stays there when zooming in within the picture", () => {
  const picture = { width: 4000, height: 3000 };
  const at = { x: 300, y: 200 };
  let zoom = actualSize(FIT, picture, panel);
  const under = (now: Zoom) => {
    const { left, top } = placement(now, picture, panel);
    const scale = scaleOf(now, picture, panel);
    return { x: (at.x - left) / scale, y: (at.y - top) / scale };
  };
  const before = under(zoom);
  for (let turn = 0; turn < 5; turn += 1) zoom = zoomAt(zoom, 1.3, at, picture, panel);
  expect(under(zoom).x).toBeCloseTo(before.x, 0);
  expect(under(zoom).y).toBeCloseTo(before.y, 0);
});

test("a picture never leaves a gap it could fill, and a small one stays in the middle", () => {
  fc.assert(
    fc.property(sizes, steps, (picture, done) => {
      const zoom = after(picture, done);
      const scale = scaleOf(zoom, picture, panel);
      expect(scale).toBeLessThanOrEqual(SCALES.largest);
      const { left, top } = placement(zoom, picture, panel);
      for (const [begin, length, room] of [
        [left, picture.width * scale, panel.width],
        [top, picture.height * scale, panel.height],
      ] as const) {
        if (length >= room) {
          expect(begin).toBeLessThanOrEqual(1);
          expect(begin + length).toBeGreaterThanOrEqual(room - 1);
        } else expect(Math.abs(begin + length / 2 - room / 2)).toBeLessThanOrEqual(1);
      }
    }),
  );
});

test("only the part in view is drawn, and all of it", () => {
  fc.assert(
    fc.property(sizes, steps, (picture, done) => {
      const zoom = after(picture, done);
      const scale = scaleOf(zoom, picture, panel);
      const part = partInView(zoom, picture, panel);
      expect(part.x + part.width).toBeLessThanOrEqual(picture.width);
      expect(part.y + part.height).toBeLessThanOrEqual(picture.height);
      expect(part.width * scale).toBeLessThanOrEqual(panel.width + 2 * scale + 1);
      const { left } = placement(zoom, picture, panel);
      expect(left + part.x * scale).toBeLessThanOrEqual(Math.max(left, 0) + 1e-6);
    }),
  );
});

test("one to one is one pixel on one pixel", () => {
  const picture = { width: 100, height: 80 };
  const zoom = actualSize(FIT, picture, panel);
  expect(scaleOf(zoom, picture, panel)).toBe(1);
  expect(placement(zoom, picture, panel)).toEqual({ left: 350, top: 260 });
  expect(canPan(zoom, picture, panel)).toBe(false);
  expect(canPan(zoom, { width: 801, height: 10 }, panel)).toBe(true);
});

test("a fitted picture does not move", () => {
  expect(panBy(FIT, { x: 10, y: 10 }, { width: 9000, height: 10 }, panel)).toBe(FIT);
});

test("the next picture keeps the zoom if it is as large", () => {
  const picture = { width: 2000, height: 1500 };
  const zoom = zoomAt(FIT, 4, { x: 100, y: 100 }, picture, panel);
  expect(zoomForNext(zoom, picture, { ...picture }, panel)).toBe(zoom);
  expect(zoomForNext(zoom, picture, { width: 10, height: 10 }, panel)).toBe(FIT);
  expect(
    scaleOf(zoomForNext(actualSize(FIT, picture, panel), picture, { width: 10, height: 9 }, panel), picture, panel),
  ).toBe(1);
});
