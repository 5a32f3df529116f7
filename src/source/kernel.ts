/** The source that a kernel holds: questions over a channel, tables as Parquet. */

import type { Answer, RequestClient } from "../channel/requests";
import type { GetDecoder } from "../decode/decoder";
import type { TableDecoder } from "../decode/tables";
import { ExplorerError } from "../errors";
import {
  type Fields,
  fieldsOf,
  isFields,
  numberOf,
  numbersOf,
  objectsOf,
  optionalNumberOf,
  textOf,
  textsOf,
} from "../fields";
import { errorOf, type Method } from "../protocol";
import type { Ranges } from "../state/shared";
import type {
  Ahead,
  Column,
  ColumnValues,
  Counted,
  EncodedImage,
  EncodedThumbnail,
  Exported,
  Found,
  IndexPhase,
  IndexProgress,
  MetadataRecord,
  Opened,
  Options,
  RowRange,
  Rows,
  SharedPage,
  Sort,
  Source,
  Status,
  Thumbnails,
} from "./api";

/** Gets its data from the kernel's side of an explorer. */
export class KernelSource implements Source {
  readonly hasKernel = true;
  readonly opensOthers = true;
  readonly #client: RequestClient;
  readonly #decoder: GetDecoder;

  constructor(client: RequestClient, decoder: GetDecoder) {
    this.#client = client;
    this.#decoder = decoder;
  }

  async rows(dataset: number, range: RowRange, signal: AbortSignal): Promise<Rows> {
    const answer = await this.#ask("rows", { dataset, start: range.start, stop: range.stop }, signal);
    const keys = await this.#decode((decoder) => decoder.keys(bufferOf(answer, 0)));
    return { start: numberOf(answer.result, "start"), ...keys, notices: textsOf(answer.result, "notices") };
  }

