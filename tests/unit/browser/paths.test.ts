import fc from "fast-check";
import { addressesOf, byNumber, PathIndex, shardFiles } from "../../../src/browser/paths";

test.each([
  ["data/shard_007", "data/shard_007_images.h5", "data/shard_007_metadata.parquet"],
  ["data/shard_007_images.h5", "data/shard_007_images.h5", "data/shard_007_metadata.parquet"],
  ["data/shard_007_metadata.parquet", "data/shard_007_images.h5", "data/shard_007_metadata.parquet"],
  ["a.hdf5", "a.hdf5", "a_metadata.parquet"],
  ["v1.2", "v1.2_images.h5", "v1.2_metadata.parquet"],
])("the filepath %s names %s and %s", (filepath, images, metadata) => {
  expect(shardFiles(filepath)).toEqual({ images, metadata });
});

describe("dropped files are found by the end of their paths", () => {
  const index = new PathIndex<string>();
  for (const path of ["set/a/one.h5", "set/b/one.h5", "set/two.h5", "deep/er/two.h5x"]) index.add(path, path);

  test.each([
    ["/home/someone/elsewhere/two.h5", "set/two.h5"],
    ["two.h5", "set/two.h5"],
    ["./set/../set/two.h5", "set/two.h5"],
    ["C:\\data\\b\\one.h5", "set/b/one.h5"],
    ["a/one.h5", "set/a/one.h5"],
    ["one.h5", "ambiguous"],
    ["c/one.h5", null],
    ["/c/one.h5", "ambiguous"],
    ["c/two.h5", null],
    ["three.h5", null],
    ["", null],
  ])("%s", (wanted, found) => {
    expect(index.find(wanted)).toBe(found);
  });

  test("no file stands for two of another machine", () => {
    const flat = new PathIndex<string>();
    flat.add("set/b/shard_0.h5", "b");
    expect(flat.find("/old/a/shard_0.h5")).toBe("b");
    expect(flat.find("/old/a/shard_0.h5")).toBe("b");
    expect(flat.find("/old/c/shard_0.h5")).toBe("ambiguous");
    expect(flat.find("a/shard_0.h5")).toBe(null);
    expect(flat.find("b/shard_0.h5")).toBe("b");
  });

  test("a file without a folder is taken for one in a folder", () => {
    const flat = new PathIndex<string>();
    flat.add("shard_0.h5", "dropped");
    expect(flat.find("a/shard_0.h5")).toBe("dropped");
    expect(flat.find("b/shard_0.h5")).toBe("ambiguous");
  });

  test("of files that end alike the one with exactly that path is meant", () => {
    const nested = new PathIndex<string>();
    for (const path of ["one.h5", "a/one.h5"]) nested.add(path, path);
    expect(nested.find("one.h5")).toBe("one.h5");
    expect(nested.find("a/one.h5")).toBe("a/one.h5");
  });
});

test("no filepath leads to another host than the lookup's", () => {
  const lookup = "https://data.example/set/lookup.parquet?v=1";
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: "binary" }), fc.webUrl(), fc.constant("//evil.example/x")), (path) => {
      for (const address of addressesOf(path, lookup)) expect(new URL(address).origin).toBe("https://data.example");
    }),
  );
});

test("a relative path starts from the lookup's folder, an absolute one is looked for by its end", () => {
  const lookup = "https://data.example/set/lookup.parquet";
  expect(addressesOf("a b/x_images.h5", lookup)).toEqual(["https://data.example/set/a%20b/x_images.h5"]);
  expect(addressesOf("../x.h5", lookup)).toEqual(["https://data.example/x.h5"]);
  expect(addressesOf("/old/place/x.h5", lookup)).toEqual([
    "https://data.example/set/old/place/x.h5",
    "https://data.example/set/place/x.h5",
    "https://data.example/set/x.h5",
  ]);
});

test("numbers in names sort as numbers", () => {
  expect(["s_10", "s_9", "s_1"].sort(byNumber)).toEqual(["s_1", "s_9", "s_10"]);
});
