/** @file Keeps how fast this machine trains, so that the next plan need not measure again. */
import { mkdir } from "node:fs/promises";
import { availableParallelism, cpus } from "node:os";
import { dirname, join } from "node:path";
import { z } from "zod";
import { VERSION } from "../../core/version.js";
import { cacheFolder } from "../cache.js";
import { readJson, writeText } from "../files.js";

const paceSchema = z.strictObject({
  /** Images per second of the steps, and of a frozen backbone. */
  steps: z.number().positive(),
  features: z.number().positive().nullable(),
  /** Size of the network that was measured. */
  macs: z.number().positive(),
  heads: z.number().min(0),
});
/** What was measured, and on which size of network. */
export type KnownPace = z.infer<typeof paceSchema>;

const cacheSchema = z.record(z.string(), paceSchema);

/** Another version of dynn, or another processor, has another pace. */
const machine = (): string => `dynn ${VERSION}, ${cpus()[0]?.model ?? "unknown"} x ${availableParallelism()}`;

const place = (): string => join(cacheFolder(), "training-pace.json");

/** Paces by name. A cache that cannot be read or written is no error: it only costs time. */
export class PaceCache {
  private constructor(private readonly known: Map<string, KnownPace>) {}

  static async open(): Promise<PaceCache> {
    const read = cacheSchema.safeParse(await readJson(place(), "study/value").catch(() => undefined));
    return new PaceCache(new Map(read.success ? Object.entries(read.data) : []));
  }

  readonly get = (name: string): KnownPace | undefined => this.known.get(nameHere(name));

  async put(name: string, pace: KnownPace): Promise<void> {
    this.known.set(nameHere(name), pace);
    try {
      await mkdir(dirname(place()), { recursive: true });
      await writeText(place(), `${JSON.stringify(Object.fromEntries(this.known), undefined, 2)}\n`);
    } catch {
      // Without a folder for caches the next plan measures again.
    }
  }
}

const nameHere = (name: string): string => `${machine()}, ${name}`;