  async filepaths(dataset: number, signal: AbortSignal): Promise<number> {
    return numberOf((await this.#ask("stats", { dataset }, signal)).result, "filepaths");
  }

  async image(dataset: number, row: number, known: string | null, signal: AbortSignal): Promise<EncodedImage | null> {
    const answer = await this.#ask("image", { dataset, row, known }, signal);
    if (answer.result.unchanged === true) return null;
    return imageOf(answer.result, bufferOf(answer, 0));
  }

  async original(dataset: number, row: number, signal: AbortSignal): Promise<EncodedImage> {
    const answer = await this.#ask("original", { dataset, row }, signal);
    return imageOf(answer.result, bufferOf(answer, 0));
  }

  async ahead(
    dataset: number,
    rows: readonly number[],
    room: number,
    onlyOpen: boolean,
    signal: AbortSignal,
  ): Promise<Ahead> {
    const answer = await this.#ask("ahead", { dataset, rows, room, onlyOpen }, signal);
    const images = objectsOf(answer.result, "images").map((facts, index) => imageOf(facts, bufferOf(answer, index)));
    const records = objectsOf(answer.result, "records").map((facts, index) =>
      this.#record(facts, bufferOf(answer, images.length + index)),
    );
    return { images, records: await Promise.all(records) };
  }

  async thumbnails(dataset: number, rows: readonly number[], size: number, signal: AbortSignal): Promise<Thumbnails> {
    const answer = await this.#ask("thumbnails", { dataset, rows, size }, signal);
    const [made, missing]: [EncodedThumbnail[], Thumbnails["missing"][number][]] = [[], []];
    for (const facts of objectsOf(answer.result, "thumbnails")) {
      const row = numberOf(facts, "row");
      if (isFields(facts.error)) missing.push({ row, error: errorOf(facts.error) });
      else {
        made.push({
          row,
          mediaType: textOf(facts, "mediaType"),
          width: numberOf(facts, "width"),
          height: numberOf(facts, "height"),
          bytes: bufferOf(answer, made.length),
        });
      }
    }
    return { made, missing };
  }

  async metadata(dataset: number, row: number, signal: AbortSignal): Promise<MetadataRecord> {
    const answer = await this.#ask("metadata", { dataset, row }, signal);
    return this.#record(answer.result, bufferOf(answer, 0));
  }

  async #record(facts: Fields, table: Uint8Array<ArrayBuffer>): Promise<MetadataRecord> {
    const columns = objectsOf(facts, "columns").map((each) => ({
      name: textOf(each, "name"),
      type: textOf(each, "type"),
    }));
    return {
      row: numberOf(facts, "row"),
      source: textOf(facts, "source"),
      fields: await this.#decode((decoder) => decoder.record(table, columns)),
      matches: numberOf(facts, "matches"),
    };
  }

  async find(dataset: number, text: string, after: number | null, signal: AbortSignal): Promise<Found> {
    const { result } = await this.#ask("find", { dataset, text, after }, signal);
    return { row: optionalNumberOf(result, "row"), byNumber: result.byNumber === true };
  }

  async count(dataset: number, text: string, start: number, signal: AbortSignal): Promise<Counted> {
    const { result } = await this.#ask("count", { dataset, text, start }, signal);
    return { count: numberOf(result, "count"), stop: numberOf(result, "stop") };
  }

  async status(dataset: number, wish: "stop" | "begin" | null, signal: AbortSignal): Promise<Status> {
    const { result } = await this.#ask("status", { dataset, wish }, signal);
    return {
      index: indexOf(fieldsOf(result, "index")),
      query: optionalNumberOf(result, "query"),
      export: optionalNumberOf(result, "export"),
    };
  }

  async show(filter: string, sort: Sort, signal: AbortSignal): Promise<Opened> {
    return openedOf((await this.#ask("show", { filter, sort }, signal)).result);
  }

  async export(
    dataset: number,
    path: string,
    ranges: Ranges | null,
    overwrite: boolean,
    signal: AbortSignal,
  ): Promise<Exported> {
    const { result } = await this.#ask("export", { dataset, path, ranges, overwrite }, signal);
    return {
      path: textOf(result, "path"),
      rows: numberOf(result, "rows"),
      failed: numberOf(result, "failed"),
      notices: textsOf(result, "notices"),
    };
  }

  async share(dataset: number, ranges: Ranges | null, signal: AbortSignal): Promise<SharedPage> {
    const answer = await this.#ask("share", { dataset, ranges }, signal);
    const { result } = answer;
    return {
      name: textOf(result, "name"),
      html: bufferOf(answer, 0),
      rows: numberOf(result, "rows"),
      chosen: numberOf(result, "chosen"),
      failed: numberOf(result, "failed"),
    };
  }

  async columns(dataset: number, signal: AbortSignal): Promise<readonly Column[]> {
    const { result } = await this.#ask("columns", { dataset }, signal);
    return objectsOf(result, "columns").map((each) => ({
      name: textOf(each, "name"),
      type: textOf(each, "type"),
      source: textOf(each, "source") === "metadata" ? "metadata" : "lookup",
    }));
  }

  async values(dataset: number, column: string, signal: AbortSignal): Promise<ColumnValues> {
    const { result } = await this.#ask("values", { dataset, column }, signal);
    const kind = textOf(result, "kind");
    return {
      name: textOf(result, "name"),
      kind: kind === "values" || kind === "numbers" ? kind : "none",
      nulls: numberOf(result, "nulls"),
      different: numberOf(result, "different"),
      values: objectsOf(result, "values").map((each) => ({
        text: textOf(each, "text"),
        sql: textOf(each, "sql"),
        count: numberOf(each, "count"),
      })),
      low: numberOf(result, "low"),
      high: numberOf(result, "high"),
      bins: numbersOf(result, "bins"),
      notFinite: numberOf(result, "not_finite"),
    };
  }

  async open(path: string, signal: AbortSignal): Promise<Opened> {
    return openedOf((await this.#ask("open", { path }, signal)).result);
  }

  #ask(method: Method, params: Fields, signal: AbortSignal): Promise<Answer> {
    return this.#client.ask(method, params, signal);
  }

  async #decode<Value>(read: (decoder: TableDecoder) => Value): Promise<Value> {
    const decoder = await this.#decoder();
    try {
      return read(decoder);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new ExplorerError("table_undecodable", `The table that arrived cannot be decoded: ${reason}`, "Try again.");
    }
  }
}

/** Reads what is open, as the kernel describes it. */
export function openedOf(fields: Fields): Opened {
  return {
    dataset: numberOf(fields, "dataset"),
    name: textOf(fields, "name"),
    location: textOf(fields, "location"),
    records: numberOf(fields, "records"),
    total: numberOf(fields, "total"),
    counting: fields.counting === true,
    filter: textOf(fields, "filter"),
    sort: sortOf(fields.sort),
    notices: textsOf(fields, "notices"),
    index: indexOf(fieldsOf(fields, "index")),
    options: optionsOf(fieldsOf(fields, "options")),
  };
}

function optionsOf(fields: Fields): Options {
  const { lookup, root, cache } = fields;
  return {
    lookup: typeof lookup === "string" ? lookup : Array.isArray(lookup) ? textsOf(fields, "lookup") : null,
    root: typeof root === "string" ? root : isFields(root) ? prefixesOf(root) : null,
    uuidColumn: textOf(fields, "uuidColumn"),
    filepathColumn: textOf(fields, "filepathColumn"),
    cache: typeof cache === "string" ? cache : cache !== false,
  };
}

function prefixesOf(fields: Fields): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.keys(fields).map((old) => [old, textOf(fields, old)]));
}

function sortOf(value: unknown): Sort {
  if (!Array.isArray(value)) return [];
  return value.flatMap((each: unknown) => {
    if (!Array.isArray(each)) return [];
    const [column, direction]: unknown[] = each;
    return typeof column === "string" ? [[column, direction === "desc" ? "desc" : "asc"] as const] : [];
  });
}

const PHASES: readonly IndexPhase[] = ["off", "waiting", "packing", "ready", "stopped", "failed"];

function indexOf(fields: Fields): IndexProgress {
  const phase = textOf(fields, "phase");
  return {
    phase: PHASES.find((each) => each === phase) ?? "off",
    fraction: numberOf(fields, "fraction"),
    rows: numberOf(fields, "rows"),
    bytes: numberOf(fields, "bytes"),
    folder: textOf(fields, "folder"),
    message: textOf(fields, "message"),
  };
}

function imageOf(fields: Fields, bytes: Uint8Array<ArrayBuffer>): EncodedImage {
  return {
    row: numberOf(fields, "row"),
    key: textOf(fields, "key"),
    format: textOf(fields, "format"),
    mediaType: textOf(fields, "mediaType"),
    source: textOf(fields, "source"),
    seconds: numberOf(fields, "seconds"),
    bytes,
    state: textOf(fields, "state"),
    notes: "notes" in fields ? textsOf(fields, "notes") : [],
  };
}

function bufferOf(answer: Answer, index: number): Uint8Array<ArrayBuffer> {
  const buffer = answer.buffers[index];
  if (buffer === undefined) {
    throw new ExplorerError("bad_reply", "The kernel's answer arrived without its data.", "Try again.");
  }
  return buffer;
}
