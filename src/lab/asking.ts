/** What a tab asks of its kernel, and what it says of the answer. */

import type { Kernel } from "@jupyterlab/services";
import { installCommand, type Opening, openingExpressions, readOpening, type Wish } from "./python";

/** What a kernel answers that cannot open any file. */
export type Useless = Extract<Opening, { readonly kind: "absent" | "foreign" }>;

/** What is said of a kernel that cannot open a file. */
export function sentencesFor(kernel: string, opening: Useless) {
  if (opening.kind === "foreign") return { title: opening.message, text: opening.action };
  const [title, text] = [`The kernel ${kernel} has no h5explorer`, "This command, in a terminal, installs it:"];
  return { title, text, command: installCommand(opening.python) };
}

/** Asks a kernel to open a file. */
export async function ask(kernel: Kernel.IKernelConnection, wish: Wish): Promise<Opening> {
  const asking = kernel.requestExecute({
    code: "",
    silent: true,
    store_history: false,
    allow_stdin: false,
    user_expressions: openingExpressions(wish),
  });
  const { content } = await asking.done;
  return readOpening(content.status === "ok" ? content.user_expressions : null);
}
