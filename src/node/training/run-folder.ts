/** @file The folder of a training run: config.json (settings and versions), checkpoint.safetensors
 *  (the last good state), metrics.jsonl (a line for each epoch), report.html, conversion.json (of a
 *  conversion), and card.json.
 *  card.json is written last: a run without card.json is not finished.
 *  Every file is replaced whole, so an interrupted write leaves the earlier file. */
import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { DynnError, reasonOf } from "../../core/errors.js";
import { VERSION } from "../../core/version.js";
import type { ModelCard } from "../../schema/model-card.js";
import type { EpochReport } from "../../schema/training.js";
import { checkSameRun, type RunSettings, readCheckpoint, writeCheckpoint } from "../../training/run/checkpoint.js";
import type { TrainingState } from "../../training/step/state.js";
import { checkWritable, writeText } from "../files.js";
import { type FolderLock, lockFolder } from "../folder-lock.js";
import { readBytes } from "../onnx-files.js";
import { ENGINE_VERSION } from "../ort-node/index.js";
import { makeFolder, outputPlace, replaceFile } from "../output-files.js";

const configSchema = z.object({
  settings: z.record(z.string(), z.unknown()),
  versions: z.record(z.string(), z.string().optional()),
});
type RunConfig = z.infer<typeof configSchema>;

const [CONFIG, CHECKPOINT, METRICS, REPORT, CONVERSION, CARD] = [
  "config.json",
  "checkpoint.safetensors",
  "metrics.jsonl",
  "report.html",
  "conversion.json",
  "card.json",
] as const;

/** The versions that may change the last bits of a result, besides the settings. */
const VERSIONS = { dynn: VERSION, node: process.versions.node, onnxruntime: ENGINE_VERSION };

export interface RunOptions {
  readonly folder: string;
  readonly settings: RunSettings;
  /** Continue the run in the folder. */
  readonly resume: boolean;
  /** Makes the report of the epochs so far. */
  readonly render: (epochs: readonly EpochReport[]) => Promise<string>;
  readonly warn: (text: string) => void;
}

export class RunFolder {
  readonly #options: RunOptions;
  /** The state to continue from. */
  readonly state: TrainingState | undefined;
  readonly #lock: FolderLock;
  #saved: TrainingState | undefined;

  private constructor(options: RunOptions, lock: FolderLock, state: TrainingState | undefined) {
    this.#options = options;
    this.#lock = lock;
    this.state = state;
    this.#saved = state;
  }

  /** Begin a run, or find the existing one. The folder is locked until `close` or the end of the
   * process.
   * @throws DynnError 'file/unwritable', 'file/full', 'file/locked', 'training/unfinished',
   *   'checkpoint/mismatch', 'checkpoint/format' */
  static async open(options: RunOptions): Promise<RunFolder> {
    const { folder } = options;
    const place = await outputPlace(folder).catch(() => folder);
    await makeFolder(place).catch(() => undefined);
    await checkWritable(join(folder, CONFIG));
    const lock = lockFolder(folder);
    try {
      return new RunFolder(options, lock, await (options.resume ? resumed(options) : begun(options)));
    } catch (thrown) {
      lock.release();
      throw thrown;
    }
  }

  /** Let other processes use the folder. */
  close(): void {
    this.#lock.release();
  }

  /** The last state on disk. */
  get saved(): TrainingState | undefined {
    return this.#saved;
  }

