/** @file From --classes and --by-order to how classes of data are matched with those of a model. */
import { type ClassMatching, parseClassMap } from "../../data/classes.js";
import type { Dataset } from "../../data/dataset.js";
import { type FittedModel, fitData } from "../../data/fit.js";
import { openDataset } from "../../node/data/open.js";
import { readJson } from "../../node/files.js";
import type { CommonFlags } from "./common-options.js";

export type ClassFlags = CommonFlags<never, "classes" | "byOrder">;

/** @throws DynnError 'file/missing', 'data/format' */
export async function matchingOf({ classes, byOrder }: ClassFlags): Promise<ClassMatching> {
  if (classes === undefined) return { byOrder };
  return { classes: parseClassMap(await readJson(classes, "data/format"), classes) };
}

/** Open data whose labels follow the classes of a model.
 * @throws DynnError what `openDataset`, `fitData` and {@link matchingOf} throw */
export const openFitted = async (model: FittedModel, spec: string, flags: ClassFlags): Promise<Dataset> =>
  fitData(model, await openDataset(spec), await matchingOf(flags));
