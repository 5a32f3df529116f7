import { isTruncated, pixelsOf } from "../../../src/browser/pictures/frame";
import { originalFacts, shownFacts } from "../../../src/browser/pictures/shown";
import { bmp } from "../../browser/page/bmp";

const bytes = (text: string) => Uint8Array.from(text, (sign) => sign.charCodeAt(0));

test.each([
  ["\xff\xd8\xff\xe0", "JPEG", "image/jpeg"],
  ["II*\0rest", "TIFF", "image/tiff"],
  ["RIFF\0\0\0\0WEBPVP8 ", "WebP", "image/webp"],
  ["\0\0\0\x18ftypmif1\0\0\0\0avifmiaf", "AVIF", "image/avif"],
  ["\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIC", "image/heic"],
  ['<?xml version="1.0"?>\n<svg>', "SVG", "image/svg+xml"],
  ["BM nothing of the kind", "", "application/octet-stream"],
  ["", "", "application/octet-stream"],
])("%j is %s", (head, format, mediaType) => {
  expect(originalFacts(bytes(head))).toEqual({ format, mediaType, notes: [] });
});

const whole = bmp(31, 17, { red: 1, green: 2, blue: 3 });
const gif = bytes("GIF89a\x02\0\x01\0\x80\0\0\0\0\0\xff\xff\xff,\0\0\0\0\x02\0\x01\0\0\x02\x02D\n\0;");
const jpeg = bytes(
  "\xff\xd8\xff\xe0\0\x04ab\xff\xc0\0\x0b\x08\0\x1e\0\x28\x01\x01\x11\0\xff\xda\0\x04ab scan \xff\0\xff\xd9",
);

test("a picture that ends too early is told from one that does not", () => {
  for (const [data, format] of [
    [whole, "BMP"],
    [gif, "GIF"],
    [jpeg, "JPEG"],
  ] as const) {
    expect(isTruncated(data, format)).toBe(false);
    expect(isTruncated(data.subarray(0, data.length - 3), format)).toBe(true);
  }
});

test("the size is read out of the header", () => {
  expect(pixelsOf(whole, "BMP")).toEqual({ width: 31, height: 17 });
  expect(pixelsOf(gif, "GIF")).toEqual({ width: 2, height: 1 });
  expect(pixelsOf(jpeg, "JPEG")).toEqual({ width: 40, height: 30 });
  expect(pixelsOf(bytes("II*\0"), "TIFF")).toBeNull();
});

test("no beginning of a picture brings the reading of its frame down", () => {
  for (const data of [whole, gif, jpeg, bytes("RIFF"), bytes("RIFF\0\0\0\0WEBPVP8X")]) {
    for (let end = 0; end <= Math.min(60, data.length); end += 1) {
      const cut = data.slice(0, end);
      const { format } = originalFacts(cut);
      for (const each of new Set([format, "PNG", "WebP", "JPEG", "GIF", "BMP"])) {
        expect(() => [isTruncated(cut, each), pixelsOf(cut, each)]).not.toThrow();
      }
    }
  }
});

test("what is not shown says why", () => {
  const told = (data: Uint8Array) => {
    try {
      return shownFacts(data, "k", "f").format;
    } catch (error) {
      return error instanceof Error ? error.message : "";
    }
  };
  expect(told(whole)).toBe("BMP");
  expect(told(bytes("II*\0"))).toBe("k is a TIFF file, which browsers do not show.");
  expect(told(bytes("\x01\x02"))).toContain("they begin with 01 02.");
  const huge = bmp(1, 1, { red: 0, green: 0, blue: 0 });
  new DataView(huge.buffer).setInt32(18, 2_000_000_000, true);
  expect(told(huge)).toContain("cut short");
});
