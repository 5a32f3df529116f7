/** Which kernels a tab may run in. */

import { isFields } from "../fields";

/** A kernel that can be started, and how it is shown. */
export interface KernelChoice {
  readonly name: string;
  readonly label: string;
}

/** What the server says of its kernels. */
interface Specs {
  readonly default: string;
  readonly kernelspecs: Readonly<Record<string, unknown>>;
}

/**
 * The kernels of Python: those preferred, the server's own choice, then the rest by their labels.
 *
 * @param preferred - Names of kernels, the first before the others; those that are not there are left out.
 */
export function pythonKernels(specs: Specs | null, preferred: readonly string[] = []): readonly KernelChoice[] {
  if (specs === null) return [];
  const choices = Object.entries(specs.kernelspecs).flatMap(([name, spec]) => {
    if (!isFields(spec) || String(spec.language).toLowerCase() !== "python") return [];
    return [{ name, label: typeof spec.display_name === "string" ? spec.display_name : name }];
  });
  const first = [...preferred, specs.default];
  const rank = ({ name }: KernelChoice) => (first.includes(name) ? first.indexOf(name) : first.length);
  return choices.sort((a, b) => rank(a) - rank(b) || a.label.localeCompare(b.label));
}
