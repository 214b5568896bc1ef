/** @file The folder of a training run: config.json (settings and versions), checkpoint.safetensors
 *  (the last good state), metrics.jsonl (a line for each epoch), report.html, and card.json.
 *  card.json is written last: a run without card.json is not finished.
 *  Every file is replaced whole, so an interrupted write leaves the earlier file. */
import { mkdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { DynnError, reasonOf } from "../../core/errors.js";
import { VERSION } from "../../core/version.js";
import type { ModelCard } from "../../schema/model-card.js";
import type { EpochReport } from "../../schema/training.js";
import { checkSameRun, type RunSettings, readCheckpoint, writeCheckpoint } from "../../training/run/checkpoint.js";
import type { TrainingState } from "../../training/step/state.js";
import { checkWritable, writeText } from "../files.js";
import { readBytes, replaceFile } from "../onnx-files.js";
import { ENGINE_VERSION } from "../ort-node/index.js";

const configSchema = z.object({
  settings: z.record(z.string(), z.unknown()),
  versions: z.record(z.string(), z.string().optional()),
});
type RunConfig = z.infer<typeof configSchema>;

const [CONFIG, CHECKPOINT, METRICS, REPORT, CARD] = [
  "config.json",
  "checkpoint.safetensors",
  "metrics.jsonl",
  "report.html",
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
  readonly render: (epochs: readonly EpochReport[]) => string;
  readonly warn: (text: string) => void;
}

export class RunFolder {
  readonly #options: RunOptions;
  /** The state to continue from. */
  readonly state: TrainingState | undefined;
  #saved: TrainingState | undefined;

  private constructor(options: RunOptions, state: TrainingState | undefined) {
    this.#options = options;
    this.state = state;
    this.#saved = state;
  }

  /** Begin a run, or find the existing one.
   * @throws DynnError 'file/unwritable', 'file/full', 'training/unfinished', 'checkpoint/mismatch',
   *   'checkpoint/format' */
  static async open(options: RunOptions): Promise<RunFolder> {
    const { folder, settings, resume } = options;
    await mkdir(folder, { recursive: true }).catch(() => undefined);
    const path = join(folder, CONFIG);
    await checkWritable(path);
    if (resume) return new RunFolder(options, await stateOf(options, await readConfig(path)));
    if ((await exists(join(folder, CHECKPOINT))) && !(await exists(join(folder, CARD)))) throw unfinished(folder);
    await clear(folder);
    const config: RunConfig = { settings, versions: VERSIONS };
    await writeText(path, `${JSON.stringify(config, undefined, 2)}\n`);
    return new RunFolder(options, undefined);
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
    await writeText(this.report, render(epochs));
  }

  /** Write the card and the last report: the run is finished. */
  async finish(card: ModelCard, report: string): Promise<void> {
    await writeText(this.report, report);
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
  for (const name of [CHECKPOINT, METRICS, REPORT, CARD]) await rm(join(folder, name), { force: true });
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

/** The state of the folder for these settings. Undefined when the run stopped before its first
 * checkpoint. */
async function stateOf(
  { folder, settings, warn }: RunOptions,
  found: RunConfig | undefined,
): Promise<TrainingState | undefined> {
  if (!found)
    throw new DynnError(
      "training/unfinished",
      `${folder}: does not hold a run to continue. Begin a run without resume, or give another folder.`,
      { folder, options: ["resume", "run"] },
    );
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
