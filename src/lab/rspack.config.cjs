// What the builder of JupyterLab's extensions needs to know beside package.json.

const swc = {
  jsc: {
    parser: { syntax: "typescript", tsx: true },
    transform: { react: { runtime: "automatic", importSource: "preact" } },
    target: "es2022",
  },
};

module.exports = {
  resolve: { extensions: [".tsx", ".ts", ".js"] },
  output: {
    // Named by their content, as JupyterLab lets browsers keep them; the decoder as the widget asks for it.
    assetModuleFilename: "[name].[contenthash:16][ext]",
    hashFunction: "sha256",
  },
  optimization: { splitChunks: false }, // a worker is one file
  module: {
    // parquet-wasm names its .wasm by a URL beside itself; its workers name it by an import.
    parser: { javascript: { url: false } },
    rules: [
      { test: /\.tsx?$/, exclude: /node_modules/, loader: "builtin:swc-loader", options: swc, type: "javascript/auto" },
      { test: /\.(wasm|so)$/, type: "asset/resource" },
    ],
  },
};
