/** @file What stores outside the process have in addition: an id, and maybe a folder. */
import type { TaskStore } from "../../studies/tasks/store.js";

/** A store that processes, and machines, share. */
export interface SharedStore extends TaskStore {
  /** Tells the store from others, under whatever path it is reached. */
  readonly id: string;
  /** Its folder, when it has one. Claims and unfinished attacks lie there. */
  readonly folder?: string | undefined;
}
