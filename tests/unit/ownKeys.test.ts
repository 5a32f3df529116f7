import fc from "fast-check";
import { isOwnKey } from "../../src/app/useOwnKeys";

const press = (key: string, more: { ctrlKey?: boolean; metaKey?: boolean } = {}) => ({
  key,
  ctrlKey: false,
  metaKey: false,
  ...more,
});

test("every plain key in the widget is the widget's", () => {
  fc.assert(fc.property(fc.string(), fc.boolean(), (key, inField) => isOwnKey(press(key), inField)));
});

test.each([{ ctrlKey: true }, { metaKey: true }])("chords stay the host's, but for editing a field (%j)", (held) => {
  expect(isOwnKey(press("s", held), false)).toBe(false);
  expect(isOwnKey(press("s", held), true)).toBe(false);
  expect(isOwnKey(press("Enter", held), true)).toBe(false);
  for (const key of ["a", "c", "v", "x", "y", "z", "Z"]) {
    expect(isOwnKey(press(key, held), true)).toBe(true);
    expect(isOwnKey(press(key, held), false)).toBe(false);
  }
});
