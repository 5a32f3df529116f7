import { fetchRange, probe } from "../../../src/browser/remote";

const bytes = Uint8Array.from({ length: 100 }, (_, at) => at);
const never = new AbortController().signal;

/** A server of one file, which calls a part that is the whole what it likes. */
function serve(whole: 200 | 206, state = '"1"') {
  return (_: unknown, how?: RequestInit) => {
    const [, from, to] = /bytes=(\d+)-(\d+)/.exec(new Headers(how?.headers).get("range") ?? "") ?? [];
    const [start, end] = [Number(from), Number(to) + 1];
    const isWhole = start === 0 && end === bytes.length;
    const headers = { "content-range": `bytes ${start}-${end - 1}/${bytes.length}`, etag: state };
    return Promise.resolve(new Response(bytes.slice(start, end), { status: isWhole ? whole : 206, headers }));
  };
}

const real = globalThis.fetch;
afterEach(() => {
  globalThis.fetch = real;
});

const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => "none",
    (error: { code: string }) => error.code,
  );

test.each([200, 206] as const)("the whole of a file may come as a part or not: %d", async (whole) => {
  globalThis.fetch = serve(whole);
  const file = await probe("http://a/x", never);
  expect(await fetchRange(file, 0, 1_000, never)).toEqual(bytes);
  expect(await fetchRange(file, 10, 20, never)).toEqual(bytes.slice(10, 20));
});

test("a server that sends the whole for a part gives no parts", async () => {
  globalThis.fetch = serve(206);
  const file = await probe("http://a/x", never);
  globalThis.fetch = () => Promise.resolve(new Response(bytes, { status: 200 }));
  expect(await codeOf(fetchRange(file, 10, 20, never))).toBe("no_ranges");
  expect(await codeOf(probe("http://a/x", never))).toBe("no_ranges");
});

test("a file that is another now is told from the one that was opened, its whole too", async () => {
  globalThis.fetch = serve(200);
  const file = await probe("http://a/x", never);
  globalThis.fetch = serve(200, '"2"');
  expect(await codeOf(fetchRange(file, 0, 100, never))).toBe("file_changed");
  globalThis.fetch = () => Promise.resolve(new Response(bytes.slice(1), { status: 200, headers: { etag: '"1"' } }));
  expect(await codeOf(fetchRange(file, 0, 100, never))).toBe("unreachable");
});
