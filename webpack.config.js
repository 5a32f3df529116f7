import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import CssMinimizerPlugin from "css-minimizer-webpack-plugin";
import MiniCssExtractPlugin from "mini-css-extract-plugin";
import TerserPlugin from "terser-webpack-plugin";

const root = path.dirname(fileURLToPath(import.meta.url));
const output = path.join(root, "h5explorer_py", "static");

const PAGE = "src/page/index.html";
const PARQUET_WASM = "parquet-wasm/esm/parquet_wasm_bg.wasm";

/**
 * Packs the parts that do not travel with the widget as they are sent, gzipped, each under a name with a hash of its
 * content, and writes the list of their names and the page that names them.
 */
class AssetsPlugin {
  apply(compiler) {
    compiler.hooks.afterEmit.tap("AssetsPlugin", (compilation) => {
      mkdirSync(output, { recursive: true });
      const built = (entry, kind) => {
        const name = Object.keys(compilation.assets).find(
          (each) => each.startsWith(`${entry}.`) && each.endsWith(kind),
        );
        return pack(name, readFileSync(path.join(output, name)));
      };
      const decoder = built("decoder", ".js");
      const wasm = packHashed("parquet_wasm_bg", ".wasm", path.join(root, "node_modules", PARQUET_WASM));
      writeFileSync(path.join(output, "assets.json"), JSON.stringify({ decoder, wasm }));
      const icon = packHashed("icon", ".svg", path.join(root, "style", "icon.svg"));
      const names = { decoder, wasm, icon, style: built("page", ".css"), script: built("page", ".js") };
      const markup = readFileSync(path.join(root, PAGE), "utf8");
      writeFileSync(
        path.join(output, "index.html"),
        markup.replace(/\{(\w+)\}/g, (_, name) => names[name]),
      );
    });
  }
}

function packHashed(name, kind, file) {
  const bytes = readFileSync(file);
  return pack(`${name}.${createHash("sha256").update(bytes).digest("hex").slice(0, 16)}${kind}`, bytes);
}

function pack(name, bytes) {
  const file = path.join(output, `${name}.gz`);
  if (!existsSync(file)) writeFileSync(file, gzipSync(bytes, { level: 9 }));
  return name;
}

/** What is named by its content may be kept for ever; the widget is asked for by its name. */
const named =
  (kind) =>
  ({ chunk }) =>
    chunk.name === "widget" ? `widget${kind}` : `[name].[contenthash:16]${kind}`;

/**
 * @param {unknown} _
 * @param {{ mode: "development" | "production" }} options
 * @returns {import("webpack").Configuration}
 */
export default (_, { mode }) => {
  return {
    entry: { widget: "./src/widget.tsx", page: "./src/page.tsx", decoder: "./src/decode/tables.ts" },
    context: root,
    mode,
    devtool: mode === "development" ? "inline-source-map" : false,
    experiments: { outputModule: true },
    output: {
      path: output,
      filename: named(".js"),
      library: { type: "module" },
      module: true,
      clean: { keep: /built-from|\.wasm\.gz$/ },
    },
    resolve: { extensions: [".tsx", ".ts", ".js"] },
    module: {
      // parquet-wasm names its .wasm by a URL beside itself; it is given the bytes instead.
      parser: { javascript: { url: false } },
      rules: [
        {
          test: /\.tsx?$/,
          exclude: /node_modules/,
          use: {
            loader: "swc-loader",
            options: {
              jsc: {
                parser: { syntax: "typescript", tsx: true },
                transform: { react: { runtime: "automatic", importSource: "preact" } },
                target: "es2022",
              },
            },
          },
        },
        { test: /\.css$/, use: [MiniCssExtractPlugin.loader, { loader: "css-loader", options: { url: false } }] },
      ],
    },
    plugins: [new MiniCssExtractPlugin({ filename: named(".css") }), new AssetsPlugin()],
    optimization: {
      minimizer: [
        new TerserPlugin({ extractComments: false, terserOptions: { module: true, format: { comments: false } } }),
        new CssMinimizerPlugin(),
      ],
    },
    performance: { hints: false },
    stats: "errors-warnings",
  };
};
