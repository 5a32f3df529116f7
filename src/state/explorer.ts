/** All that one view shows, apart from what only concerns how it looks. */

import { computed, effect, type ReadonlySignal, type Signal, signal, untracked } from "@preact/signals";
import type { RequestClient } from "../channel/requests";
import type { WireState } from "../channel/wire";
import type { Picture } from "../decode/picture";
import { asExplorerError, type ExplorerError, isCancelled } from "../errors";
import type { Counted, EncodedImage, Exported, Found, MetadataRecord, Opened, SharedPage, Source } from "../source/api";
import { pause, Timer } from "../time";
import type { AheadLoader } from "./ahead";
import { Filtering } from "./filtering";
import type { IndexWatch } from "./index";
import { type Latest, LatestLoader } from "./latest";
import type { KeptShares, Look } from "./look";
import type { RowStore } from "./rows";
import type { Ranges, SharedState } from "./shared";
import { Stores } from "./stores";
import type { ThumbnailStore } from "./thumbnails";

/** After how many milliseconds on the same row its neighbours are fetched. */
const SETTLED_MS = 60;

/** After how many milliseconds a person is told that parts of the page are on their way. */
const TELL_LOADING_MS = 1_500;

/** After how many milliseconds with the same rows in view those that are easy to have are fetched. */
const LOOKED_MS = 250;

/** For how many milliseconds a record waits for its picture: drawing the page twice takes longer than that. */
const TOGETHER_MS = 15;

/** How long the way from a click to the screen took. */
export interface Timing {
  readonly row: number;
  /** Milliseconds from the choice to the first frame with the picture; `null` until then. */
  readonly paintedMs: number | null;
}

/** How the kernel's side is, and whether it keeps someone waiting. */
export interface Connection {
  readonly wire: WireState;
  readonly waiting: boolean;
  /** Whether the larger parts of the page take long to come. */
  readonly loading: boolean;
}

/** The row that is shown, and those that are selected. */
export interface Chosen {
  readonly current: number | null;
  readonly selection: Ranges;
}

/** The count of filepaths: not known yet, known, or why not. */
export type Count = number | ExplorerError | null;

/** The state of one view, and what a person can do with it. */
export class ExplorerState {
  readonly #source: Source;
  readonly #shared: SharedState;
  readonly #pictureLoader = new LatestLoader<number, Picture>();
  readonly #metadataLoader = new LatestLoader<number, MetadataRecord>();
  readonly #stores: Signal<Stores>;
  readonly #rows: ReadonlySignal<RowStore>;
  readonly #index: ReadonlySignal<IndexWatch>;
  readonly #thumbnails: ReadonlySignal<ThumbnailStore>;
  readonly #filepaths = signal<Count>(null);
  readonly #timing = signal<Timing | null>(null);
  readonly #connection = signal<Connection>({ wire: { kind: "live" }, waiting: false, loading: false });
  readonly #ends: (() => void)[] = [];
  /** Sets filters and orders. */
  readonly filtering: Filtering;
  #chosenAt: number | null = null;
  #dataset = -1;
  #counting = new AbortController();
  readonly #settled = new Timer();
  readonly #looked = new Timer();
  #closed = false;

