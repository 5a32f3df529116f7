import { splitPath } from "../text";

/** A path whose folder is cut where room is short, but never its name; the whole of it can be hovered and copied. */
export function PathText({ path }: { readonly path: string }) {
  const { folder, name } = splitPath(path);
  return (
    <span class="h5x-path" title={path}>
      <span class="h5x-path-folder">{folder}</span>
      <span class="h5x-path-name">{name}</span>
    </span>
  );
}
