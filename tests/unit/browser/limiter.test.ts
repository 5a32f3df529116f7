import { Limiter } from "../../../src/browser/limiter";
import { pause } from "../../../src/time";

test("only so many go on at a time, all come to an end, and one that fails makes room too", async () => {
  const limiter = new Limiter(3);
  let [now, most] = [0, 0];
  const outcomes = await Promise.allSettled(
    Array.from({ length: 20 }, (_, at) =>
      limiter.run(async () => {
        now += 1;
        most = Math.max(most, now);
        await pause(1);
        now -= 1;
        if (at % 4 === 0) throw new Error("it fails");
        return at;
      }),
    ),
  );
  expect(most).toBe(3);
  expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(15);
  expect(await limiter.run(async () => "again")).toBe("again");
});
