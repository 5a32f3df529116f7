import type { ExplorerState } from "../state/explorer";
import { Problem } from "./Problem";

/** Says when the kernel is gone, or keeps someone waiting; takes up no room otherwise. */
export function ConnectionBar({ state }: { readonly state: ExplorerState }) {
  const { wire, waiting } = state.connection.value;
  if (wire.kind === "dead") {
    return (
      <div class="h5x-connection">
        <Problem error={{ message: wire.reason, action: wire.action }} />
      </div>
    );
  }
  return (
    <p class={`h5x-waiting${waiting ? " h5x-shown" : ""}`} role="status">
      {waiting ? (wire.kind === "busy" ? "Waiting for the running cell…" : "Waiting for the kernel…") : ""}
    </p>
  );
}
