/** @jest-environment jsdom */
import { focused } from "../../src/app/focus";

function button(parent: Node): HTMLButtonElement {
  const made = document.createElement("button");
  parent.appendChild(made);
  return made;
}

test("what has the focus is found in the page, and in shadow trees in it", () => {
  expect(focused()).toBe(document.body);
  const plain = button(document.body);
  plain.focus();
  expect(focused()).toBe(plain);
  const outer = document.body.appendChild(document.createElement("div")).attachShadow({ mode: "open" });
  const between = outer.appendChild(document.createElement("div"));
  const shadowed = button(outer);
  shadowed.focus();
  expect(document.activeElement).toBe(outer.host);
  expect(focused()).toBe(shadowed);
  const inner = button(between.attachShadow({ mode: "open" }));
  inner.focus();
  expect(focused()).toBe(inner);
});