  /**
   * @param client - Tells how the kernel is.
   * @param parts - Is there when the larger parts of the page are.
   */
  constructor(
    source: Source,
    shared: SharedState,
    client?: Pick<RequestClient, "onWaiting" | "onState">,
    parts: Promise<unknown> = Promise.resolve(),
  ) {
    this.#source = source;
    this.#shared = shared;
    this.filtering = new Filtering(source, shared.opened);
    this.#stores = signal(new Stores(source, shared.opened.peek()));
    this.#rows = computed(() => this.#stores.value.rows);
    this.#index = computed(() => this.#stores.value.index);
    this.#thumbnails = computed(() => this.#stores.value.thumbnails);
    let first = true;
    this.#ends.push(
      effect(() => {
        const opened = shared.opened.value;
        if (!first && opened.dataset === this.#dataset) {
          untracked(() => this.#stores.peek().grow(opened.records));
          return;
        }
        this.#dataset = opened.dataset;
        if (!first) {
          this.#stores.peek().close();
          this.#pictureLoader.clear();
          this.#metadataLoader.clear();
          this.#stores.value = new Stores(source, opened);
        }
        first = false;
        untracked(() => void this.#count(opened.dataset));
      }),
      effect(() => {
        const row = shared.current.value;
        const { records } = shared.opened.value;
        untracked(() => void this.#load(row !== null && row < records ? row : null));
      }),
      effect(() => {
        const { rows, ahead } = this.#stores.value;
        void rows.inView.value;
        untracked(() => this.#looked.set(LOOKED_MS, () => this.#loadAhead(ahead)));
      }),
      effect(() => {
        const picture = this.#pictureLoader.state.value.value;
        untracked(() => this.#stores.peek().pictures.show(picture));
      }),
    );
    this.#tellLoading(parts);
    if (client !== undefined) {
      this.#ends.push(
        client.onWaiting((waiting) => {
          this.#connection.value = { ...this.#connection.peek(), waiting };
        }),
        client.onState((wire) => {
          this.#connection.value = { ...this.#connection.peek(), wire };
        }),
      );
    }
  }

  /** Whether a kernel holds the data. */
  get hasKernel(): boolean {
    return this.#source.hasKernel;
  }

  /** Whether another lookup can be opened. */
  get opensOthers(): boolean {
    return this.#source.opensOthers;
  }

  get opened(): ReadonlySignal<Opened> {
    return this.#shared.opened;
  }

  get current(): ReadonlySignal<number | null> {
    return this.#shared.current;
  }

  get selection(): ReadonlySignal<Ranges> {
    return this.#shared.selection;
  }

  get height(): ReadonlySignal<string | null> {
    return this.#shared.height;
  }

  /** How it looked when it was opened. */
  get look(): Look {
    return this.#shared.look;
  }

  get rows(): ReadonlySignal<RowStore> {
    return this.#rows;
  }

  get index(): ReadonlySignal<IndexWatch> {
    return this.#index;
  }

  get thumbnails(): ReadonlySignal<ThumbnailStore> {
    return this.#thumbnails;
  }

  get filepaths(): ReadonlySignal<Count> {
    return this.#filepaths;
  }

  get picture(): ReadonlySignal<Latest<number, Picture>> {
    return this.#pictureLoader.state;
  }

  get metadata(): ReadonlySignal<Latest<number, MetadataRecord>> {
    return this.#metadataLoader.state;
  }

  get timing(): ReadonlySignal<Timing | null> {
    return this.#timing;
  }

  get connection(): ReadonlySignal<Connection> {
    return this.#connection;
  }

  /** Chooses a row: it is shown, and becomes the selection. */
  choose(row: number): void {
    const { records } = this.opened.peek();
    if (records === 0) return;
    const bounded = Math.min(Math.max(0, row), records - 1);
    this.select({ current: bounded, selection: [[bounded, bounded + 1]] });
  }

  /** Shows a row, and has these rows be selected; rows that are not there leave all as it is. */
  select({ current, selection }: Chosen): void {
    const { records } = this.opened.peek();
    if (Math.max((current ?? -1) + 1, selection.at(-1)?.[1] ?? 0) > records) return;
    if (current !== this.current.peek()) this.#chosenAt = performance.now();
    this.#shared.choose({ current, selection });
  }

  /** Looks at the current row again: its files may have changed, or be there again. */
  refresh(): void {
    const row = this.current.peek();
    if (row !== null) void this.#load(row);
  }

  /** Says that a picture has come onto the screen. */
  painted(picture: Picture): void {
    const chosenAt = this.#chosenAt;
    const { row } = picture.image;
    if (this.#timing.peek()?.row === row && chosenAt === null) return;
    this.#chosenAt = null;
    this.#timing.value = { row, paintedMs: chosenAt === null ? null : performance.now() - chosenAt };
  }

  /** Tries to get the picture of the current row again. */
  retryPicture(): void {
    const row = this.current.peek();
    if (row === null) return;
    this.#stores.peek().pictures.forget(row);
    void this.#loadPicture(row);
  }

  /** Tries to get the metadata of the current row again. */
  retryMetadata(): void {
    const row = this.current.peek();
    if (row === null) return;
    this.#stores.peek().records.forget(row);
    void this.#loadMetadata(row);
  }

  /** Tries to count the filepaths again. */
  retryCount(): void {
    void this.#count(this.opened.peek().dataset);
  }

  /** Gets the bytes of the current picture, whatever they are. */
  async original(row: number, signal: AbortSignal): Promise<EncodedImage> {
    const shown = this.picture.peek().value;
    if (shown !== null && shown.image.row === row) return shown.image;
    return this.#source.original(this.opened.peek().dataset, row, signal);
  }

  /** Finds the next row that a text names, and chooses it. */
  async find(text: string, after: number | null, signal: AbortSignal): Promise<Found> {
    const found = await this.#source.find(this.opened.peek().dataset, text, after, signal);
    if (found.row !== null) this.choose(found.row);
    return found;
  }

  /** Counts the rows that a text names, from a row on and as far as that is quick. */
  countMatches(text: string, start: number, signal: AbortSignal): Promise<Counted> {
    return this.#source.count(this.opened.peek().dataset, text, start, signal);
  }

  /** Writes the rows that are shown, or those that are selected, where the kernel is. */
  export(path: string, ranges: Ranges | null, overwrite: boolean, signal: AbortSignal): Promise<Exported> {
    return this.#source.export(this.opened.peek().dataset, path, ranges, overwrite, signal);
  }

  /** Makes a page of the rows that are shown, or of those that are selected. */
  share(ranges: Ranges | null, signal: AbortSignal): Promise<SharedPage> {
    return this.#source.share(this.opened.peek().dataset, ranges, signal);
  }

  /** The part of the rows that have been written, from 0 to 1; `null` where that is not known. */
  async exported(signal: AbortSignal): Promise<number | null> {
    return (await this.#source.status(this.opened.peek().dataset, null, signal)).export;
  }

  /** Opens another lookup in place of this one. */
  async open(path: string, signal: AbortSignal): Promise<void> {
    await this.#source.open(path, signal);
  }

  /** Has the shares of the panels remembered. */
  keepShares(shares: KeptShares): void {
    this.#shared.keepShares(shares);
  }

  /** Withdraws all that is on its way. */
  close(): void {
    this.#closed = true;
    this.filtering.close();
    for (const end of this.#ends) end();
    this.#settled.clear();
    this.#looked.clear();
    this.#counting.abort();
    this.#pictureLoader.clear();
    this.#metadataLoader.clear();
    this.#stores.peek().pictures.show(null);
    this.#stores.peek().close();
    this.#shared.close();
  }

  #tellLoading(parts: Promise<unknown>): void {
    const tell = (loading: boolean) => {
      this.#connection.value = { ...this.#connection.peek(), loading };
    };
    const late = setTimeout(() => tell(true), TELL_LOADING_MS);
    const end = () => {
      clearTimeout(late);
      if (this.#connection.peek().loading) tell(false);
    };
    this.#ends.push(end);
    parts.then(end, end); // the rows that cannot be shown without them say why they did not come
  }

  async #count(dataset: number): Promise<void> {
    this.#counting.abort();
    const counting = new AbortController();
    this.#counting = counting;
    this.#filepaths.value = null;
    try {
      const count = await this.#source.filepaths(dataset, counting.signal);
      if (!counting.signal.aborted) this.#filepaths.value = count;
    } catch (error) {
      if (!isCancelled(error) && !counting.signal.aborted) this.#filepaths.value = asExplorerError(error);
    }
  }

  async #load(row: number | null): Promise<void> {
    this.#settled.clear();
    this.#stores.peek().ahead.stop(); // what is waited for goes before what may be wanted
    if (row === null) {
      this.#pictureLoader.clear();
      this.#metadataLoader.clear();
      return;
    }
    const begun = performance.now();
    const picture = this.#loadPicture(row);
    void this.#loadMetadata(row, picture);
    await picture;
    if (this.#closed || this.current.peek() !== row) return;
    this.#looked.clear();
    this.#settled.set(SETTLED_MS, () => void this.#settle(row, begun));
  }

  async #loadPicture(row: number): Promise<void> {
    const { pictures } = this.#stores.peek();
    await this.#pictureLoader.load(row, (signal) => pictures.get(row, signal));
  }

  /** Loads the record; it is shown in one frame with the picture where that is about to be there. */
  async #loadMetadata(row: number, picture?: Promise<void>): Promise<void> {
    const { records } = this.#stores.peek();
    await this.#metadataLoader.load(row, async (signal) => {
      const record = await records.get(row, signal);
      if (picture !== undefined) await Promise.race([picture, pause(TOGETHER_MS)]);
      return record;
    });
  }

  /** Once a row stays chosen: sees whether what was here of it before is still true; then to what is near. */
  async #settle(row: number, begun: number): Promise<void> {
    const stores = this.#stores.peek();
    const stays = () => !this.#closed && stores === this.#stores.peek() && this.current.peek() === row;
    if (!stays()) return;
    const looking = stores.pictures.hasChanged(row, begun);
    if (stores.records.isOlder(row, begun)) {
      stores.records.forget(row);
      void this.#loadMetadata(row);
    }
    if ((await looking) && stays()) await this.#loadPicture(row);
    if (stays()) this.#loadAhead(stores.ahead);
  }

  #loadAhead(ahead: AheadLoader): void {
    if (!this.look.prefetch) return;
    if (this.#pictureLoader.state.peek().pending) return; // it will be looked for what is near then
    const { rows, thumbnails } = this.#stores.peek();
    // Of the many rows that are in view as thumbnails only those near the chosen one are fetched whole.
    const inView = thumbnails.shown ? { start: 0, stop: 0 } : rows.inView.peek();
    void ahead.load(this.current.peek(), inView, this.opened.peek().records);
  }
}
