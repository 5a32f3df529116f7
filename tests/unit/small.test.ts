import fc from "fast-check";
import { fileName } from "../../src/app/clipboard";
import { extensionFolder } from "../../src/assets";
import { bytesOf, isBuffer } from "../../src/bytes";
import { asExplorerError, ExplorerError, isCancelled } from "../../src/errors";
import { numberOf, objectsOf, optionalNumberOf, textOf, textsOf } from "../../src/fields";
import { LruCache } from "../../src/lru";
import { filterFields, isLong, shownPart } from "../../src/metadata/filter";
import { bytesText, counted, millisecondsText, splitPath } from "../../src/text";

describe("buffers", () => {
  test("a view into a larger buffer keeps its offset and length", () => {
    const whole = new Uint8Array([9, 9, 1, 2, 3, 9]).buffer;
    expect([...bytesOf(new DataView(whole, 2, 3))]).toEqual([1, 2, 3]);
    expect([...bytesOf(whole)]).toEqual([9, 9, 1, 2, 3, 9]);
    expect(bytesOf(new DataView(whole, 2, 3)).buffer).toBe(whole);
    const shared = new Uint8Array(new SharedArrayBuffer(4));
    shared.set([5, 6], 1);
    expect([...bytesOf(new DataView(shared.buffer, 1, 2))]).toEqual([5, 6]);
  });
  test("every kind of view gives its own bytes, and no others", () => {
    const kinds = [
      (buffer: ArrayBuffer, at: number, length: number) => new DataView(buffer, at, length),
      (buffer: ArrayBuffer, at: number, length: number) => new Uint8Array(buffer, at, length),
      (buffer: ArrayBuffer, at: number, length: number) => new Int8Array(buffer, at, length),
    ];
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 50 }),
        fc.nat(),
        fc.nat(),
        fc.constantFrom(...kinds),
        (whole, a, b, view) => {
          const begin = a % (whole.length + 1);
          const length = b % (whole.length + 1 - begin);
          const buffer = Uint8Array.from(whole).buffer;
          expect([...bytesOf(view(buffer, begin, length))]).toEqual([...whole.subarray(begin, begin + length)]);
        },
      ),
    );
  });
  test("what is none is told apart", () => {
    expect([new ArrayBuffer(1), new DataView(new ArrayBuffer(1)), "x", null, {}].map(isBuffer)).toEqual([
      true,
      true,
      false,
      false,
      false,
    ]);
  });
});

describe("text", () => {
  test.each([
    [0, "0 B"],
    [999, "999 B"],
    [1000, "1.00 kB"],
    [12_345, "12.3 kB"],
    [999_499, "999 kB"],
    [999_500, "1.00 MB"],
    [5_000_000_000, "5.00 GB"],
  ])("%d bytes read %s", (bytes, text) => expect(bytesText(bytes)).toBe(text));
  test.each([
    [0.054, "0.05 ms"],
    [1.26, "1.3 ms"],
    [14.4, "14 ms"],
    [1234, "1.2 s"],
    [61_000, "61 s"],
  ])("%d milliseconds read %s", (ms, text) => expect(millisecondsText(ms)).toBe(text));
  test("counts have separators and their noun its number", () => {
    expect(counted(1, "record")).toBe("1 record");
    expect(counted(213_900_000, "record")).toBe("213,900,000 records");
  });
  test.each([
    ["/a/b/c.h5", "/a/b/", "c.h5"],
    ["c", "", "c"],
    ["/a/b/", "/a/", "b/"],
    ["C:\\data\\x", "C:\\data\\", "x"],
  ])("the path %s is cut before its name", (path, folder, name) => expect(splitPath(path)).toEqual({ folder, name }));
  test("no part of a path is lost", () => {
    fc.assert(
      fc.property(fc.string(), (path) => {
        const { folder, name } = splitPath(path);
        expect(folder + name).toBe(path);
      }),
    );
  });
});

describe("errors", () => {
  test("whatever is thrown can be shown", () => {
    expect(asExplorerError(new TypeError("odd"))).toMatchObject({ code: "internal" });
    expect(asExplorerError("text").message).toContain("text");
    const known = new ExplorerError("x", "y");
    expect(asExplorerError(known)).toBe(known);
  });
  test("withdrawn is told from wrong", () => {
    expect(isCancelled(new ExplorerError("cancelled", ""))).toBe(true);
    expect(isCancelled(new DOMException("", "AbortError"))).toBe(true);
    expect(isCancelled(new ExplorerError("internal", ""))).toBe(false);
    expect(isCancelled(null)).toBe(false);
  });
});

