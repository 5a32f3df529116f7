import { SUBSHELL_PATIENCE_MS, subshellKnown } from "../../src/channel/subshell";

/** What the wait looks at in JupyterLab: a manager whose models have a comm. */
function host(comm: object, supportsSubshells = true) {
  const asked: string[] = [];
  const manager = {
    kernel: { supportsSubshells },
    get_model: (id: string) => {
      asked.push(id);
      return Promise.resolve({ comm: { jsServicesComm: comm } });
    },
  };
  return { manager, asked };
}

beforeEach(() => jest.useFakeTimers());
afterEach(() => jest.useRealTimers());

/** Whether a wait is over so many milliseconds later. */
async function overAfter(waiting: Promise<void>, ms: number): Promise<boolean> {
  let over = false;
  void waiting.then(() => {
    over = true;
  });
  await jest.advanceTimersByTimeAsync(ms);
  return over;
}

test("messages wait until JupyterLab knows the subshell's name", async () => {
  const comm: { subshellId: string | null } = { subshellId: null };
  const { manager, asked } = host(comm);
  const waiting = subshellKnown(manager, "shared");
  expect(await overAfter(waiting, 500)).toBe(false);
  comm.subshellId = "its name";
  expect(await overAfter(waiting, 20)).toBe(true);
  expect(asked).toEqual(["shared"]);
});

test("a name that never comes is not waited for without end", async () => {
  const waiting = subshellKnown(host({ subshellId: null }).manager, "shared");
  expect(await overAfter(waiting, SUBSHELL_PATIENCE_MS - 100)).toBe(false);
  expect(await overAfter(waiting, 200)).toBe(true);
});

test.each([
  ["the name is known", host({ subshellId: "its name" })],
  ["a person has switched subshells off", host({ subshellId: null, commsOverSubshells: "disabled" })],
  ["JupyterLab is older than subshells", host({})],
  ["the kernel makes none", host({ subshellId: null }, false)],
])("nothing waits where %s", async (_, { manager }) => {
  expect(await overAfter(subshellKnown(manager, "shared"), 0)).toBe(true);
});

test("nothing waits, and no model is asked for, in a host that does not show its kernel", async () => {
  const manager = { get_model: () => Promise.reject(new Error("asked")) };
  expect(await overAfter(subshellKnown(manager, "shared"), 0)).toBe(true);
});

test("a model that the host does not give is done without", async () => {
  const refusing = { kernel: { supportsSubshells: true }, get_model: () => Promise.reject(new Error("not found")) };
  expect(await overAfter(subshellKnown(refusing, "shared"), 0)).toBe(true);
});
