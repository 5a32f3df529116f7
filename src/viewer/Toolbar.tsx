import { useEffect, useRef, useState } from "preact/hooks";
import { CopyButton } from "../app/CopyButton";
import { fileName, saveBytes } from "../app/clipboard";
import { Icon, type IconName } from "../app/icons";
import type { ExplorerError } from "../errors";
import { asExplorerError, isCancelled } from "../errors";
import type { ExplorerState } from "../state/explorer";
import type { Placement } from "./usePlacement";

const ZOOM = 1.25;

/** What can be done with the picture: its uuid copied, its size changed, its bytes saved. */
export function Toolbar({
  state,
  uuid,
  percent,
  placed,
  onProblem,
}: {
  readonly state: ExplorerState;
  /** The uuid of the row that is chosen, as far as it is known. */
  readonly uuid: string | null;
  /** How large the picture is shown, in percent; `null` where none is. */
  readonly percent: number | null;
  readonly placed: Placement;
  readonly onProblem: (error: ExplorerError | null) => void;
}) {
  const none = percent === null;
  return (
    <div class="h5x-toolbar">
      <div class="h5x-key">
        <span class="h5x-uuid" title={uuid ?? undefined}>
          {uuid}
        </span>
        {uuid !== null && <CopyButton text={uuid} what="uuid" />}
      </div>
      <div class="h5x-button-group" role="group" aria-label="Size">
        <Tool
          icon="fit"
          label="Fit to the panel"
          pressed={!none && placed.zoom.kind === "fit"}
          disabled={none}
          onClick={placed.fit}
        />
        <button
          type="button"
          class="h5x-icon-button h5x-one-to-one"
          aria-label="1:1, a pixel of the picture on a pixel of the screen"
          title="1:1 (key 1)"
          aria-pressed={!none && placed.zoom.kind === "scale" && placed.zoom.scale === 1}
          disabled={none}
          onClick={placed.actual}
        >
          1:1
        </button>
        <Tool icon="minus" label="Smaller" disabled={none} onClick={() => placed.zoomBy(1 / ZOOM)} />
        <span class="h5x-percent" aria-hidden="true">
          {none ? "" : `${percent}%`}
        </span>
        <Tool icon="plus" label="Larger" disabled={none} onClick={() => placed.zoomBy(ZOOM)} />
      </div>
      <SaveButton state={state} onProblem={onProblem} />
    </div>
  );
}

function Tool({
  icon,
  label,
  pressed,
  disabled,
  onClick,
}: {
  readonly icon: IconName;
  readonly label: string;
  readonly pressed?: boolean;
  readonly disabled: boolean;
  readonly onClick: () => void;
}) {
  return (
    <button
      type="button"
      class="h5x-icon-button"
      aria-label={label}
      title={label}
      aria-pressed={pressed}
      disabled={disabled}
      onClick={onClick}
    >
      <Icon name={icon} />
    </button>
  );
}

function SaveButton({
  state,
  onProblem,
}: {
  readonly state: ExplorerState;
  readonly onProblem: (error: ExplorerError | null) => void;
}) {
  const [saving, setSaving] = useState(false);
  const running = useRef<AbortController | null>(null);
  const row = state.current.value;
  useEffect(() => () => running.current?.abort(), []);

  async function save(): Promise<void> {
    if (row === null || saving) return;
    const control = new AbortController();
    running.current = control;
    setSaving(true);
    onProblem(null);
    try {
      const image = await state.original(row, control.signal);
      saveBytes(image.bytes, image.mediaType, fileName(image.key, image.format));
    } catch (error) {
      if (!isCancelled(error)) onProblem(asExplorerError(error));
    } finally {
      setSaving(false);
    }
  }

  return (
    <button
      type="button"
      class="h5x-icon-button"
      aria-label="Save the original bytes"
      title="Save the original bytes"
      disabled={row === null}
      aria-disabled={saving}
      onClick={() => void save()}
    >
      <Icon name="save" />
    </button>
  );
}
