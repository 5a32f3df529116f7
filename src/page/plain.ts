/** The entry of a page that has no server beside it but one for its files. */

import { mountPlain } from "./mountPlain";

const place = document.getElementById("h5explorer");
if (place !== null) mountPlain(place);
