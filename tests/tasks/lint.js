// `npm run lint`: types, lint and format, in both languages; changes nothing.

import { runChecks } from "./checks.js";
import { setup } from "./setup.js";

setup();
process.exitCode = runChecks().failed === 0 ? 0 : 1;
