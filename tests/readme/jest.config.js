import { jestProject } from "../support/jestProject.js";

export default jestProject("readme", { testMatch: ["<rootDir>/tests/readme/**/*.picture.ts"] });
