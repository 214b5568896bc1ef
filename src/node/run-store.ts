/** @file Stores finished attacks on disk: NAME.npy holds the adversarial images (float32 [n, c*h*w]
 *  in [0,1]), NAME.json the rest.
 *  The JSON is written last, so an incomplete pair does not count. */
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { sizeOf } from "../core/shape.js";
import { stackRows } from "../core/tensor.js";
import { readNpy, writeNpy } from "../data/npy.js";
import type { RunStore, StoredRun } from "../studies/audit/index.js";
import { checkWritable, writeText } from "./files.js";
import { replaceFile } from "./onnx-files.js";

const schema = z.object({
  fingerprint: z.string(),
  seconds: z.number(),
  samples: z.array(
    z.object({
      eligible: z.boolean(),
      success: z.boolean(),
      gradientEvaluations: z.number(),
      vanished: z.boolean().optional(),
    }),
  ),
});

/** A store in a folder. The folder is made when it does not exist.
 * @throws DynnError 'file/unwritable' */
export async function folderStore(folder: string): Promise<RunStore> {
  await mkdir(folder, { recursive: true }).catch(() => undefined);
  await checkWritable(join(folder, "probe"));
  const pathOf = (name: string, extension: string) => join(folder, `${name.replace(/[^\w.-]+/g, "_")}.${extension}`);
  return {
    load: (name, fingerprint) => load(pathOf(name, "json"), pathOf(name, "npy"), fingerprint),
    save: async (name, fingerprint, { outcomes, seconds }) => {
      await replaceFile(pathOf(name, "npy"), writeNpy(stackRows(outcomes.map((o) => o.image))));
      const samples = outcomes.map(({ eligible, success, gradientEvaluations, vanished }) => ({
        eligible,
        success,
        gradientEvaluations,
        vanished,
      }));
      await writeText(pathOf(name, "json"), `${JSON.stringify({ fingerprint, seconds, samples })}\n`);
    },
  };
}

/** The run stored under the fingerprint. Undefined when the files are missing, damaged or of
 * another audit. */
async function load(jsonPath: string, npyPath: string, fingerprint: string): Promise<StoredRun | undefined> {
  try {
    const { samples, seconds, ...stored } = schema.parse(JSON.parse(await readFile(jsonPath, "utf8")));
    if (stored.fingerprint !== fingerprint) return undefined;
    const { data, dims, dtype } = readNpy(await readFile(npyPath), npyPath);
    if (dtype !== "float32" || dims[0] !== samples.length) return undefined;
    const each = sizeOf(dims.slice(1));
    return {
      seconds,
      outcomes: samples.map(({ vanished, ...s }, i) => ({
        ...s,
        ...(vanished ? { vanished } : {}),
        image: (data as Float32Array).slice(i * each, (i + 1) * each),
      })),
    };
  } catch {
    return undefined;
  }
}
