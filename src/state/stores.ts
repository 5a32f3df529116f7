/** What has been fetched of one lookup. */

import type { Opened, Source } from "../source/api";
import { AheadLoader } from "./ahead";
import { IndexWatch } from "./index";
import { PictureStore } from "./pictures";
import { RecordStore } from "./records";
import { RowStore } from "./rows";
import { ThumbnailStore } from "./thumbnails";

/** The rows, pictures and records of one lookup that are here. */
export class Stores {
  readonly rows: RowStore;
  readonly pictures: PictureStore;
  readonly records: RecordStore;
  readonly ahead: AheadLoader;
  readonly index: IndexWatch;
  readonly thumbnails: ThumbnailStore;

  constructor(source: Source, { dataset, records, index }: Opened) {
    this.rows = new RowStore(source, dataset, records);
    this.pictures = new PictureStore(source, dataset);
    this.records = new RecordStore(source, dataset);
    this.index = new IndexWatch(source, dataset, index);
    this.thumbnails = new ThumbnailStore(source, dataset, records);
    this.ahead = new AheadLoader(source, dataset, this.pictures, this.records);
  }

  /** Takes over that there are more rows. */
  grow(records: number): void {
    this.rows.grow(records);
    this.thumbnails.grow(records);
  }

  /** Withdraws all that is on its way, and lets go of the rest. */
  close(): void {
    this.ahead.stop();
    this.index.close();
    this.rows.close();
    this.pictures.close();
    this.thumbnails.close();
  }
}
