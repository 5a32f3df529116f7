import { jestProject } from "../support/jestProject.js";

export default jestProject("contract");