  get checkpoint(): string {
    return join(this.#options.folder, CHECKPOINT);
  }

  get report(): string {
    return join(this.#options.folder, REPORT);
  }

  /** Save a state, and write the curves when it has a new epoch.
   * @throws DynnError 'file/full', 'file/unwritable' */
  readonly save = async (state: TrainingState): Promise<void> => {
    const { settings } = this.#options;
    await replaceFile(this.checkpoint, writeCheckpoint({ state, settings }));
    const before = this.#saved?.epochs.length ?? 0;
    this.#saved = state;
    if (state.epochs.length > before) await this.writeCurves(state.epochs);
  };

  /** Write metrics and report. A resumed run writes them too, because the process may have been
   * killed between two files. */
  async writeCurves(epochs: readonly EpochReport[]): Promise<void> {
    const { folder, render } = this.#options;
    if (epochs.length === 0) return;
    await writeText(join(folder, METRICS), epochs.map((epoch) => `${JSON.stringify(epoch)}\n`).join(""));
    await writeText(this.report, await render(epochs));
  }

  /** Write the card and the last report: the run is finished.
   * @param conversion the record of a conversion */
  async finish(card: ModelCard, report: string, conversion?: string): Promise<void> {
    await writeText(this.report, report);
    if (conversion !== undefined) await writeText(join(this.#options.folder, CONVERSION), conversion);
    await writeText(join(this.#options.folder, CARD), `${JSON.stringify(card, undefined, 2)}\n`);
  }
}

/** The settings of the run in a folder. Undefined when the folder does not hold a run.
 * @throws DynnError 'checkpoint/format' */
export const keptSettings = async (folder: string): Promise<RunSettings | undefined> =>
  (await readConfig(join(folder, CONFIG)))?.settings;

const exists = async (path: string): Promise<boolean> => (await stat(path).catch(() => undefined)) !== undefined;

/** Remove a finished run. The card goes last: until then the run counts as finished. */
async function clear(folder: string): Promise<void> {
  for (const name of [CHECKPOINT, METRICS, REPORT, CONVERSION, CARD]) await rm(join(folder, name), { force: true });
}

/** @throws DynnError 'checkpoint/format' */
async function readConfig(path: string): Promise<RunConfig | undefined> {
  if (!(await exists(path))) return undefined;
  const text = new TextDecoder().decode(await readBytes(path));
  try {
    return configSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new DynnError(
      "checkpoint/format",
      `${path}: is not the configuration of a run (${reasonOf(cause)}). Give another folder.`,
      { path, options: ["run"] },
      { cause },
    );
  }
}

/** A new run in the folder.
 * @throws DynnError 'training/unfinished', 'file/full', 'file/unwritable' */
async function begun({ folder, settings }: RunOptions): Promise<undefined> {
  if ((await exists(join(folder, CHECKPOINT))) && !(await exists(join(folder, CARD)))) throw unfinished(folder);
  await clear(folder);
  const config: RunConfig = { settings, versions: VERSIONS };
  await writeText(join(folder, CONFIG), `${JSON.stringify(config, undefined, 2)}\n`);
}

/** The state of the folder for these settings. A run that was killed before its first checkpoint
 * starts over.
 * @throws DynnError 'training/unfinished', 'checkpoint/mismatch', 'checkpoint/format', 'file/full',
 *   'file/unwritable' */
async function resumed(options: RunOptions): Promise<TrainingState | undefined> {
  const { folder, warn } = options;
  const found = await readConfig(join(folder, CONFIG));
  if (!found && !(await isEmpty(folder)))
    throw new DynnError(
      "training/unfinished",
      `${folder}: does not hold a run to continue. Begin a run without resume, or give another folder.`,
      { folder, options: ["resume", "run"] },
    );
  const state = found && (await stateOf(options, found));
  if (state) return state;
  warn(`${folder}: holds no checkpoint yet, so the run starts over.\n`);
  return found ? undefined : begun(options);
}

/** Whether a folder holds nothing, or only what dynn hides there. */
const isEmpty = async (folder: string): Promise<boolean> =>
  (await readdir(folder)).every((name) => name.startsWith(".dynn-"));

/** The state of the folder for these settings. Undefined when the run stopped before its first
 * checkpoint. */
async function stateOf({ folder, settings, warn }: RunOptions, found: RunConfig): Promise<TrainingState | undefined> {
  checkSameRun(found.settings, settings, folder);
  for (const [what, now] of Object.entries(VERSIONS))
    if (found.versions[what] !== now)
      warn(`the run began with ${what} ${found.versions[what]} and continues with ${now}: its last bits may differ.\n`);
  const path = join(folder, CHECKPOINT);
  if (!(await exists(path))) return undefined;
  const checkpoint = readCheckpoint(await readBytes(path), path);
  checkSameRun(checkpoint.settings, settings, path);
  return checkpoint.state;
}

const unfinished = (folder: string): DynnError =>
  new DynnError(
    "training/unfinished",
    `${folder}: holds a run that is not finished. Resume it, give another folder, or remove this one.`,
    { folder, options: ["resume", "run"] },
  );
