/** What a tab says to its kernel in Python, and what that answers. */

import { version } from "../../package.json";
import { isFields } from "../fields";

/** The version of what is asked and answered here: the twin of the one in `h5explorer_py/lab.py`. */
export const VERSION = 1;

/** What a file is opened by, and how: what `open_tab` takes. */
export type Wish = Readonly<Record<string, unknown>>;

/** What became of opening a file. */
export type Opening =
  | { readonly kind: "opened"; readonly model: string }
  | { readonly kind: "absent"; readonly python: string }
  | { readonly kind: "foreign"; readonly message: string; readonly action: string }
  | { readonly kind: "refused"; readonly message: string; readonly action: string };

/**
 * The expressions that open a file, for a kernel to evaluate.
 *
 * @param wish - Goes as data, whatever signs a file's name has: as JSON within a Python text.
 */
export function openingExpressions(wish: Wish): Record<"python" | "tab", string> {
  const request = { ...wish, version: VERSION };
  return {
    python: "__import__('IPython.display', fromlist=['JSON']).JSON({'path': __import__('sys').executable})",
    tab: `__import__('h5explorer_py.lab', fromlist=['open_tab']).open_tab(${literal(request)})`,
  };
}

/** JSON as the literal of a Python text: ASCII alone, so that no sign of it means anything to Python. */
export function literal(value: unknown): string {
  const json = JSON.stringify(value).replace(
    /[^ -~]/g,
    (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  return JSON.stringify(json);
}

/** Reads what a kernel answers. */
export function readOpening(expressions: unknown): Opening {
  const { python, tab } = isFields(expressions) ? expressions : {};
  if (!isFields(tab)) return refused("The kernel did not answer what it was asked.", "Try again.");
  if (tab.status !== "ok") {
    const [name, text] = [String(tab.ename ?? "Error"), String(tab.evalue ?? "")];
    if (name === "ModuleNotFoundError" && text.includes("h5explorer_py")) {
      return { kind: "absent", python: String(jsonOf(python)?.path ?? "python") };
    }
    return refused(`${name}: ${text}`, "");
  }
  const told = jsonOf(tab);
  if (told !== null && told.version !== VERSION) return otherVersion(String(told.package ?? ""));
  if (typeof told?.model === "string") return { kind: "opened", model: told.model };
  const error = isFields(told?.error) ? told.error : {};
  return refused(String(error.message ?? "The kernel's answer cannot be understood."), String(error.action ?? ""));
}

function refused(message: string, action: string): Opening {
  return { kind: "refused", message, action };
}

function otherVersion(kernels: string): Opening {
  const theirs = kernels || "another version";
  return {
    kind: "foreign",
    message: `JupyterLab's extension is of h5explorer ${version}, the kernel's package of ${theirs}: they do not understand each other.`,
    action:
      "Install the same version in both environments, and reload the page. In a notebook, Explorer(...) works as it is.",
  };
}

function jsonOf(expression: unknown): Readonly<Record<string, unknown>> | null {
  const data = isFields(expression) ? expression.data : null;
  const json = isFields(data) ? data["application/json"] : null;
  return isFields(json) ? json : null;
}

/** The command that gives a kernel the package. */
export function installCommand(python: string): string {
  const quoted = /^[\w@%+=:,./-]+$/.test(python) ? python : `'${python.replaceAll("'", "'\\''")}'`;
  return `${quoted} -m pip install h5explorer`;
}
