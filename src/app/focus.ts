/** What has the focus; some hosts, as marimo, put widgets into a shadow tree, which the document sees from outside. */
export function focused(): Element | null {
  let element = document.activeElement;
  for (;;) {
    const inner = element?.shadowRoot?.activeElement ?? null;
    if (inner === null) return element;
    element = inner;
  }
}
