import { readFileSync } from "node:fs";
import path from "node:path";
import { type Answer, RequestClient } from "../../src/channel/requests";
import type { Wire } from "../../src/channel/wire";
import type { TableDecoder } from "../../src/decode/tables";
import { asExplorerError, isCancelled } from "../../src/errors";
import type { Fields } from "../../src/fields";
import { ask, cancel, decode, METHODS, type Method, type Outgoing, type Request, VERSION } from "../../src/protocol";
import type { Sort } from "../../src/source/api";
import { KernelSource } from "../../src/source/kernel";
import type { Ranges } from "../../src/state/shared";

interface Sample<Message> {
  readonly name: string;
  readonly message: Message;
}

interface Exchange {
  readonly method: Method;
  readonly params: Fields;
  readonly result: Fields;
}

const SAMPLES: {
  readonly version: number;
  readonly methods: readonly string[];
  readonly codes: readonly string[];
  readonly outgoing: readonly Sample<{ kind: string; version?: number; requests: readonly Request[] & string[] }>[];
  readonly incoming: readonly Sample<{ kind: string; request: string; result: Fields; error: Fields }>[];
  readonly together: readonly Sample<{ kind: string; answers: readonly { buffers: number }[] }>[];
  readonly bad: readonly Sample<unknown>[];
  readonly exchanges: readonly Exchange[];
} = JSON.parse(readFileSync(path.join(__dirname, "../fixtures/protocol.json"), "utf8"));

const never = new AbortController().signal;

test("version and methods are those of the samples", () => {
  expect(VERSION).toBe(SAMPLES.version);
  expect(METHODS).toEqual(SAMPLES.methods);
});

test("the codes that the page goes by are the kernel's or its own", () => {
  const own = [
    "bad_reply",
    "decoder_unavailable",
    "disconnected",
    "internal",
    "picture_undecodable",
    "table_undecodable",
  ];
  const folder = path.join(__dirname, "../../src");
  const files = ["errors.ts", "state/rows.ts", "channel/requests.ts", "decode/decoder.ts", "decode/picture.ts"];
  const source = [...files, "source/kernel.ts", "fields.ts", "assets.ts", "state/pictures.ts"]
    .map((file) => readFileSync(path.join(folder, file), "utf8"))
    .join("\n");
  const used = [...source.matchAll(/(?:code === |new ExplorerError\(\s*)"(\w+)"/g)].map((found) => found[1] ?? "");
  expect(new Set(used)).toEqual(new Set([...own, "cancelled", "stale_dataset"]));
  expect(used.filter((code) => !own.includes(code) && !SAMPLES.codes.includes(code))).toEqual([]);
});

test.each(SAMPLES.outgoing)("the page says $name as in the samples", ({ message }) => {
  const said = message.kind === "ask" ? ask(message.requests) : cancel(message.requests);
  expect(JSON.parse(JSON.stringify(said))).toEqual(message);
});

test.each(SAMPLES.incoming)("the page understands $name", ({ message }) => {
  const [arrived, ...more] = decode(message);
  if (arrived === undefined) throw new Error("it is passed over");
  expect([more, arrived.buffers]).toEqual([[], null]);
  const understood = arrived.answer;
  expect([understood.kind, understood.request]).toEqual([message.kind, message.request]);
  if (understood.kind === "reply") expect(understood.result).toEqual(message.result);
  else {
    const { code, message: sentence, action, details } = understood.error;
    expect({ code, message: sentence, action, details }).toEqual(message.error);
    expect(asExplorerError(understood.error)).toBe(understood.error);
    expect(isCancelled(understood.error)).toBe(code === "cancelled");
  }
});

test.each(SAMPLES.bad)("$name is passed over", ({ message }) => expect(decode(message)).toEqual([]));

test.each(SAMPLES.together)("the page understands $name in one message", ({ message }) => {
  const apart = message.answers.flatMap(({ buffers, ...answer }) =>
    decode(answer).map((arrived) => ({ ...arrived, buffers })),
  );
  expect(apart).toHaveLength(2);
  expect(decode(message)).toEqual(apart);
});

test("each of several answers gets its own buffers", async () => {
  let hear: (content: unknown, buffers: readonly Uint8Array<ArrayBuffer>[]) => void = () => {};
  const client = new RequestClient({
    send(content: Outgoing) {
      if (content.kind !== "ask") return;
      const [first, second, third] = content.requests.map((each) => each.request);
      const answers = [
        { kind: "reply", request: third, result: { at: 3 }, buffers: 2 },
        {
          kind: "failure",
          request: first,
          error: { code: "internal", message: "no", action: "", details: {} },
          buffers: 0,
        },
        { kind: "reply", request: "another page's", result: {}, buffers: 1 },
        { kind: "reply", request: second, result: { at: 2 }, buffers: 1 },
      ];
      hear(
        { kind: "answers", answers },
        [1, 2, 3, 4].map((each) => new Uint8Array([each])),
      );
    },
    listen(listener) {
      hear = listener;
      return () => {};
    },
    watch: () => () => {},
  });
  const [first, second, third] = await Promise.allSettled([
    client.ask("stats", {}),
    client.ask("image", {}),
    client.ask("rows", {}),
  ]);
  expect(first).toMatchObject({ status: "rejected", reason: { code: "internal" } });
  expect(second).toMatchObject({ value: { result: { at: 2 }, buffers: [new Uint8Array([4])] } });
  expect(third).toMatchObject({ value: { result: { at: 3 }, buffers: [new Uint8Array([1]), new Uint8Array([2])] } });
  client.close();
});

/** A wire to a kernel that answers with what the samples say, and keeps what it was asked. */
class SampleWire implements Wire {
  readonly asked: Request[] = [];
  #hear: (content: unknown, buffers: readonly Uint8Array<ArrayBuffer>[]) => void = () => {};

  constructor(readonly exchange: Exchange) {}

  send(content: object): void {
    const message = content as Outgoing;
    if (message.kind !== "ask") return;
    for (const request of message.requests) {
      this.asked.push(request);
      this.#hear({ kind: "reply", request: request.request, result: this.exchange.result }, [
        new Uint8Array([1]),
        new Uint8Array([2]),
        new Uint8Array([3]),
      ]);
    }
  }

  listen(hear: (content: unknown, buffers: readonly Uint8Array<ArrayBuffer>[]) => void): () => void {
    this.#hear = hear;
    return () => {};
  }

  watch(): () => void {
    return () => {};
  }
}

