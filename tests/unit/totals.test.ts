import { filepathsText, recordsText } from "../../src/contents/totals";

const all = { records: 1000, total: 1000, filter: "", counting: false };

test("the rows that are shown are counted, of all where a filter keeps some", () => {
  expect(recordsText(all)).toBe("1,000 records");
  expect(recordsText({ ...all, records: 1, total: 1 })).toBe("1 record");
  expect(recordsText({ ...all, records: 0, total: 0 })).toBe("0 records");
  expect(recordsText({ ...all, records: 20, filter: "size > 3" })).toBe("20 of 1,000 records");
  expect(recordsText({ ...all, filter: "size > 3" })).toBe("1,000 of 1,000 records");
  expect(recordsText({ ...all, records: 0, total: 1, filter: "size > 3" })).toBe("0 of 1 record");
});

test("rows that are still being counted are so many so far", () => {
  expect(recordsText({ ...all, counting: true })).toBe("1,000 records so far, counting…");
});

test("files are counted", () => {
  expect(filepathsText(null)).toBe("counting files…");
  expect(filepathsText(0)).toBe("0 unique filepaths");
  expect(filepathsText(1)).toBe("1 unique filepath");
  expect(filepathsText(2500)).toBe("2,500 unique filepaths");
});
