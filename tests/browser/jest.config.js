import { jestProject } from "../support/jestProject.js";

export default jestProject("browser", { globalSetup: "<rootDir>/tests/browser/setup.ts" });
