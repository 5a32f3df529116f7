/** Builds the page of the browser tests, once for all of them. */

import path from "node:path";
import MiniCssExtractPlugin from "mini-css-extract-plugin";
import webpack from "webpack";
import makeConfig from "../../webpack.config.js";

const root = path.resolve(__dirname, "../..");

export default async function setup(): Promise<void> {
  const config = makeConfig({}, { mode: "development" });
  const page: webpack.Configuration = {
    ...config,
    devtool: false,
    entry: {
      page: "./tests/browser/page/page.tsx",
      parts: "./tests/browser/page/parts.ts",
      plain: "./tests/browser/page/plain.ts",
    },
    output: {
      path: path.join(root, ".cache", "browser"),
      filename: "[name].js",
      assetModuleFilename: "[name][ext]",
      trustedTypes: true,
    },
    experiments: {},
    plugins: [new MiniCssExtractPlugin({ filename: "[name].css" })],
  };
  const compiler = webpack(page);
  const stats = await new Promise<webpack.Stats>((resolve, reject) =>
    compiler.run((error, done) => (done === undefined ? reject(error) : resolve(done))),
  );
  if (stats.hasErrors()) throw new Error(stats.toString("errors-only"));
}
