/** @file A folder of attacked images for other programs: a manifest, the true classes, the record
 *  numbers, and one array [n,c,h,w] per attack. The images of one run are never replaced by those
 *  of another. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { bytesOf } from "../core/bytes.js";
import { sha256 } from "../core/digest.js";
import { DynnError, reasonOf } from "../core/errors.js";
import { tensor } from "../core/tensor.js";
import { writeNpy } from "../data/npy.js";
import type { Made } from "../schema/made.js";
import { nameOfSeed, type RunStore, type StoredRun } from "../studies/audit/index.js";
import { writeText } from "./files.js";
import { replaceFile } from "./output-files.js";
import { readPlainFile } from "./plain-file.js";
import { fileNameOf, folderStore } from "./run-store.js";

/** Names of the files of a folder. */
export const KEPT_FILES = { manifest: "manifest.json", labels: "labels.npy", indices: "indices.npy" } as const;

/** Attacks of curves lie apart: they hold only the samples that stood at smaller radii. */
const CURVES = "curves";

const FORMAT = 1;

const attackSchema = z.looseObject({
  name: z.string(),
  seed: z.number(),
  file: z.string(),
  asked: z.string(),
  finished: z.boolean(),
});
type Entry = z.infer<typeof attackSchema>;

const manifestSchema = z.looseObject({
  format: z.literal(FORMAT),
  run: z.record(z.string(), z.string()),
  attacks: z.array(attackSchema),
});
type Manifest = z.infer<typeof manifestSchema>;

/** What decides the images of a run, beside its attacks. */
export interface KeptRun {
  /** Version of dynn. */
  readonly version: string;
  readonly made: Made;
  readonly model: { readonly name: string; readonly sha256?: string | undefined };
  readonly data: { readonly name: string; readonly labels: Int32Array };
  /** Shape of one image. */
  readonly image: readonly number[];
  readonly seed: number;
  readonly seeds: number;
  /** The attacks as they are asked for. */
  readonly attacks: readonly { readonly name: string }[];
  /** Everything else: policy, surrogate, targets. */
  readonly settings: object;
}

/** A store whose images other programs load. */
export interface KeptStore extends RunStore {
  /** Let other processes use the folder. */
  readonly close: () => void;
  /** How many attacks are finished, of how many. */
  readonly progress: () => { readonly finished: number; readonly all: number };
}

/** Opens a folder for the images of a run: an empty one, or one in which the same run began.
 * @throws DynnError 'file/other-run' when it holds images of another run, 'attack/config' when two
 *   attacks would have one file, 'file/unwritable', 'file/locked' */
export async function keptStore(folder: string, run: KeptRun): Promise<KeptStore> {
  checkFiles(run);
  const main = await folderStore(folder);
  try {
    const kept = new KeptFolder(folder, run, await before(folder, run));
    await kept.begin();
    return storeOf(folder, main, kept);
  } catch (thrown) {
    main.close();
    throw thrown;
  }
}

function storeOf(folder: string, main: Awaited<ReturnType<typeof folderStore>>, kept: KeptFolder): KeptStore {
  let curves: ReturnType<typeof folderStore> | undefined;
  const of = async (name: string): Promise<RunStore> => {
    if (kept.holds(name)) return main;
    curves ??= folderStore(join(folder, CURVES));
    return curves;
  };
  return {
    load: async (name, fingerprint) => {
      const found = await (await of(name)).load(name, fingerprint);
      if (found) await kept.finish(name, found);
      return found;
    },
    loadParts: async (name, fingerprint) => (await of(name)).loadParts(name, fingerprint),
    savePart: async (name, fingerprint, part) => (await of(name)).savePart(name, fingerprint, part),
    save: async (name, fingerprint, done) => {
      await (await of(name)).save(name, fingerprint, done);
      await kept.finish(name, done);
    },
    progress: () => kept.progress(),
    close: () => {
      main.close();
      void curves?.then((store) => store.close());
    },
  };
}

/** The manifest of a folder, and what it becomes as attacks finish. */
class KeptFolder {
  readonly #attacks: Map<string, Entry>;

  constructor(
    private readonly folder: string,
    private readonly run: KeptRun,
    private readonly earlier: Manifest | undefined,
  ) {
    this.#attacks = new Map(
      (earlier?.attacks ?? []).map((entry) => [nameOfSeed(entry.name, entry.seed, run.seed), entry]),
    );
    for (const entry of entriesOf(run)) {
      const name = nameOfSeed(entry.name, entry.seed, run.seed);
      if (!this.#attacks.has(name)) this.#attacks.set(name, entry);
    }
  }

  /** Writes what is known before the first attack. */
  async begin(): Promise<void> {
    const { labels } = this.run.data;
    const whole = (values: readonly number[]) =>
      writeNpy(tensor("int64", [labels.length], BigInt64Array.from(values, BigInt)));
    await this.#write();
    await replaceFile(join(this.folder, KEPT_FILES.labels), whole([...labels]));
    await replaceFile(join(this.folder, KEPT_FILES.indices), whole([...labels.keys()]));
  }

