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
 * content, and writes the list of their names, and the page with the list of the files that it is made of.
 */
class AssetsPlugin {
  apply(compiler) {
    compiler.hooks.afterEmit.tap("AssetsPlugin", (compilation) => {
      mkdirSync(output, { recursive: true });
      const all = Object.keys(compilation.assets);
      const built = (entry, kind) => packBuilt(all.find((each) => each.startsWith(`${entry}.`) && each.endsWith(kind)));
      const decoder = built("decoder", ".js");
      const wasm = packHashed("parquet_wasm_bg", ".wasm", path.join(root, "node_modules", PARQUET_WASM));
      writeFileSync(path.join(output, "assets.json"), JSON.stringify({ decoder, wasm }));
      const icon = packHashed("icon", ".svg", path.join(root, "style", "icon.svg"));
      const names = { decoder, wasm, icon, style: built("page", ".css"), script: built("page", ".js") };
      const beside = all.filter((name) => /worker\..*\.js$|\.wasm$|\.so$/.test(name)).map(packBuilt);
      const markup = readFileSync(path.join(root, PAGE), "utf8");
      writeFileSync(
        path.join(output, "index.html"),
        markup.replace(/\{(\w+)\}/g, (_, name) => names[name]),
      );
      writeFileSync(path.join(output, "notices.txt"), notices());
      const files = [...new Set([...Object.values(names), ...beside])].sort();
      writeFileSync(path.join(output, "page.json"), JSON.stringify({ files: [...files, "notices.txt"] }));
    });
  }
}

function packBuilt(name) {
  return pack(name, readFileSync(path.join(output, name)));
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

/** What the licences of the packages within the page want to be told with it. */
function notices() {
  const licences = {
    h5wasm: "LICENSE.txt",
    "h5wasm-plugins": "COPYING",
    "parquet-wasm": "LICENSE_MIT",
    "apache-arrow": "LICENSE.txt",
    preact: "LICENSE",
    "@preact/signals": "LICENSE",
  };
  const texts = Object.entries(licences).map(([name, file]) => {
    const text = readFileSync(path.join(root, "node_modules", name, file), "utf8");
    return `${name}\n${"=".repeat(name.length)}\n\n${text.trim()}\n`;
  });
  return `This page contains the following packages.\n\n${texts.join("\n\n")}`;
}

/** What is named by its content may be kept for ever; what is asked for by its name has none. */
const named =
  (kind) =>
  ({ chunk }) =>
    chunk.name === "widget" || chunk.name === "share" ? `${chunk.name}${kind}` : `[name].[contenthash:16]${kind}`;

/**
 * @param {unknown} _
 * @param {{ mode: "development" | "production" }} options
 * @returns {import("webpack").Configuration}
 */
export default (_, { mode }) => {
  return {
    entry: {
      widget: "./src/widget.tsx",
      page: "./src/page.tsx",
      share: "./src/share.tsx",
      decoder: "./src/decode/tables.ts",
    },
    context: root,
    mode,
    devtool: mode === "development" ? "inline-source-map" : false,
    experiments: { outputModule: true },
    output: {
      path: output,
      filename: named(".js"),
      chunkFilename: "[name].[contenthash:16].js",
      assetModuleFilename: "[name].[contenthash:16][ext]",
      hashFunction: "sha256",
      publicPath: "auto",
      trustedTypes: true,
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
        { test: /\.(wasm|so)$/, type: "asset/resource" },
        { test: /\.css$/, use: [MiniCssExtractPlugin.loader, { loader: "css-loader", options: { url: false } }] },
      ],
    },
    plugins: [new MiniCssExtractPlugin({ filename: named(".css") }), new AssetsPlugin()],
    optimization: {
      splitChunks: false, // a worker is one file
      minimizer: [
        new TerserPlugin({ extractComments: false, terserOptions: { module: true, format: { comments: false } } }),
        new CssMinimizerPlugin(),
      ],
    },
    performance: { hints: false },
    stats: "errors-warnings",
  };
};
