/** A picture of one colour with a darker block, as an uncompressed BMP: made in place, decoded exactly. */

export interface Colour {
  readonly red: number;
  readonly green: number;
  readonly blue: number;
}

/** The colour that a row's picture has; no two rows near each other share it. */
export function colourOf(row: number): Colour {
  return { red: (row * 67 + 40) % 256, green: (row * 131 + 80) % 256, blue: (row * 29 + 120) % 256 };
}

/** Writes a picture of one colour; its left upper quarter is black where it is `marked`. */
export function bmp(width: number, height: number, colour: Colour, marked = false): Uint8Array<ArrayBuffer> {
  const stride = Math.ceil((width * 3) / 4) * 4;
  const bytes = new Uint8Array(54 + stride * height);
  const view = new DataView(bytes.buffer);
  bytes.set([0x42, 0x4d]);
  view.setUint32(2, bytes.length, true);
  view.setUint32(10, 54, true);
  view.setUint32(14, 40, true);
  view.setInt32(18, width, true);
  view.setInt32(22, height, true);
  view.setUint16(26, 1, true);
  view.setUint16(28, 24, true);
  view.setUint32(34, stride * height, true);
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const black = marked && x < width / 2 && y >= height / 2; // rows of a BMP go from the bottom up
      bytes.set(black ? [0, 0, 0] : [colour.blue, colour.green, colour.red], 54 + y * stride + x * 3);
    }
  }
  return bytes;
}
