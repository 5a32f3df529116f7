/**
 * Some rows of one column, read by its pages alone: a window of a large row group costs a megabyte, not all its values.
 *
 * Where the pages are is listed in the file, or else their headers are gone through. The pages that hold the rows become
 * a small file of their own for the decoder. At the least doubt there is no such file, and the whole is read instead.
 */

import { LruCache } from "../../lru";
import { type Chunk, Footer, fileOf } from "./footer";
import { type Fields, intIn, NoThrift, structIn, structsIn, ThriftReader } from "./thrift";

/** Gives the bytes `start` to `stop` of the file. */
export type ReadBytes = (start: number, stop: number) => Promise<Uint8Array>;

/** A small file, and where the wanted rows begin in it. */
export interface Window {
  readonly file: Uint8Array;
  readonly skipped: number;
}

/** A page of values. */
interface Page {
  readonly first: number;
  readonly rows: number;
  readonly start: number;
  readonly stop: number;
}

/** What is known of a column's pages. */
interface Known {
  readonly chunk: Chunk;
  readonly pages: Page[];
  dictionary: { readonly bytes: Uint8Array; readonly unpacked: number } | null;
  /** Where the next header is; the end where all pages are known. */
  next: number;
  /** What was read to find headers: the next ones may be in it. */
  block: Held | null;
  reads: number;
  /** Ends when those that were asked before have been answered. */
  turn: Promise<unknown>;
}

/** Bytes of the file that are held. */
interface Held {
  readonly start: number;
  readonly bytes: Uint8Array;
}

/** Bytes of the end of the file that are read in the hope that they are the footer. */
const TAIL = 64 << 10;

/** A larger footer is left to the decoder alone. */
const LARGEST_FOOTER = 32 << 20;

/** How much is read at a time, in bytes. */
export interface Amounts {
  /** A column of one row group that is read as one: it costs no more than to look for the pages. */
  readonly small: number;
  /** What is read first of a larger one: mostly its first page. */
  readonly first: number;
  /** What is read to find a header; the next headers may be in it. */
  readonly block: number;
}

const AMOUNTS: Amounts = { small: 2 << 20, first: 1280 << 10, block: 64 << 10 };

/** A header, with the least and the greatest value in it, is not larger. */
const LARGEST_HEADER = 16 << 10;

/** More bytes of pages than these are read with the whole. */
const LARGEST_CUT = 64 << 20;

/** A larger dictionary is read with the whole. */
const LARGEST_DICTIONARY = 8 << 20;

const CHUNKS_KNOWN = 12;

const [DATA, DICTIONARY, DATA_V2] = [0, 2, 3];

/** Finds the pages of a file's columns. */
export class Pages {
  readonly #read: ReadBytes;
  readonly #size: number;
  readonly #amounts: Amounts;
  readonly #known = new LruCache<string, Promise<Known | null>>(CHUNKS_KNOWN);
  #footer: Promise<Footer | null> | null = null;

  constructor(read: ReadBytes, size: number, amounts = AMOUNTS) {
    this.#read = read;
    this.#size = size;
    this.#amounts = amounts;
  }

