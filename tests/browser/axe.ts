/** What axe finds wrong with a page. */

import { readFileSync } from "node:fs";
import path from "node:path";
import type { AxeResults } from "axe-core";
import type { Page } from "playwright-core";
import { root } from "../support/python";

const axe = readFileSync(path.join(root, "node_modules/axe-core/axe.min.js"), "utf8");

/** What is wrong, all its rules on. */
export async function violations(page: Page): Promise<readonly string[]> {
  await page.evaluate(axe);
  const results: AxeResults = await page.evaluate("axe.run(document, { resultTypes: ['violations'] })");
  return results.violations.map(
    (each) => `${each.id}: ${each.help} (${each.nodes.map((node) => node.html.slice(0, 120)).join(" | ")})`,
  );
}