  holds(name: string): boolean {
    return this.#attacks.has(name);
  }

  async finish(name: string, { outcomes, manifest }: StoredRun): Promise<void> {
    const entry = this.#attacks.get(name);
    if (entry === undefined) return;
    const { attack: _, records: __, labels: ___, image: ____, ...facts } = manifest ?? {};
    this.#attacks.set(name, {
      ...entry,
      ...facts,
      finished: true,
      samples: outcomes.length,
      eligible: outcomes.filter(({ eligible }) => eligible).length,
      successes: outcomes.filter(({ eligible, success }) => eligible && success).length,
    });
    await this.#write();
  }

  progress(): { readonly finished: number; readonly all: number } {
    const asked = entriesOf(this.run).map(({ name, seed }) => nameOfSeed(name, seed, this.run.seed));
    return { finished: asked.filter((name) => this.#attacks.get(name)?.finished).length, all: asked.length };
  }

  #write(): Promise<void> {
    const { version, made, model, data, image, seed } = this.run;
    const manifest = {
      ...{ format: FORMAT, tool: { name: "dynn", version }, made: this.earlier?.made ?? made, model },
      data: { name: data.name, samples: data.labels.length },
      ...{ seed, image, pixels: "float32 in [0,1]", labels: KEPT_FILES.labels, indices: KEPT_FILES.indices },
      attacks: [...this.#attacks.values()],
      run: identityOf(this.run),
    };
    return writeText(join(this.folder, KEPT_FILES.manifest), `${JSON.stringify(manifest, undefined, 2)}\n`);
  }
}

/** What the attacks of a call become in the manifest. */
const entriesOf = ({ attacks, seed, seeds }: KeptRun): Entry[] =>
  Array.from({ length: seeds }, (_, i) => seed + i).flatMap((own) =>
    attacks.map((config) => ({
      ...{ name: config.name, seed: own, file: `${fileNameOf(nameOfSeed(config.name, own, seed))}.npy` },
      ...{ asked: JSON.stringify(config), finished: false },
    })),
  );

/** @throws DynnError 'attack/config' */
function checkFiles(run: KeptRun): void {
  const entries = entriesOf(run);
  const second = entries.find(({ file }, i) => entries.findIndex((other) => other.file === file) !== i);
  if (second === undefined) return;
  const names = entries.flatMap(({ name, file }) => (file === second.file ? [`"${name}"`] : []));
  throw new DynnError(
    "attack/config",
    `attacks ${names.join(" and ")}: their images would have one file, ${second.file}. Give one of them another name.`,
    { file: second.file },
  );
}

/** The texts by which two runs are told apart, in the order in which a difference is said. */
const identityOf = ({ version, model, data, image, seed, settings }: KeptRun): Record<string, string> => ({
  "version of dynn": version,
  "SHA-256 of the model": model.sha256 ?? "unknown",
  data: `${data.name}, ${data.labels.length} samples`,
  "SHA-256 of the labels": sha256(bytesOf(data.labels)),
  image: image.join(" x "),
  seed: String(seed),
  options: JSON.stringify(settings),
});

/** The manifest of the same run, if the folder has one.
 * @throws DynnError 'file/other-run' */
async function before(folder: string, run: KeptRun): Promise<Manifest | undefined> {
  const manifest = await manifestOf(folder);
  if (manifest === undefined) {
    const wanted = [KEPT_FILES.labels, KEPT_FILES.indices, ...entriesOf(run).map(({ file }) => file)];
    const found = wanted.find((name) => existsSync(join(folder, name)));
    if (found !== undefined) throw otherRun(folder, `${found} is there, and no ${KEPT_FILES.manifest} says what it is`);
    return undefined;
  }
  const now = identityOf(run);
  const differs = Object.keys(now).find((key) => manifest.run[key] !== now[key]);
  if (differs !== undefined)
    throw otherRun(folder, `${differs}: ${manifest.run[differs]} there, ${now[differs]} in this call`);
  const asked = new Map(manifest.attacks.map(({ name, asked: text }) => [name, text]));
  const changed = run.attacks.find(
    (config) => (asked.get(config.name) ?? JSON.stringify(config)) !== JSON.stringify(config),
  );
  if (changed === undefined) return manifest;
  throw otherRun(
    folder,
    `attack "${changed.name}": ${asked.get(changed.name)} there, ${JSON.stringify(changed)} in this call`,
  );
}

async function manifestOf(folder: string): Promise<Manifest | undefined> {
  const path = join(folder, KEPT_FILES.manifest);
  if (!existsSync(path)) return undefined;
  try {
    return manifestSchema.parse(JSON.parse(new TextDecoder().decode(await readPlainFile(path))));
  } catch (cause) {
    throw otherRun(folder, `its ${KEPT_FILES.manifest} is not that of kept images (${reasonOf(cause).split("\n")[0]})`);
  }
}

/** The error of a folder whose images would be replaced. */
const otherRun = (folder: string, difference: string): DynnError =>
  new DynnError(
    "file/other-run",
    `${folder}: holds images of another run, and they are not replaced. ${difference}. Give another folder, or remove this one.`,
    { folder },
  );