  /** Reads the footer, before it is needed. */
  prepare(): Promise<Footer | null> {
    this.#footer ??= this.#readFooter().catch((error: unknown) => {
      this.#footer = null; // the next one tries again
      if (error instanceof NoThrift) return null;
      throw error;
    });
    this.#footer.catch(() => {});
    return this.#footer;
  }

  /**
   * Reads the pages of some rows of a column's row group.
   *
   * @returns Nothing where they are to be read with the whole: what is unusual, and what is not worth it.
   * @throws - As `ReadBytes` does.
   */
  async window(group: number, column: string, start: number, rows: number): Promise<Window | null> {
    try {
      const known = await this.#chunk(group, column);
      if (known === null || rows < 1) return null;
      const cutting = known.turn.then(() => this.#cut(known, start, start + rows));
      known.turn = cutting.catch(() => {});
      return await cutting;
    } catch (error) {
      if (error instanceof NoThrift) return null;
      throw error;
    }
  }

  #chunk(group: number, column: string): Promise<Known | null> {
    const name = `${group} ${column}`;
    const held = this.#known.get(name);
    if (held !== undefined) return held;
    const finding = this.#find(group, column);
    this.#known.set(name, finding);
    finding.catch(() => this.#known.delete(name));
    return finding;
  }

  async #find(group: number, column: string): Promise<Known | null> {
    const chunk = (await this.prepare())?.chunk(group, column) ?? null;
    if (chunk === null) return null;
    const nothing = { dictionary: null, block: null, reads: 0, turn: Promise.resolve() };
    const known: Known = { chunk, pages: [], next: chunk.start, ...nothing };
    if (chunk.stop - chunk.start <= this.#amounts.small) known.block = await this.#held(chunk.start, chunk.stop);
    else if (chunk.index !== null && !(await this.#readIndex(known, chunk.index))) return null;
    return known;
  }

  async #readFooter(): Promise<Footer | null> {
    const tail = await this.#read(Math.max(0, this.#size - TAIL), this.#size);
    const length = tail.length < 12 ? 0 : new DataView(tail.buffer, tail.byteOffset).getUint32(tail.length - 8, true);
    const [stop, start] = [this.#size - 8, this.#size - 8 - length];
    if (length === 0 || length > LARGEST_FOOTER || start < 4) return null;
    const has = tail.length - 8 >= length;
    const bytes = has ? tail.subarray(tail.length - 8 - length, tail.length - 8) : await this.#read(start, stop);
    return new Footer(bytes, start);
  }

  /** Takes the places of pages as the file lists them. */
  async #readIndex(known: Known, { start, stop }: { readonly start: number; readonly stop: number }): Promise<boolean> {
    const { chunk, pages } = known;
    const locations = structsIn(new ThriftReader(await this.#exactly(start, stop)).struct(), 1);
    for (const [at, location] of locations.entries()) {
      const [place, length, first] = [intIn(location, 1), intIn(location, 2), intIn(location, 3)];
      const after = locations[at + 1];
      const end = after === undefined ? chunk.rows : intIn(after, 3);
      if (place === null || length === null || first === null || end === null) return false;
      const previous = pages.at(-1);
      const isNext = previous === undefined ? first === 0 && place >= chunk.start : place === previous.stop;
      if (!isNext || length < 1 || place + length > chunk.stop || end <= first) return false;
      pages.push({ first, rows: end - first, start: place, stop: place + length });
    }
    const [one] = pages;
    if (one === undefined || pages.at(-1)?.stop !== chunk.stop) return false;
    known.next = chunk.stop;
    return one.start === chunk.start || (await this.#takeDictionary(known, one.start));
  }

  async #takeDictionary(known: Known, stop: number): Promise<boolean> {
    const { start } = known.chunk;
    if (stop - start > LARGEST_DICTIONARY) return false;
    const bytes = await this.#bytes(known, start, stop);
    const header = headerOf({ start, bytes }, start);
    if (header.type !== DICTIONARY || header.stop !== stop) return false;
    known.dictionary = { bytes, unpacked: header.unpacked };
    return true;
  }

  async #cut(known: Known, start: number, stop: number): Promise<Window | null> {
    const { chunk, pages } = known;
    if (stop > chunk.rows || start < 0) return null;
    while ((pages.at(-1)?.first ?? 0) + (pages.at(-1)?.rows ?? 0) < stop) {
      if (!(await this.#walk(known))) return null;
    }
    const wanted = pages.filter((page) => page.first < stop && page.first + page.rows > start);
    const [one, last] = [wanted[0], wanted.at(-1)];
    if (one === undefined || last === undefined || last.stop - one.start > LARGEST_CUT) return null;
    const bytes = await this.#bytes(known, one.start, last.stop);
    let unpacked = known.dictionary?.unpacked ?? 0;
    for (const page of wanted) {
      const header = headerOf({ start: one.start, bytes }, page.start);
      if (!isData(header) || header.rows !== page.rows || header.stop !== page.stop) return null;
      unpacked += header.unpacked;
    }
    const hasDictionary = known.dictionary !== null;
    const parts = known.dictionary === null ? [bytes] : [known.dictionary.bytes, bytes];
    const rows = last.first + last.rows - one.first;
    return { file: fileOf(chunk, { parts, hasDictionary, rows, unpacked }), skipped: start - one.first };
  }

  /** Goes on to the next page. */
  async #walk(known: Known): Promise<boolean> {
    const { chunk, pages, next } = known;
    if (next >= chunk.stop) return false;
    const header = await this.#header(known, next);
    if (header === null || header.stop > chunk.stop) return false;
    if (header.type === DICTIONARY) {
      if (next !== chunk.start || !(await this.#takeDictionary(known, header.stop))) return false;
    } else {
      const first = (pages.at(-1)?.first ?? 0) + (pages.at(-1)?.rows ?? 0);
      if (!isData(header) || first + header.rows > chunk.rows) return false;
      pages.push({ first, rows: header.rows, start: next, stop: header.stop });
    }
    known.next = header.stop;
    return true;
  }

  async #header(known: Known, at: number): Promise<Header | null> {
    const { chunk, block } = known;
    const held = block === null || block.start > at ? 0 : block.start + block.bytes.length - at;
    if (block !== null && held >= Math.min(LARGEST_HEADER, chunk.stop - at)) return headerOf(block, at);
    // To look for a header takes as long as to read some blocks: at some number of them the whole is not more.
    if (known.reads * 4 * this.#amounts.block > chunk.stop - chunk.start) return null;
    known.reads += 1;
    const { first, block: next } = this.#amounts;
    known.block = await this.#held(at, Math.min(at + (at === chunk.start ? first : next), chunk.stop));
    return headerOf(known.block, at);
  }

  /** Gets bytes, out of the block where they are there. */
  async #bytes({ block }: Known, start: number, stop: number): Promise<Uint8Array> {
    if (block === null || block.start > start || block.start + block.bytes.length < stop)
      return this.#exactly(start, stop);
    return block.bytes.subarray(start - block.start, stop - block.start);
  }

  async #held(start: number, stop: number): Promise<Held> {
    return { start, bytes: await this.#exactly(start, stop) };
  }

  async #exactly(start: number, stop: number): Promise<Uint8Array> {
    const bytes = await this.#read(start, stop);
    if (bytes.length !== stop - start) throw new NoThrift("the file ends");
    return bytes;
  }
}

/** What the header of a page says. */
interface Header {
  readonly type: number;
  /** Values, and so rows; -1 where that cannot be told. */
  readonly rows: number;
  readonly unpacked: number;
  /** Where the page ends in the file. */
  readonly stop: number;
}

function headerOf({ start, bytes }: Held, place: number): Header {
  const reader = new ThriftReader(bytes, place - start);
  const fields = reader.struct();
  const [type, unpacked, packed] = [intIn(fields, 1), intIn(fields, 2), intIn(fields, 3)];
  if (type === null || unpacked === null || packed === null || unpacked < 0 || packed < 0)
    throw new NoThrift("no page");
  const length = start + reader.at - place;
  return { type, rows: rowsOf(type, fields), unpacked: unpacked + length, stop: place + length + packed };
}

/** The rows of a page of a flat column are its values. */
function rowsOf(type: number, fields: Fields): number {
  const about = structIn(fields, type === DATA ? 5 : 8);
  if (about === null) return -1;
  const values = intIn(about, 1);
  if (values === null) return -1;
  return type === DATA_V2 && intIn(about, 3) !== values ? -1 : values;
}

const isData = ({ type, rows }: Header) => (type === DATA || type === DATA_V2) && rows > 0;
