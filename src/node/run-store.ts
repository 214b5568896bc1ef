/** @file Stores finished attacks on disk: NAME.npy holds the adversarial images (float32 [n, c*h*w]
 *  in [0,1]), NAME.json the rest.
 *  The JSON is written last, so an incomplete pair does not count. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { sha256 } from "../core/digest.js";
import { sizeOf } from "../core/shape.js";
import { stackRows } from "../core/tensor.js";
import { readNpy, writeNpy } from "../data/npy.js";
import type { RunStore, StoredRun } from "../studies/audit/index.js";
import { checkWritable, writeText } from "./files.js";
import { lockFolder } from "./folder-lock.js";
import { outputPlace, replaceFile } from "./output-files.js";
import { readPlainFile } from "./plain-file.js";

const schema = z.object({
  fingerprint: z.string(),
  seconds: z.number(),
  samples: z.array(
    z.object({
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
    }),
  ),
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
  await mkdir(place, { recursive: true }).catch(() => undefined);
  await checkWritable(join(folder, "probe"));
  const lock = lockFolder(folder);
  const pathOf = (name: string, extension: string) => join(folder, `${fileNameOf(name)}.${extension}`);
  return {
    close: lock.release,
    load: (name, fingerprint) => load(pathOf(name, "json"), pathOf(name, "npy"), fingerprint),
    save: async (name, fingerprint, { outcomes, seconds }) => {
      await replaceFile(pathOf(name, "npy"), writeNpy(stackRows(outcomes.map((o) => o.image))));
      const samples = outcomes.map(({ eligible, success, spent, vanished, lossRose }) => ({
        eligible,
        success,
        spent,
        vanished,
        lossRose,
      }));
      await writeText(pathOf(name, "json"), `${JSON.stringify({ fingerprint, seconds, samples })}\n`);
    },
  };
}

/** Longer names would exceed the limit of file systems (255 bytes). */
const LONGEST = 100;

/** An attack's name as a file name. A long name is cut, and its hash keeps it apart from others. */
function fileNameOf(name: string): string {
  const plain = name.replace(/[^\w.-]+/g, "_");
  if (plain.length <= LONGEST) return plain;
  return `${plain.slice(0, LONGEST - 17)}-${sha256(new TextEncoder().encode(name)).slice(0, 16)}`;
}

/** The run stored under the fingerprint. Undefined when the files are missing, damaged or of
 * another audit. */
async function load(jsonPath: string, npyPath: string, fingerprint: string): Promise<StoredRun | undefined> {
  try {
    const { samples, seconds, ...stored } = schema.parse(
      JSON.parse(new TextDecoder().decode(await readPlainFile(jsonPath))),
    );
    if (stored.fingerprint !== fingerprint) return undefined;
    const { data, dims, dtype } = readNpy(await readPlainFile(npyPath), npyPath);
    if (dtype !== "float32" || dims[0] !== samples.length) return undefined;
    const each = sizeOf(dims.slice(1));
    return {
      seconds,
      outcomes: samples.map(({ vanished, lossRose, ...s }, i) => ({
        ...s,
        ...(vanished ? { vanished } : {}),
        ...(lossRose === undefined ? {} : { lossRose }),
        image: (data as Float32Array).slice(i * each, (i + 1) * each),
      })),
    };
  } catch {
    return undefined;
  }
}
