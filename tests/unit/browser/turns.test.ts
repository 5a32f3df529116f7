import { first, lastly } from "../../../src/browser/tables/turns";

test("what takes long goes on when nobody waits for anything", async () => {
  const done: string[] = [];
  const answers: { give?: () => void } = {};
  const asked = first(
    () =>
      new Promise<void>((resolve) => {
        answers.give = resolve;
      }),
  );
  const long = lastly(0).then(() => done.push("long"));
  await new Promise((resolve) => setTimeout(resolve, 30));
  expect(done).toEqual([]);
  answers.give?.();
  await asked;
  done.push("asked");
  await long;
  expect(done).toEqual(["asked", "long"]);
});

test("an answer that fails lets the others go on too", async () => {
  await expect(first(() => Promise.reject(new Error("no")))).rejects.toThrow("no");
  await lastly(0);
});
