/** Who goes first in the worker: what a person waits for, before what goes through a whole lookup. */

/** How long what can wait does so while others are at it, in milliseconds, before it looks again. */
const WAIT_MS = 4;

/** After an answer the page often asks for more: for so many milliseconds nothing long is begun. */
const REST_MS = 30;

const state = { first: 0, last: Number.NEGATIVE_INFINITY };

/** Does what a person waits for. */
export async function first<Result>(act: () => Promise<Result>): Promise<Result> {
  state.first += 1;
  try {
    return await act();
  } finally {
    state.first -= 1;
    state.last = performance.now();
  }
}

/**
 * Lets everybody else go first: called now and then by what takes long.
 *
 * @param rest - For how many milliseconds nobody has waited for anything by then.
 */
export async function lastly(rest = REST_MS): Promise<void> {
  await nextMessage(); // what has been asked meanwhile is heard
  while (state.first > 0 || performance.now() < state.last + rest) {
    await new Promise((resolve) => setTimeout(resolve, WAIT_MS));
  }
}

/** Waits behind the messages that have arrived; timers would wait for some milliseconds more. */
function nextMessage(): Promise<void> {
  const { port1, port2 } = new MessageChannel();
  return new Promise((resolve) => {
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}
