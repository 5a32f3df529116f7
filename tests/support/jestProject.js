// What jest needs to know of every kind of test; each kind's folder says the rest.

import path from "node:path";
import { fileURLToPath } from "node:url";

const rootDir = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../..");

const swc = {
  jsc: {
    parser: { syntax: "typescript", tsx: true },
    transform: { react: { runtime: "automatic", importSource: "preact" } },
    target: "es2022",
  },
  module: { type: "commonjs" },
};

/** The settings of the tests in `tests/<name>`. */
export function jestProject(name, more = {}) {
  return {
    displayName: name,
    rootDir,
    testMatch: [`<rootDir>/tests/${name}/**/*.test.ts`],
    transform: { "^.+\\.m?[jt]sx?$": ["@swc/jest", swc] },
    transformIgnorePatterns: ["/node_modules/(?!(parquet-wasm|preact|@preact)/)"], // these are ES modules alone
    moduleNameMapper: { "\\.css$": "<rootDir>/tests/unit/noStyle.ts" },
    modulePathIgnorePatterns: ["<rootDir>/\\.venv", "<rootDir>/\\.cache", "<rootDir>/h5explorer_py/labextension"],
    watchPathIgnorePatterns: ["<rootDir>/\\.venv"],
    ...more,
  };
}
