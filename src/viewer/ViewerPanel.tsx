import { useCallback, useEffect, useMemo, useRef, useState } from "preact/hooks";
import { PathText } from "../app/PathText";
import { Problem } from "../app/Problem";
import { useSize } from "../app/useSize";
import type { Picture } from "../decode/picture";
import type { ExplorerError } from "../errors";
import type { ExplorerState } from "../state/explorer";
import { bytesText, countText, millisecondsText } from "../text";
import { useGestures } from "./gestures";
import { keyAct } from "./keys";
import { PictureCanvas } from "./PictureCanvas";
import { Toolbar } from "./Toolbar";
import { usePixelRatio, usePlacement } from "./usePlacement";
import "./viewer.css";
import { canPan, scaleOf } from "./view";

const TELL_LOADING_MS = 300;

/** The second panel: the picture of the current row. The one before stays until the next can be drawn. */
export function ViewerPanel({ state }: { readonly state: ExplorerState }) {
  const { wanted, value: picture, error, pending } = state.picture.value;
  const { ref, width, height } = useSize<HTMLDivElement>();
  const pixelRatio = usePixelRatio();
  const panel = useMemo(
    () => ({ width: Math.round(width * pixelRatio), height: Math.round(height * pixelRatio) }),
    [width, height, pixelRatio],
  );
  const placed = usePlacement(picture, panel);
  const [saveError, setSaveError] = useState<ExplorerError | null>(null);
  useEffect(() => setSaveError(null), [wanted]);
  useGestures(ref, placed, pixelRatio);
  const late = useLate(pending);
  const painted = useCallback((shown: Picture) => state.painted(shown), [state]);
  const movable = picture !== null && canPan(placed.zoom, picture, panel);
  return (
    <section class="h5x-panel h5x-viewer" aria-label="Image Viewer" tabIndex={-1} aria-busy={pending}>
      <Toolbar
        state={state}
        uuid={uuidOf(state, wanted, picture)}
        percent={picture === null ? null : Math.round(100 * scaleOf(placed.zoom, picture, panel))}
        placed={placed}
        onProblem={setSaveError}
      />
      {error !== null && <Problem error={error} onRetry={() => state.retryPicture()} />}
      {saveError !== null && <Problem error={saveError} />}
      <div
        ref={ref}
        class={`h5x-stage${movable ? " h5x-movable" : ""}`}
        role="group"
        aria-label="Picture: plus and minus zoom, 0 fits, 1 is one to one, arrows move it or go to the next"
        tabIndex={0}
        onKeyDown={(event) => {
          const act = keyAct(event, movable);
          if (act === null) return;
          event.preventDefault();
          if (act.kind === "zoom") placed.zoomBy(act.factor);
          else if (act.kind === "fit") placed.fit();
          else if (act.kind === "actual") placed.actual();
          else if (act.kind === "pan") placed.pan({ x: act.x * pixelRatio, y: act.y * pixelRatio });
          else state.choose((state.current.peek() ?? 0) + act.rows);
        }}
      >
        {picture !== null && <PictureCanvas picture={picture} placed={placed} onPainted={painted} />}
        {picture === null && pending && <span class="h5x-skeleton h5x-stage-skeleton" aria-hidden="true" />}
        {picture === null && !pending && error === null && <p class="h5x-empty">{emptyText(state)}</p>}
        {late && <span class="h5x-spinner" aria-hidden="true" />}
      </div>
      <Status state={state} picture={picture} late={late} />
    </section>
  );
}

function emptyText(state: ExplorerState): string {
  return state.opened.value.records === 0 ? "There is no picture to show." : "Choose a row to see its picture.";
}

/** The uuid of the chosen row: from the list if it is there, else from the picture that is shown for it. */
function uuidOf(state: ExplorerState, row: number | null, picture: Picture | null): string | null {
  if (row === null) return null;
  const store = state.rows.value;
  void store.changes.value;
  return store.get(row)?.uuid ?? (picture?.image.row === row ? picture.image.key : null);
}

/** Whether something has been pending for so long that a person should see it. */
function useLate(pending: boolean): boolean {
  const [late, setLate] = useState(false);
  const timer = useRef<ReturnType<typeof setTimeout> | null>(null);
  useEffect(() => {
    if (!pending) {
      setLate(false);
      return undefined;
    }
    timer.current = setTimeout(() => setLate(true), TELL_LOADING_MS);
    return () => {
      if (timer.current !== null) clearTimeout(timer.current);
    };
  }, [pending]);
  return late;
}

/** What the picture is, how long it took, and which file it comes from. */
function Status({
  state,
  picture,
  late,
}: {
  readonly state: ExplorerState;
  readonly picture: Picture | null;
  readonly late: boolean;
}) {
  const timing = state.timing.value;
  if (picture === null) {
    return (
      <p class="h5x-status" role="status">
        {late ? "Loading…" : ""}
      </p>
    );
  }
  const { image } = picture;
  const paintedMs = timing?.row === image.row ? timing.paintedMs : null;
  return (
    <p class="h5x-status" role="status">
      <span>{image.format}</span>
      <span>{`${countText(picture.width)} × ${countText(picture.height)} px`}</span>
      <span title={`${countText(image.bytes.length)} bytes`}>{bytesText(image.bytes.length)}</span>
      {image.seconds > 0 && (
        <span title={`Time that the ${state.hasKernel ? "kernel" : "page"} took to get the bytes`}>
          {`${state.hasKernel ? "kernel" : "read in"} ${millisecondsText(1000 * image.seconds)}`}
        </span>
      )}
      {paintedMs !== null && (
        <span title="Time from the click to the picture on the screen">{`shown in ${millisecondsText(paintedMs)}`}</span>
      )}
      {image.notes.map((note) => (
        <span key={note} class="h5x-note">
          {note}
        </span>
      ))}
      <PathText path={image.source} />
    </p>
  );
}
