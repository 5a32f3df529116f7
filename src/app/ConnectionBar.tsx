import type { ExplorerState } from "../state/explorer";
import { Problem } from "./Problem";

/** Says when the kernel is gone, or keeps someone waiting; takes up no room otherwise. */
export function ConnectionBar({ state }: { readonly state: ExplorerState }) {
  const { wire, waiting, loading } = state.connection.value;
  if (wire.kind === "dead") {
    return (
      <div class="h5x-connection">
        <Problem error={{ message: wire.reason, action: wire.action }} onRetry={wire.again} />
      </div>
    );
  }
  const text = textOf(wire.kind === "busy", waiting, loading);
  return (
    <p class={`h5x-waiting${text === "" ? "" : " h5x-shown"}`} role="status">
      {text}
    </p>
  );
}

function textOf(busy: boolean, waiting: boolean, loading: boolean): string {
  if (waiting) return busy ? "Waiting for the running cell…" : "Waiting for the kernel…";
  return loading ? "Loading the larger parts of this page. They stay in the browser for the next time…" : "";
}
