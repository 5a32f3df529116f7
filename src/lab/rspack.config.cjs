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
  module: {
    rules: [
      { test: /\.tsx?$/, exclude: /node_modules/, loader: "builtin:swc-loader", options: swc, type: "javascript/auto" },
    ],
  },
};
