import { LabIcon } from "@jupyterlab/ui-components";

/** Three panels, the middle one with a picture. */
const SVG = `<svg xmlns="http://www.w3.org/2000/svg" width="16" height="16" viewBox="0 0 16 16">
<g fill="none">
<path class="jp-icon3 jp-icon-selectable" stroke="#616161" d="M1.5 2.5h13v11h-13zM5.5 2.5v11M11.5 2.5v11M3 5.5h1M3 8h1M3 10.5h1M12.5 5.5h1M12.5 8h1"/>
</g>
<path class="jp-icon3 jp-icon-selectable" fill="#616161" d="M6.3 11.5 8 7.8l1 1.8.5-.7 1.2 2.6z"/>
<circle class="jp-icon3 jp-icon-selectable" fill="#616161" cx="9.5" cy="5.7" r="1"/>
</svg>`;

export const explorerIcon = new LabIcon({ name: "h5explorer:icon", svgstr: SVG });
