import { Component, type ComponentChildren } from "preact";
import { asExplorerError, type ExplorerError } from "../errors";
import { Problem } from "./Problem";

interface Props {
  readonly children: ComponentChildren;
}

interface State {
  readonly error: ExplorerError | null;
}

/** Keeps a fault in one panel from taking the others with it. */
export class ErrorBoundary extends Component<Props, State> {
  override state: State = { error: null };

  override componentDidCatch(error: unknown): void {
    console.error(error);
    this.setState({ error: asExplorerError(error) });
  }

  override render() {
    const { error } = this.state;
    if (error === null) return this.props.children;
    return <Problem error={error} onRetry={() => this.setState({ error: null })} />;
  }
}
