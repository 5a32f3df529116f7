import fc from "fast-check";
import { isOwnKey } from "../../src/app/useOwnKeys";

const press = (key: string, more: { ctrlKey?: boolean; metaKey?: boolean } = {}) => ({
  key,
  ctrlKey: false,
  metaKey: false,
  ...more,
});

test("every plain key in the widget is the widget's", () => {
  fc.assert(
    fc.property(fc.string(), fc.constantFrom("field", "rows", "other"), (key, place) => isOwnKey(press(key), place)),
  );
});

test.each([{ ctrlKey: true }, { metaKey: true }])(
  "chords stay the host's, but for editing a field and selecting rows (%j)",
  (held) => {
    for (const place of ["field", "rows", "other"] as const) {
      for (const key of ["s", "Enter", "b", "F5"]) expect(isOwnKey(press(key, held), place)).toBe(false);
    }
    for (const key of ["a", "c", "v", "x", "y", "z", "Z"]) {
      expect(isOwnKey(press(key, held), "field")).toBe(true);
      expect(isOwnKey(press(key, held), "other")).toBe(false);
      expect(isOwnKey(press(key, held), "rows")).toBe(key === "a");
    }
    for (const key of ["ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight", "PageUp", "PageDown", "Home", "End", " "]) {
      expect(isOwnKey(press(key, held), "rows")).toBe(true);
      expect(isOwnKey(press(key, held), "field")).toBe(false);
      expect(isOwnKey(press(key, held), "other")).toBe(false);
    }
  },
);