const decoder: TableDecoder = {
  start: async () => {},
  keys: () => ({ uuids: ["00777", null], filepaths: ["shard", null] }),
  record: (_, columns) => columns.map((column) => ({ ...column, value: { text: "1", kind: "number" } })),
};

/** Has the page ask for what a sample asks for; what it makes of the answer is returned. */
function asking(source: KernelSource, client: RequestClient, { method, params }: Exchange): Promise<unknown> {
  const number = (name: string) => Number(params[name]);
  const optional = (name: string) => (params[name] === null ? null : number(name));
  const text = (name: string) => String(params[name]);
  const dataset = number("dataset");
  const asked: Record<Method, () => Promise<unknown>> = {
    rows: () => source.rows(dataset, { start: number("start"), stop: number("stop") }, never),
    stats: () => source.filepaths(dataset, never),
    image: () => source.image(dataset, number("row"), params.known === null ? null : text("known"), never),
    original: () => source.original(dataset, number("row"), never),
    ahead: () => source.ahead(dataset, params.rows as number[], number("room"), params.onlyOpen === true, never),
    thumbnails: () => source.thumbnails(dataset, params.rows as number[], number("size"), never),
    metadata: () => source.metadata(dataset, number("row"), never),
    find: () => source.find(dataset, text("text"), optional("after"), never),
    count: () => source.count(dataset, text("text"), number("start"), never),
    status: () => source.status(dataset, params.wish === "stop" ? "stop" : null, never),
    show: () => source.show(text("filter"), params.sort as Sort, never),
    export: () => source.export(dataset, text("path"), params.ranges as Ranges, params.overwrite === true, never),
    share: () => source.share(dataset, params.ranges as Ranges, never),
    columns: () => source.columns(dataset, never),
    values: () => source.values(dataset, text("column"), never),
    open: () => source.open(text("path"), never),
    asset: () => client.ask("asset", { name: text("name") }),
  };
  return asked[method]();
}

