/**
 * Messages of a websocket, JSON and buffers in one binary frame; the twin of `h5explorer_py/serve/frames.py`.
 *
 * A frame is the length of its head in 4 bytes (little-endian), the head, and the buffers one behind the other. The
 * head is JSON in UTF-8: `{"content": ..., "buffers": [length, ...]}`.
 */

import { ExplorerError } from "../errors";
import { isFields, numbersOf } from "../fields";

const LENGTH_BYTES = 4;

/** A message, and its buffers as views into its frame. */
export interface Message {
  readonly content: unknown;
  readonly buffers: readonly Uint8Array<ArrayBuffer>[];
}

/** Puts a message into a frame. */
export function pack(content: object, buffers: readonly Uint8Array[] = []): Uint8Array<ArrayBuffer> {
  const head = new TextEncoder().encode(JSON.stringify({ content, buffers: buffers.map((each) => each.length) }));
  let at = LENGTH_BYTES + head.length;
  const frame = new Uint8Array(buffers.reduce((sum, each) => sum + each.length, at));
  new DataView(frame.buffer).setUint32(0, head.length, true);
  frame.set(head, LENGTH_BYTES);
  for (const buffer of buffers) {
    frame.set(buffer, at);
    at += buffer.length;
  }
  return frame;
}

/**
 * Takes a message out of a frame.
 *
 * @throws ExplorerError - `bad_reply` where it is none.
 */
export function unpack(frame: Uint8Array<ArrayBuffer>): Message {
  if (frame.length < LENGTH_BYTES) throw damaged();
  let at = LENGTH_BYTES + new DataView(frame.buffer, frame.byteOffset).getUint32(0, true);
  const { content, lengths } = headOf(frame.subarray(LENGTH_BYTES, at));
  const buffers = lengths.map((length) => {
    at += length;
    return frame.subarray(at - length, at);
  });
  if (at !== frame.length) throw damaged();
  return { content, buffers };
}

function headOf(bytes: Uint8Array): { readonly content: unknown; readonly lengths: readonly number[] } {
  let head: unknown;
  try {
    head = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    throw damaged();
  }
  if (!isFields(head)) throw damaged();
  const lengths = numbersOf(head, "buffers");
  if (!lengths.every((length) => Number.isInteger(length) && length >= 0)) throw damaged();
  return { content: head.content, lengths };
}

function damaged(): ExplorerError {
  return new ExplorerError("bad_reply", "A message of the server is damaged.", "Reload the page.");
}
