import { ServerConnection } from "@jupyterlab/services";
import fc from "fast-check";
import { addressOf, candidates, headersOf } from "../../src/lab/plain/files";
import { offerFor } from "../../src/lab/plain/offer";

const place = { root: "/srv/people/ada", path: "lookups/lookup.parquet" };

describe("the paths at which a file may be that a lookup names", () => {
  test.each<[string, readonly string[]]>([
    ["data/shard_0_images.h5", ["lookups/data/shard_0_images.h5"]],
    ["./data//shard_0_images.h5", ["lookups/data/shard_0_images.h5"]],
    ["data\\shard_0_images.h5", ["lookups/data/shard_0_images.h5"]],
    ["../shards/a_images.h5", ["shards/a_images.h5"]],
    ["../../out_images.h5", []],
    ["..", []],
    ["a/../../../out_images.h5", []],
    ["/srv/people/ada/shards/a_images.h5", ["shards/a_images.h5"]],
    ["/srv/people/../people/ada/shards/a_images.h5", ["shards/a_images.h5"]],
    [
      "/lab/2024/birds/a_images.h5",
      ["lookups/2024/birds/a_images.h5", "lookups/birds/a_images.h5", "lookups/a_images.h5"],
    ],
    [
      "/srv/people/adam/a_images.h5",
      ["lookups/people/adam/a_images.h5", "lookups/adam/a_images.h5", "lookups/a_images.h5"],
    ],
    ["C:\\data\\a_images.h5", ["lookups/C:/data/a_images.h5", "lookups/data/a_images.h5", "lookups/a_images.h5"]],
  ])("of %s", (named, expected) => {
    expect(candidates(named, place)).toEqual(expected);
  });

  test("are looked for by their ends where the server's folder is not told", () => {
    expect(candidates("/srv/a_images.h5", { root: "~/x", path: "l.parquet" })).toEqual([
      "srv/a_images.h5",
      "a_images.h5",
    ]);
  });

  test("never lead out of the server's folder, whatever the lookup says", () => {
    const server = ServerConnection.makeSettings({ baseUrl: "http://127.0.0.1:8888/user/ada/" });
    const part = fc.oneof(fc.constantFrom("..", ".", "", "%2e%2e", "a", "?x", "#y", "http:", "C:"), fc.string());
    const named = fc.tuple(fc.array(part), fc.constantFrom("/", "\\")).map(([parts, slash]) => parts.join(slash));
    fc.assert(
      fc.property(named, (text) => {
        for (const path of candidates(text, place)) {
          const { origin, pathname, search, hash } = new URL(addressOf(server, path));
          expect(origin).toBe("http://127.0.0.1:8888");
          expect(pathname.startsWith("/user/ada/files/")).toBe(true);
          expect(search + hash).toBe("");
        }
      }),
      { numRuns: 2_000 },
    );
  });
});

test("requests say what the server wants to hear of a page of its own", () => {
  const server = (token: string) => ServerConnection.makeSettings({ baseUrl: "http://127.0.0.1:8888/", token });
  expect(headersOf(server(""), "a=b; _xsrf=2|ab|cd; c=d")).toEqual({ "x-xsrftoken": "2|ab|cd" });
  expect(headersOf(server("t"), "not_xsrf=1")).toEqual({ authorization: "token t" });
});

test("a file of whatever size the server does not know is not offered", async () => {
  const contents = (get: () => Promise<unknown>) => Object.assign(Object.create(null), { get });
  expect(
    await offerFor(
      contents(async () => ({ size: 2e9 })),
      "a",
    ),
  ).toEqual({ size: 2e9, fits: true });
  expect(
    await offerFor(
      contents(async () => ({ size: 2e9 + 1 })),
      "a",
    ),
  ).toEqual({ size: 2e9 + 1, fits: false });
  expect(
    await offerFor(
      contents(async () => ({})),
      "a",
    ),
  ).toEqual({ size: null, fits: true });
  expect(
    await offerFor(
      contents(() => Promise.reject(new Error("404"))),
      "a",
    ),
  ).toBeNull();
});
