/** @file Claims in a shared folder say which process works on a task, so that two processes seldom
 *  do the same. A claim is advice: the store takes the first result of a task in any case. */
import { randomUUID } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { MOST_DEATHS } from "../../studies/tasks/schedule.js";
import type { TaskKey } from "../../studies/tasks/task.js";
import { codeOf, unwritable } from "../output-files.js";
import { hostKey, isAlive, startOf } from "../processes.js";

const ownerSchema = z.object({
  id: z.string(),
  host: z.string(),
  pid: z.number().int().positive(),
  start: z.string().optional(),
});

/** Times of claims, in milliseconds. */
export interface ClaimTimes {
  /** Between two signs of life. */
  readonly beatMs: number;
  /** Without a sign of life, after which a claim of another machine counts for nothing. */
  readonly staleMs: number;
}

const TIMES: ClaimTimes = { beatMs: 15_000, staleMs: 90_000 };

/** What came of a try to claim a task. `deadly`: since this process began, the task ended two
 * workers. */
export type Claimed = "taken" | "held" | "deadly";

/** The claims of one process. */
export class Claims {
  readonly #id = randomUUID();
  readonly #held = new Set<TaskKey>();
  /** What was last seen of the claims of other machines, and when. */
  readonly #seen = new Map<TaskKey, { readonly mtimeMs: number; readonly at: number }>();
  readonly #timer: NodeJS.Timeout;

  private constructor(
    private readonly folder: string,
    /** The time of the file system at the start. Its clock may differ from that of this machine. */
    private readonly since: number,
    private readonly times: ClaimTimes,
  ) {
    this.#timer = setInterval(() => void this.#beat(), times.beatMs);
    this.#timer.unref();
  }

  /** Claims in the folder of a store.
   * @throws DynnError 'file/unwritable' */
  static async open(store: string, times: ClaimTimes = TIMES): Promise<Claims> {
    const folder = join(store, "claims");
    try {
      await mkdir(folder, { recursive: true });
      const probe = join(folder, `start-${randomUUID()}`);
      await writeFile(probe, "");
      const { mtimeMs } = await stat(probe);
      await rm(probe);
      return new Claims(folder, mtimeMs, times);
    } catch (cause) {
      throw unwritable(folder, cause, "Choose a store that you may write to.");
    }
  }

  /** Tries to claim a task.
   * @throws DynnError 'file/unwritable' */
  async take(key: TaskKey): Promise<Claimed> {
    const got = (await this.#create(key)) || ((await this.#removeStale(key)) && (await this.#create(key)));
    if (!got) return "held";
    this.#held.add(key);
    if ((await this.#deaths(key)) < MOST_DEATHS) return "taken";
    await this.release(key, false);
    return "deadly";
  }

  /** Gives a claim back.
   * @param died whether the task ended its worker */
  async release(key: TaskKey, died: boolean): Promise<void> {
    this.#held.delete(key);
    if (died) await this.#mark(key);
    await rm(this.#path(key), { force: true }).catch(() => undefined);
  }

  /** Gives all claims back. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all([...this.#held].map((key) => this.release(key, false)));
  }

  readonly #path = (key: TaskKey): string => join(this.folder, `${key}.json`);

  async #create(key: TaskKey): Promise<boolean> {
    const { pid } = process;
    const owner: z.infer<typeof ownerSchema> = { id: this.#id, host: hostKey(), pid, start: startOf(pid) };
    try {
      await writeFile(this.#path(key), `${JSON.stringify(owner)}\n`, { flag: "wx" });
      return true;
    } catch (cause) {
      if (codeOf(cause) === "EEXIST") return false;
      throw unwritable(this.#path(key), cause, "Choose a store that you may write to.");
    }
  }

  /** Takes a claim away whose process is gone. Of several processes, one succeeds. What another one
   * claimed meanwhile is put back.
   * @returns whether the claim is gone */
  async #removeStale(key: TaskKey): Promise<boolean> {
    const path = this.#path(key);
    const owner = await ownerIn(path);
    if (!(await this.#isStale(key, owner))) return false;
    const away = join(this.folder, `away-${randomUUID()}`);
    if (!(await moved(path, away))) return false;
    const isSame = JSON.stringify(await ownerIn(away)) === JSON.stringify(owner);
    if (!isSame) return (await moved(away, path)) && false;
    await this.#mark(key);
    await rm(away, { force: true });
    return true;
  }

  async #isStale(key: TaskKey, owner: z.infer<typeof ownerSchema> | undefined): Promise<boolean> {
    if (owner?.host === hostKey()) return !isAlive(owner.pid) || startOf(owner.pid) !== owner.start;
    const mtimeMs = (await stat(this.#path(key)).catch(() => undefined))?.mtimeMs;
    if (mtimeMs === undefined) return false;
    const seen = this.#seen.get(key);
    if (seen?.mtimeMs === mtimeMs) return performance.now() - seen.at > this.times.staleMs;
    this.#seen.set(key, { mtimeMs, at: performance.now() });
    return false;
  }

  /** A mark for a worker that a task ended. */
  async #mark(key: TaskKey): Promise<void> {
    await writeFile(join(this.folder, `${key}.death-${randomUUID()}`), "").catch(() => undefined);
  }

  async #deaths(key: TaskKey): Promise<number> {
    const marks = (await readdir(this.folder)).filter((name) => name.startsWith(`${key}.death-`));
    const times = await Promise.all(marks.map((name) => stat(join(this.folder, name)).catch(() => undefined)));
    return times.filter((mark) => mark && mark.mtimeMs >= this.since).length;
  }

  async #beat(): Promise<void> {
    const now = new Date();
    await Promise.all([...this.#held].map((key) => utimes(this.#path(key), now, now).catch(() => undefined)));
  }
}

/** Undefined while the claim is being written. */
async function ownerIn(path: string): Promise<z.infer<typeof ownerSchema> | undefined> {
  try {
    return ownerSchema.parse(JSON.parse(await readFile(path, "utf8")));
  } catch {
    return undefined;
  }
}

const moved = (from: string, to: string): Promise<boolean> =>
  rename(from, to).then(
    () => true,
    () => false,
  );
