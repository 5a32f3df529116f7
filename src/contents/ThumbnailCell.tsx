import { useLayoutEffect, useRef } from "preact/hooks";
import { Icon } from "../app/icons";
import { MiddleCut } from "../app/MiddleCut";
import { ExplorerError } from "../errors";
import type { ListedRow } from "../state/rows";
import type { Thumbnail } from "../state/thumbnails";
import { countText } from "../text";
import type { GridLayout } from "./gridLayout";
import { actOnHold } from "./holding";

/** From this side on, in CSS pixels, there is room for a uuid beside the number. */
const NAMED_FROM = 144;

/** How many characters at the end of a uuid are always seen. */
const TAIL = 5;

/** One thumbnail with its number. */
export function ThumbnailCell({
  id,
  row,
  column,
  layout,
  listed,
  thumbnail,
  selected,
  current,
  onChoose,
  onHold,
}: {
  readonly id: string;
  readonly row: number;
  readonly column: number;
  readonly layout: GridLayout;
  readonly listed: ListedRow | null;
  readonly thumbnail: Thumbnail | ExplorerError | null;
  readonly selected: boolean;
  readonly current: boolean;
  readonly onChoose: (event: MouseEvent) => void;
  readonly onHold: () => void;
}) {
  const { side, cellWidth } = layout;
  const uuid = listed?.uuid ?? null;
  return (
    <div
      id={id}
      class={`h5x-thumbnail-cell${selected ? " h5x-selected" : ""}${current ? " h5x-current" : ""}`}
      role="gridcell"
      aria-colindex={column + 1}
      aria-selected={selected}
      aria-busy={thumbnail === null}
      title={uuid ?? undefined}
      style={{ left: `${column * cellWidth}px`, width: `${cellWidth}px` }}
      onClick={onChoose}
      onPointerDown={(event) => actOnHold(event, onHold)}
    >
      <div class="h5x-thumbnail" style={{ height: `${side}px`, width: `${side}px` }}>
        <Content row={row} uuid={uuid} thumbnail={thumbnail} />
      </div>
      <div class="h5x-thumbnail-caption" style={{ width: `${side}px` }}>
        <span class="h5x-row-number">{countText(row + 1)}</span>
        {side >= NAMED_FROM && uuid !== null && (
          <span class="h5x-row-uuid" aria-hidden="true">
            <MiddleCut text={uuid} tail={TAIL} />
          </span>
        )}
      </div>
    </div>
  );
}

function Content({
  row,
  uuid,
  thumbnail,
}: {
  readonly row: number;
  readonly uuid: string | null;
  readonly thumbnail: Thumbnail | ExplorerError | null;
}) {
  const name = uuid ?? `Row ${countText(row + 1)}`;
  if (thumbnail === null) {
    return (
      <>
        <span class="h5x-skeleton" aria-hidden="true" />
        <span class="h5x-hidden">{`${name}, loading`}</span>
      </>
    );
  }
  if (thumbnail instanceof ExplorerError) {
    return (
      <span class="h5x-no-thumbnail" role="img" aria-label={`${name}: ${thumbnail.message}`} title={thumbnail.message}>
        <Icon name="noPicture" />
      </span>
    );
  }
  return <ThumbnailCanvas thumbnail={thumbnail} name={name} />;
}

function ThumbnailCanvas({ thumbnail, name }: { readonly thumbnail: Thumbnail; readonly name: string }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const { bitmap } = thumbnail;
  useLayoutEffect(() => {
    if (bitmap.width === 0) return; // a closed bitmap has no width; what was drawn stays
    const context = canvas.current?.getContext("2d");
    context?.clearRect(0, 0, bitmap.width, bitmap.height);
    context?.drawImage(bitmap, 0, 0);
  }, [bitmap]);
  return <canvas ref={canvas} role="img" aria-label={name} width={thumbnail.width} height={thumbnail.height} />;
}
