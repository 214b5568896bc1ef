/** @file Opens a dataset from a data spec, `scheme:argument`. One table holds every scheme: its
 *  form, an example, its opener.
 *  Read by: cli (--data), studies. */
import { stat } from "node:fs/promises";
import { DynnError } from "../../core/errors.js";
import { didYouMean } from "../../core/guess.js";
import type { Dataset } from "../../data/dataset.js";
import { CIFAR10_ARCHIVE, CIFAR100_ARCHIVE, openCifar } from "./cifar.js";
import { openFolder } from "./folder.js";
import { openNpy } from "./npy.js";
import { openSample } from "./sample.js";

/** A form of data. */
export interface Scheme {
  /** How a spec of this form is written. */
  readonly form: string;
  /** An example of a spec. */
  readonly example: string;
  /** Whether the scheme accepts the text after the colon. */
  readonly accepts: (argument: string | undefined) => boolean;
  /** Opens the dataset. */
  readonly open: (argument: string) => Promise<Dataset>;
}

const isGiven = (argument: string | undefined): boolean => argument !== undefined && argument !== "";

/** Every form of data that dynn reads. */
export const DATA_SCHEMES: Readonly<Record<string, Scheme>> = {
  cifar10: {
    form: "cifar10:DIR or cifar10:DIR#train",
    example: "cifar10:data/cifar-10-batches-bin",
    accepts: isGiven,
    open: (argument) => openCifar(CIFAR10_ARCHIVE, argument),
  },
  cifar100: {
    form: "cifar100:DIR or cifar100:DIR#train",
    example: "cifar100:data/cifar-100-binary",
    accepts: isGiven,
    open: (argument) => openCifar(CIFAR100_ARCHIVE, argument),
  },
  folder: {
    form: "folder:DIR, folder:DIR?fit=crop|pad|stretch or folder:DIR?size=WIDTHxHEIGHT",
    example: "folder:photos",
    accepts: isGiven,
    open: openFolder,
  },
  npy: { form: "npy:IMAGES,LABELS", example: "npy:x.npy,y.npy", accepts: isGiven, open: openNpy },
  sample: {
    form: "sample",
    example: "sample:cifar10",
    accepts: (argument) => argument === undefined || argument === "cifar10",
    open: openSample,
  },
};

/** Open a dataset.
 * @throws DynnError 'data/spec' listing the forms; else what the scheme's opener throws
 * @example
 * ```ts
 * import { openDataset } from "dynn/node";
 *
 * const data = await openDataset("sample");
 * const pixels = new Float32Array(2 * 3 * 32 * 32);
 * await data.read([0, 1], pixels);
 * console.log(data.count, data.classes?.[data.labels[0] ?? 0], pixels[0]);
 * ```
 */
export async function openDataset(spec: string): Promise<Dataset> {
  const colon = spec.indexOf(":");
  const [name, argument] = colon < 0 ? [spec, undefined] : [spec.slice(0, colon), spec.slice(colon + 1)];
  const scheme = Object.hasOwn(DATA_SCHEMES, name) ? DATA_SCHEMES[name] : undefined;
  if (scheme?.accepts(argument)) return scheme.open(argument ?? "");
  const guess = await guessFor(spec);
  const forms = Object.values(DATA_SCHEMES).map(({ form, example }) => `  ${form} (e.g. ${example})`);
  throw new DynnError("data/spec", `data "${spec}": is not a data spec.${guess} Write one of:\n${forms.join("\n")}\n`, {
    spec,
  });
}

/** What a text may mean: a folder without its scheme, or a scheme of another spelling. */
async function guessFor(spec: string): Promise<string> {
  if (await isFolder(spec)) return ` Did you mean folder:${spec}?`;
  const [name, ...rest] = spec.split(":");
  const known = Object.keys(DATA_SCHEMES);
  return known.includes(name) ? "" : didYouMean(name, known, (one) => [one, ...rest].join(":"));
}

const isFolder = async (path: string): Promise<boolean> =>
  (await stat(path).catch(() => undefined))?.isDirectory() ?? false;