describe("received fields", () => {
  const fields = { n: 1, t: "a", ts: ["a"], os: [{}], none: null, mixed: [1] };
  test("are taken out by their kind", () => {
    expect([numberOf(fields, "n"), textOf(fields, "t"), optionalNumberOf(fields, "none")]).toEqual([1, "a", null]);
    expect([textsOf(fields, "ts"), objectsOf(fields, "os")]).toEqual([["a"], [{}]]);
  });
  test.each([
    () => numberOf(fields, "t"),
    () => textOf(fields, "n"),
    () => textsOf(fields, "mixed"),
    () => objectsOf(fields, "ts"),
    () => optionalNumberOf(fields, "t"),
    () => numberOf(fields, "absent"),
  ])("and refused where they are another (%#)", (take) => expect(take).toThrow(ExplorerError));
});

describe("the cache", () => {
  test("drops what was used longest ago, and tells of it", () => {
    const dropped: string[] = [];
    const cache = new LruCache<number, string>(
      3,
      (value) => value.length,
      (value) => dropped.push(value),
    );
    cache.set(1, "a");
    cache.set(2, "b");
    cache.set(3, "c");
    expect(cache.get(1)).toBe("a");
    cache.set(4, "d");
    expect([1, 2, 3, 4].map((key) => cache.has(key))).toEqual([true, false, true, true]);
    cache.set(5, "larger than all");
    expect([cache.size, cache.peek(5)]).toEqual([1, "larger than all"]);
    expect(dropped).toEqual(["b", "c", "a", "d"]);
    cache.clear();
    expect(cache.size).toBe(0);
  });
  test("never holds more than its room, but for one value", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(9), fc.integer({ min: 1, max: 20 }))), (puts) => {
        const cache = new LruCache<number, number>(30, (value) => value);
        for (const [key, value] of puts) {
          cache.set(key, value);
          let sum = 0;
          for (let each = 0; each < 10; each += 1) sum += cache.peek(each) ?? 0;
          expect(sum <= 30 || cache.size === 1).toBe(true);
          expect(cache.peek(key)).toBe(value);
        }
      }),
    );
  });
});

describe("the filter of the metadata", () => {
  const field = (name: string, text: string) => ({ name, type: "string", value: { text, kind: "text" as const } });
  const fields = [field("Species", "Corvus corax"), field("site", "Oslo"), field("", "corvid")];
  test("takes fields that have all words in name or value", () => {
    expect(filterFields(fields, "  ")).toEqual(fields);
    expect(filterFields(fields, "CORV").map((each) => each.value.text)).toEqual(["Corvus corax", "corvid"]);
    expect(filterFields(fields, "spec corax")).toHaveLength(1);
    expect(filterFields(fields, "nothing")).toEqual([]);
  });
  test("long values are folded", () => {
    expect(isLong("short")).toBe(false);
    expect(isLong("a\nb\nc\nd")).toBe(true);
    expect(shownPart("x".repeat(500), false)).toHaveLength(161);
    expect(shownPart("x".repeat(500), true)).toHaveLength(500);
    expect(shownPart("x".repeat(50_000), true)).toHaveLength(20_001);
  });
});

describe("the extension's folder", () => {
  const config = (extensions: unknown) =>
    JSON.stringify({ fullLabextensionsUrl: "/hub/user/x/lab/extensions", federated_extensions: extensions });
  test("is known where the page lists the extension", () => {
    expect(extensionFolder(config([{ name: "other" }, { name: "h5explorer" }]))).toBe(
      "/hub/user/x/lab/extensions/h5explorer/static",
    );
  });
  test.each([null, "", "not json", "[]", config([]), config("x"), config([{ name: "h5explorer-like" }])])(
    "and is not asked for elsewhere (%#)",
    (text) => expect(extensionFolder(text)).toBeNull(),
  );
});

describe("the name of a saved picture", () => {
  test.each([
    ["0a1b-2c", "JPEG", "0a1b-2c.jpg"],
    ["../../etc/passwd", "PNG", "__.._etc_passwd.png"],
    ["", "WebP", "image.webp"],
    ["a<b>:c", "", "a_b_c.bin"],
    ["жук 1", "TIFF", "жук_1.tif"],
  ])("for %s as %s is %s", (key, format, name) => expect(fileName(key, format)).toBe(name));
});