/** What the page takes out of the answers, in the samples' words. */
function takenOut(exchange: Exchange, made: unknown): unknown {
  const { method, result } = exchange;
  const image = ({ row, key, format, mediaType, source, seconds, state, notes }: Fields) => ({
    ...{ row, key, format, mediaType, source, seconds, state, notes: notes ?? [] },
  });
  if (method === "rows") {
    return { start: result.start, notices: result.notices, uuids: ["00777", null], filepaths: ["shard", null] };
  }
  if (method === "stats") return result.filepaths;
  if (method === "find") return { row: result.row, byNumber: result.byNumber };
  if (method === "columns") return result.columns;
  if (method === "values") {
    const { dataset: _, not_finite, ...rest } = result;
    return { ...rest, notFinite: not_finite };
  }
  if (method === "count") return { count: result.count, stop: result.stop };
  if (method === "status") return { index: result.index, query: result.query, export: result.export };
  if (method === "export") {
    const { dataset: _, ...written } = result;
    return written;
  }
  if (method === "share") {
    const { dataset: _, ...page } = result;
    return { ...page, html: new Uint8Array([1]) };
  }
  if (method === "asset") return { result, buffers: (made as Answer).buffers };
  if (method === "image" && result.unchanged === true) return null;
  if (method === "image" || method === "original") return { ...image(result), bytes: new Uint8Array([1]) };
  const record = ({ row, source, matches, columns }: Fields) => ({
    ...{ row, source, matches },
    fields: (columns as Fields[]).map((column) => ({ ...column, value: { text: "1", kind: "number" } })),
  });
  if (method === "ahead") {
    const images = (result.images as Fields[]).map((each, at) => ({ ...image(each), bytes: new Uint8Array([at + 1]) }));
    return { images, records: (result.records as Fields[]).map(record) };
  }
  if (method === "thumbnails") {
    const [first, second] = result.thumbnails as Fields[];
    const { code, message } = (second?.error ?? {}) as Fields;
    return {
      made: [{ ...first, bytes: new Uint8Array([1]) }],
      missing: [{ row: second?.row, error: expect.objectContaining({ code, message }) }],
    };
  }
  if (method === "metadata") return record(result);
  const { protocol: _, ...opened } = result;
  return opened;
}

test.each(SAMPLES.exchanges)(
  "$method asks by the samples' names, and takes its answer out by them",
  async (exchange) => {
    const wire = new SampleWire(exchange);
    const client = new RequestClient(wire);
    const made = await asking(new KernelSource(client, async () => decoder), client, exchange);
    expect(wire.asked).toMatchObject([{ method: exchange.method }]);
    expect(wire.asked[0]?.params).toEqual(exchange.params);
    expect(made).toEqual(takenOut(exchange, made));
    client.close();
  },
);

test("there is a sample of every method", () => {
  expect(new Set(SAMPLES.exchanges.map((each) => each.method))).toEqual(new Set(METHODS));
});

/** Fields of results that the page has no use for, or can do without. */
const UNREAD: Readonly<Record<Method, readonly string[]>> = {
  rows: ["dataset", "rows"],
  stats: ["dataset", "records"],
  image: ["bytes", "width", "height", "notes"],
  original: ["bytes"],
  ahead: [],
  thumbnails: [],
  metadata: ["key", "seconds"],
  find: ["dataset", "row", "byNumber"],
  count: ["dataset"],
  status: ["dataset", "query", "export"],
  show: ["protocol", "sort", "counting"],
  export: ["dataset"],
  share: ["dataset"],
  columns: ["dataset"],
  values: ["dataset"],
  open: ["protocol", "sort", "counting"],
  asset: ["name", "encoding"],
};

const lacking = SAMPLES.exchanges
  .filter(({ result }) => result.unchanged !== true)
  .flatMap((exchange) =>
    Object.keys(exchange.result)
      .filter((field) => !UNREAD[exchange.method].includes(field))
      .map((field) => ({ exchange, method: exchange.method, field })),
  );

test.each(lacking)("an answer to $method without $field is told as one of another version", async (each) => {
  const { [each.field]: _, ...result } = each.exchange.result;
  const client = new RequestClient(new SampleWire({ ...each.exchange, result }));
  const source = new KernelSource(client, async () => decoder);
  await expect(asking(source, client, each.exchange)).rejects.toMatchObject({ code: "bad_reply" });
  client.close();
});
