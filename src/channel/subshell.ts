/**
 * The part of the kernel that answers while a cell runs.
 *
 * JupyterLab has the kernel make one, a subshell, when it hears of the first widget, and sends the widgets' messages
 * there as soon as it knows its name. What a widget sends before goes to where the cells run, and waits for them.
 */

import { isFields } from "../fields";
import { inTime } from "../time";

/** What has a kernel's models. */
interface Models {
  get_model(id: string): Promise<unknown>;
}

/** For how many milliseconds the name is waited for. */
export const SUBSHELL_PATIENCE_MS = 2_000;

const LOOK_EVERY_MS = 10;

/**
 * Waits until JupyterLab knows where to send a model's messages; not at all where there are no subshells.
 *
 * All widgets of a kernel share one subshell, so that what holds for one of their models holds for all.
 *
 * @param manager - What has the model.
 * @param id - The model's name.
 */
export async function subshellKnown(manager: Models, id: string): Promise<void> {
  if (!makesSubshells(manager)) return;
  const end = Date.now() + SUBSHELL_PATIENCE_MS;
  const model = await inTime(manager.get_model(id), SUBSHELL_PATIENCE_MS);
  while (isComing(model) && Date.now() < end) await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
}

function makesSubshells(manager: unknown): boolean {
  return isFields(manager) && isFields(manager.kernel) && manager.kernel.supportsSubshells === true;
}

/** Whether the name is not known yet; as JupyterLab's own comm, which its widget manager wraps, tells. */
function isComing(model: unknown): boolean {
  const wrapped = isFields(model) && isFields(model.comm) ? model.comm.jsServicesComm : null;
  return isFields(wrapped) && wrapped.subshellId === null && wrapped.commsOverSubshells !== "disabled";
}
