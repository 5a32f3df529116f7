import { matchText, nextOrdinal } from "../../src/contents/matches";

test("matches are counted from the first one on, and from the beginning after the way round", () => {
  expect(nextOrdinal(null, 7)).toBe(1);
  expect(nextOrdinal({ row: 7, ordinal: 1 }, 9)).toBe(2);
  expect(nextOrdinal({ row: 9, ordinal: 2 }, 7)).toBe(1);
  expect(nextOrdinal({ row: 7, ordinal: 1 }, 7)).toBe(1);
  expect(nextOrdinal({ row: 7, ordinal: null }, 9)).toBeNull();
});

test("a partial count says that it is partial", () => {
  expect(matchText(3, null)).toBe("match 3");
  expect(matchText(3, { count: 1204, looked: 1 })).toBe("match 3 of 1,204");
  expect(matchText(3, { count: 17, looked: 0.409 })).toBe("match 3 of at least 17, counted to 40%");
  expect(matchText(3, { count: 0, looked: 0 })).toBe("match 3 of at least 3, counted to 0%");
  expect(matchText(null, { count: 17, looked: 1 })).toBe("one match of 17");
});
