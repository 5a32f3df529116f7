/** Takes the README's picture: the real widget in a real JupyterLab, on the data set that `npm run demo` makes. */

import { cpSync, existsSync, mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { Explorer } from "../browser/kit";
import { openTab, startBrowser } from "../support/chromium";
import { Notebook, startLab, writeNotebook } from "../support/lab";
import { root, runModule } from "../support/python";

jest.setTimeout(180_000);

const SHOWN_ROW = 58;
const shots = path.join(root, ".cache", "pictures");

test("the README's picture, and the same in other lights and widths to look at", async () => {
  const data = path.join(root, "demo-data");
  if (!existsSync(path.join(data, "lookup.csv"))) runModule("h5explorer_py", "demo", data);
  mkdirSync(shots, { recursive: true });
  const [browser, lab] = await Promise.all([startBrowser(), startLab(path.join(tmpdir(), "photographs"))]);
  try {
    cpSync(data, lab.folder, { recursive: true });
    const file = writeNotebook(lab.folder, "explore.ipynb", [
      'from h5explorer_py import Explorer\n\nExplorer("lookup.parquet")',
    ]);
    const { page } = await openTab(browser, { viewport: { width: 1380, height: 800 }, deviceScaleFactor: 1.5 });
    const notebook = await Notebook.open(page, lab.base, file, `?token=${lab.token}&workspace=auto-readme&reset`);
    await page.keyboard.press("Control+B"); // without the side bar
    await notebook.run(0);
    const explorer = new Explorer(page, notebook.explorers(0).first(), 0);
    const choose = async (row: number) => {
      await explorer.search.fill(String(row));
      await explorer.search.press("Enter");
      await explorer.table.waitFor();
      await page.waitForTimeout(1_000);
    };
    await explorer.row(2).waitFor();
    await choose(SHOWN_ROW);
    await page.mouse.move(5, 400);
    await explorer.search.blur();
    const shoot = (name: string) => explorer.root.screenshot({ path: path.join(shots, `${name}.png`) });
    await page
      .locator(".jp-Notebook-cell")
      .first()
      .screenshot({
        path: path.join(root, "style", "explorer.jpg"),
        type: "jpeg",
        quality: 88,
      });
    await shoot("light");
    await notebook.menu("Settings", "Theme", "JupyterLab Dark");
    await page.waitForTimeout(1_500);
    await shoot("dark");
    await page.setViewportSize({ width: 620, height: 1400 });
    await page.waitForTimeout(1_000);
    await shoot("dark-narrow");
    await notebook.menu("Settings", "Theme", "JupyterLab Light");
    await page.waitForTimeout(1_500);
    await shoot("light-narrow");
  } finally {
    await browser.close();
    await lab.running.end();
  }
});
