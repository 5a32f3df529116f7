/** What the keys do in the picture, as a pure function. */

/** One thing that a key does. */
export type KeyAct =
  | { readonly kind: "zoom"; readonly factor: number }
  | { readonly kind: "fit" }
  | { readonly kind: "actual" }
  | { readonly kind: "pan"; readonly x: number; readonly y: number }
  | { readonly kind: "go"; readonly rows: number };

const ZOOM = 1.25;
const PAN = 64;

/**
 * What a key does.
 *
 * @param canPan - Whether the picture is larger than the panel: then arrows move it, else they go to other rows.
 */
export function keyAct(
  event: Pick<KeyboardEvent, "key" | "ctrlKey" | "metaKey" | "altKey">,
  canPan: boolean,
): KeyAct | null {
  if (event.ctrlKey || event.metaKey || event.altKey) return null;
  switch (event.key) {
    case "+":
    case "=":
      return { kind: "zoom", factor: ZOOM };
    case "-":
    case "_":
      return { kind: "zoom", factor: 1 / ZOOM };
    case "0":
      return { kind: "fit" };
    case "1":
      return { kind: "actual" };
    case "PageDown":
      return { kind: "go", rows: 1 };
    case "PageUp":
      return { kind: "go", rows: -1 };
    case "ArrowLeft":
      return canPan ? { kind: "pan", x: PAN, y: 0 } : { kind: "go", rows: -1 };
    case "ArrowRight":
      return canPan ? { kind: "pan", x: -PAN, y: 0 } : { kind: "go", rows: 1 };
    case "ArrowUp":
      return canPan ? { kind: "pan", x: 0, y: PAN } : { kind: "go", rows: -1 };
    case "ArrowDown":
      return canPan ? { kind: "pan", x: 0, y: -PAN } : { kind: "go", rows: 1 };
    default:
      return null;
  }
}
