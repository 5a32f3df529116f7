import { jestProject } from "../support/jestProject.js";

export default jestProject("bench", { testMatch: ["<rootDir>/tests/bench/**/*.bench.ts"] });
