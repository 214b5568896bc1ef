/** @file Which inputs and outputs of a model a caller means: those of float type, by name. */
import { isFloat } from "../core/dtype.js";
import { DynnError } from "../core/errors.js";
import type { ValueInfo } from "../graph/graph.js";

/** Values of float type under these names; left out: all of them.
 * @throws DynnError of this code when one is not there, or there is none at all */
export function floatValues(
  values: readonly ValueInfo[],
  names: readonly string[] | undefined,
  code: "model/input" | "model/classifier",
  where: string,
): ValueInfo[] {
  const floats = values.filter((v) => isFloat(v.dtype));
  const missing = floats.length === 0 ? "" : names?.find((name) => !floats.some((v) => v.name === name));
  if (missing === undefined)
    return names ? names.map((name) => floats.find((v) => v.name === name) as ValueInfo) : floats;
  const have = floats.map((v) => v.name).join(", ") || "none";
  throw new DynnError(
    code,
    `${where} ${missing} of float type is not there, the model has ${have}. Name one of those.`,
    { name: missing },
  );
}
