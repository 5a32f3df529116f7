import { render } from "preact";
import { PlainPage } from "./PlainPage";

/**
 * Mounts the page without a kernel.
 *
 * @param element - Where; it should fill the window.
 * @param patienceMs - For how long a file is waited for before it is given up, if not as long as usual.
 * @returns What takes it away again.
 */
export function mountPlain(element: HTMLElement, patienceMs?: number): () => void {
  render(<PlainPage patienceMs={patienceMs} />, element);
  return () => render(null, element);
}
