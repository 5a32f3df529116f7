import { useRef, useState } from "preact/hooks";
import "../../style/base.css";
import { ContentsPanel } from "../contents/ContentsPanel";
import { MetadataPanel } from "../metadata/MetadataPanel";
import type { ExplorerState } from "../state/explorer";
import { ViewerPanel } from "../viewer/ViewerPanel";
import { ConnectionBar } from "./ConnectionBar";
import { ErrorBoundary } from "./ErrorBoundary";
import {
  type Arrangement,
  arrangementFor,
  FIRST_HEIGHT,
  FIRST_SHARES,
  moveSplitter,
  type Shares,
  SMALLEST,
  splitterPercent,
} from "./layout";
import { Splitter } from "./Splitter";
import { useOwnKeys } from "./useOwnKeys";
import { useSize } from "./useSize";

const LABELS = ["Between contents and picture", "Between picture and metadata"] as const;

let views = 0;

/** The three panels side by side, or stacked where there is little room. */
export function App({ state }: { readonly state: ExplorerState }) {
  const { ref, width, height } = useSize<HTMLDivElement>();
  useOwnKeys(ref);
  const [name] = useState(() => {
    views += 1;
    return `h5x-${views}`;
  });
  const [shares, setShares] = useState({ ...FIRST_SHARES, ...state.look.shares });
  const begun = useRef<Shares>(FIRST_SHARES.columns);
  const arrangement = arrangementFor(width);
  const room = arrangement === "columns" ? width : height;
  const now = shares[arrangement];

  const share = (changed: Shares) => {
    const all = { ...shares, [arrangement]: changed };
    setShares(all);
    state.keepShares(all);
  };

  const splitter = (which: 0 | 1) => (
    <Splitter
      arrangement={arrangement}
      label={LABELS[which]}
      percent={splitterPercent(now, which)}
      onBegin={() => {
        begun.current = shares[arrangement];
      }}
      onMove={(distance) => share(moveSplitter(begun.current, which, distance, room, SMALLEST[arrangement]))}
      onReset={() => share(FIRST_SHARES[arrangement])}
    />
  );

  return (
    <div
      ref={ref}
      class={`h5x-root h5x-${arrangement}`}
      style={{ height: state.height.value ?? `${FIRST_HEIGHT[arrangement]}px`, ...tracks(arrangement, now) }}
    >
      <ConnectionBar state={state} />
      <div class="h5x-panels">
        <ErrorBoundary>
          <ContentsPanel state={state} name={name} />
        </ErrorBoundary>
        {splitter(0)}
        <ErrorBoundary>
          <ViewerPanel state={state} />
        </ErrorBoundary>
        {splitter(1)}
        <ErrorBoundary>
          <MetadataPanel state={state} />
        </ErrorBoundary>
      </div>
    </div>
  );
}

function tracks(arrangement: Arrangement, [first, second, third]: Shares): Record<string, string> {
  const bar = "var(--h5x-splitter)";
  const template = `minmax(0, ${first}fr) ${bar} minmax(0, ${second}fr) ${bar} minmax(0, ${third}fr)`;
  return arrangement === "columns" ? { "--h5x-columns": template } : { "--h5x-rows": template };
}
