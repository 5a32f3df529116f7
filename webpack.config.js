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

/** The page without a kernel: nothing inline, so that it works under a strict content security policy. */
const page = (script, style) => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>h5explorer</title>
<link rel="stylesheet" href="${style}">
</head>
<body><div id="h5explorer"></div><script type="module" src="${script}"></script></body>
</html>
`;

/** Writes the page without a kernel, and the list of the files that it is made of. */
class PagePlugin {
  apply(compiler) {
    const { Compilation, sources } = compiler.webpack;
    compiler.hooks.thisCompilation.tap("PagePlugin", (compilation) => {
      compilation.hooks.processAssets.tap(
        { name: "PagePlugin", stage: Compilation.PROCESS_ASSETS_STAGE_REPORT },
        () => {
          const own = compilation.entrypoints.get("plain").getFiles();
          const find = (ending) => own.find((name) => name.endsWith(ending));
          const html = page(find(".js"), find(".css"));
          const beside = Object.keys(compilation.assets).filter((name) => /worker\..*\.js$|\.wasm$|\.so$/.test(name));
          compilation.emitAsset("plain.html", new sources.RawSource(html));
          compilation.emitAsset("notices.txt", new sources.RawSource(notices()));
          const files = { html: "plain.html", files: [...own, ...beside, "notices.txt"].sort() };
          compilation.emitAsset("page.json", new sources.RawSource(JSON.stringify(files)));
        },
      );
    });
  }
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

/**
 * @param {unknown} _
 * @param {{ mode: "development" | "production" }} options
 * @returns {import("webpack").Configuration}
 */
export default (_, { mode }) => {
  return {
    entry: { widget: "./src/widget.tsx", decoder: "./src/decode/tables.ts", plain: "./src/page/plain.ts" },
    context: root,
    mode,
    devtool: mode === "development" ? "inline-source-map" : false,
    experiments: { outputModule: true },
    output: {
      path: output,
      filename: ({ chunk }) => (chunk.name === "widget" ? "widget.js" : "[name].[contenthash:16].js"),
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
    plugins: [new MiniCssExtractPlugin({ filename: "[name].css" }), new AssetsPlugin(), new PagePlugin()],
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
