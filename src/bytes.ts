/** Binary parts of messages, whatever form the host hands them over in. */

/**
 * Views the bytes of a received buffer without copying them.
 *
 * A host may hand over a view into a larger buffer, so its offset and length count.
 */
export function bytesOf(buffer: ArrayBuffer | ArrayBufferView): Uint8Array<ArrayBuffer> {
  if (buffer instanceof ArrayBuffer) return new Uint8Array(buffer);
  if (buffer.buffer instanceof ArrayBuffer) {
    return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
  }
  const copied = new Uint8Array(buffer.byteLength);
  copied.set(new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength));
  return copied;
}

/** Whether something received is a buffer. */
export function isBuffer(value: unknown): value is ArrayBuffer | ArrayBufferView {
  return value instanceof ArrayBuffer || ArrayBuffer.isView(value);
}
