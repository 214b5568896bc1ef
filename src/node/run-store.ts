/** @file Stores attacks on disk: NAME.npy holds the adversarial images (float32 [n,c,h,w] in
 *  [0,1]), NAME.json the rest. Parts of an unfinished attack lie beside them.
 *  The JSON is written last, so an incomplete pair does not count. */
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import type { SampleOutcome } from "../attacks/attack.js";
import { sha256 } from "../core/digest.js";
import { DynnError } from "../core/errors.js";
import { sizeOf } from "../core/shape.js";
import { stackRows } from "../core/tensor.js";
import { readNpy, writeNpy } from "../data/npy.js";
import type { RunPart, RunStore, StoredRun } from "../studies/audit/index.js";
import { checkWritable, writeText } from "./files.js";
import { lockFolder } from "./folder-lock.js";
import { makeFolder, outputPlace, replaceFile, unwritable } from "./output-files.js";
import { readPlainFile } from "./plain-file.js";

const outcomeSchema = z.object({
  eligible: z.boolean(),
  success: z.boolean(),
  spent: z.object({
    queries: z.number(),
    gradients: z.number(),
    forwardMacs: z.number(),
    backwardMacs: z.number(),
    macsToSuccess: z.number().nullable(),
    queriesToSuccess: z.number().nullable(),
  }),
  vanished: z.boolean().optional(),
  lossRose: z.boolean().optional(),
  reached: z.array(z.boolean()).optional(),
});

const schema = z.object({
  fingerprint: z.string(),
  seconds: z.number(),
  /** Places of the samples, in a part of a run. */
  places: z.array(z.number()).optional(),
  samples: z.array(outcomeSchema),
});

/** A store in a folder. */
export interface FolderStore extends RunStore {
  /** Let other processes use the folder. */
  readonly close: () => void;
}

/** A store in a folder. The folder is made when it does not exist. It is locked until `close` or
 * the end of the process.
 * @throws DynnError 'file/unwritable', 'file/locked' */
export async function folderStore(folder: string): Promise<FolderStore> {
  const place = await outputPlace(folder).catch(() => folder);
  await makeFolder(place).catch((cause: unknown) => {
    throw unwritable(folder, cause, "Choose a folder in a place that you may write to.");
  });
  await checkWritable(join(folder, "probe"));
  const lock = lockFolder(folder);
  const baseOf = (name: string) => join(folder, fileNameOf(name));
  return {
    close: lock.release,
    load: async (name, fingerprint) => {
      await refuseOther(baseOf(name), fingerprint);
      return load(baseOf(name), fingerprint);
    },
    loadParts: (name, fingerprint) => loadParts(folder, name, fingerprint),
    savePart: async (name, fingerprint, { outcomes, seconds }) => {
      const base = `${baseOf(name)}.part-${(await partsOf(folder, name)).length}`;
      await write(base, { fingerprint, seconds, places: [...outcomes.keys()] }, [...outcomes.values()]);
    },
    save: async (name, fingerprint, { outcomes, seconds, manifest }) => {
      await write(baseOf(name), { fingerprint, seconds, ...manifest }, outcomes, manifest?.image);
      for (const part of await partsOf(folder, name))
        for (const extension of ["json", "npy"]) await rm(`${part}.${extension}`, { force: true });
    },
  };
}

/** Writes outcomes: the images first, because a pair without its JSON does not count. */
async function write(
  base: string,
  facts: object,
  outcomes: readonly SampleOutcome[],
  image?: readonly number[],
): Promise<void> {
  const dims = image && outcomes.length > 0 ? image : undefined;
  await replaceFile(
    `${base}.npy`,
    writeNpy(
      stackRows(
        outcomes.map((o) => o.image),
        dims,
      ),
    ),
  );
  const samples = outcomes.map(({ image: _, ...rest }) => rest);
  await writeText(`${base}.json`, `${JSON.stringify({ ...facts, samples })}\n`);
}

/** The parts of an unfinished run, without the extensions of their files. */
async function partsOf(folder: string, name: string): Promise<string[]> {
  const start = `${fileNameOf(name)}.part-`;
  const files = await readdir(folder).catch(() => []);
  const parts = files.filter((file) => file.startsWith(start)).map((file) => join(folder, file.replace(/\.\w+$/, "")));
  return [...new Set(parts)].sort();
}

async function loadParts(folder: string, name: string, fingerprint: string): Promise<RunPart> {
  const all = new Map<number, SampleOutcome>();
  let seconds = 0;
  for (const part of await partsOf(folder, name)) {
    const stored = await load(part, fingerprint);
    if (!stored?.places) continue;
    seconds += stored.seconds;
    for (const [i, place] of stored.places.entries()) all.set(place, stored.outcomes[i]);
  }
  return { outcomes: all, seconds };
}

/** Longer names would exceed the limit of file systems (255 bytes). */
const LONGEST = 100;

/** An attack's name as a file name. A long name is cut, and its hash keeps it apart from others. */
export function fileNameOf(name: string): string {
  const plain = name.replace(/[^\w.-]+/g, "_");
  if (plain.length <= LONGEST) return plain;
  return `${plain.slice(0, LONGEST - 17)}-${sha256(new TextEncoder().encode(name)).slice(0, 16)}`;
}

/** Images that are whole and of another run are not replaced.
 * @throws DynnError 'file/other-run' */
async function refuseOther(base: string, fingerprint: string): Promise<void> {
  const other = await readPlainFile(`${base}.json`)
    .then((json) => schema.parse(JSON.parse(new TextDecoder().decode(json))).fingerprint)
    .catch(() => fingerprint);
  if (other === fingerprint) return;
  throw new DynnError(
    "file/other-run",
    `${base}.npy: holds images of another run, and they are not replaced. Its version, model, policy, data, attack or seed differs. Give another folder, or remove ${base}.npy and ${base}.json.`,
    { path: `${base}.npy` },
  );
}

/** The outcomes stored under the fingerprint. Undefined when the files are missing, damaged or of
 * another audit. */
async function load(
  base: string,
  fingerprint: string,
): Promise<(StoredRun & { readonly places?: readonly number[] | undefined }) | undefined> {
  try {
    const json = await readPlainFile(`${base}.json`);
    const { samples, seconds, places, ...stored } = schema.parse(JSON.parse(new TextDecoder().decode(json)));
    if (stored.fingerprint !== fingerprint) return undefined;
    const { data, dims, dtype } = readNpy(await readPlainFile(`${base}.npy`), base);
    if (dtype !== "float32" || dims[0] !== samples.length) return undefined;
    const each = sizeOf(dims.slice(1));
    const outcomes = samples.map(({ vanished, lossRose, reached, ...s }, i) => ({
      ...s,
      ...(vanished ? { vanished } : {}),
      ...(lossRose === undefined ? {} : { lossRose }),
      ...(reached ? { reached } : {}),
      image: (data as Float32Array).slice(i * each, (i + 1) * each),
    }));
    return { seconds, outcomes, ...(places ? { places } : {}) };
  } catch {
    return undefined;
  }
}
