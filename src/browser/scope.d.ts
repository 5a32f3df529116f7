/** Reads files within a worker without waiting; the DOM's types know only what pages have. */
declare class FileReaderSync {
  readAsArrayBuffer(blob: Blob): ArrayBuffer;
}
