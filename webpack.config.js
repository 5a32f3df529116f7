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

const PARQUET_WASM = "parquet-wasm/esm/parquet_wasm_bg.wasm";

/**
 * Packs the parts that do not travel with the widget as the kernel sends them, gzipped, each under a name with a hash of
 * its content, and writes the list of their names.
 */
class AssetsPlugin {
  apply(compiler) {
    compiler.hooks.afterEmit.tap("AssetsPlugin", (compilation) => {
      mkdirSync(output, { recursive: true });
      const decoder = Object.keys(compilation.assets).find((name) => /^decoder\..*\.js$/.test(name));
      const wasmBytes = readFileSync(path.join(root, "node_modules", PARQUET_WASM));
      const wasm = `parquet_wasm_bg.${createHash("sha256").update(wasmBytes).digest("hex").slice(0, 16)}.wasm`;
      pack(decoder, readFileSync(path.join(output, decoder)));
      pack(wasm, wasmBytes);
      writeFileSync(path.join(output, "assets.json"), JSON.stringify({ decoder, wasm }));
    });
  }
}

function pack(name, bytes) {
  const file = path.join(output, `${name}.gz`);
  if (!existsSync(file)) writeFileSync(file, gzipSync(bytes, { level: 9 }));
}

/**
 * @param {unknown} _
 * @param {{ mode: "development" | "production" }} options
 * @returns {import("webpack").Configuration}
 */
export default (_, { mode }) => {
  return {
    entry: { widget: "./src/widget.tsx", decoder: "./src/decode/tables.ts" },
    context: root,
    mode,
    devtool: mode === "development" ? "inline-source-map" : false,
    experiments: { outputModule: true },
    output: {
      path: output,
      filename: ({ chunk }) => (chunk.name === "widget" ? "widget.js" : "[name].[contenthash:16].js"),
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
    plugins: [new MiniCssExtractPlugin({ filename: "[name].css" }), new AssetsPlugin()],
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
