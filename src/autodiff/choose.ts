/** @file The choice of a model's inputs and outputs by name. Only float values can be chosen. */
import { isFloat } from "../core/dtype.js";
import { DynnError } from "../core/errors.js";
import type { ValueInfo } from "../graph/graph.js";

/** dynn makes floats of pixels that are bytes, and of no other integers. */
const adviceFor = (values: readonly ValueInfo[]): string =>
  values.some(({ dtype }) => dtype === "uint8")
    ? "Read the file with fileGradient or load, which make pixels float32."
    : "Export the model with float32 in their place.";

/** The float values with these names. Without names: all float values.
 * @throws DynnError of the given code when a name is missing, or the list has no float values */
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
  if (floats.length === 0)
    throw new DynnError(
      code,
      `${where}s have the types ${values.map((v) => v.dtype).join(", ") || "of none"}, and a gradient needs float. ${adviceFor(values)}`,
      { name: missing },
    );
  const have = floats.map((v) => v.name).join(", ") || "none";
  throw new DynnError(
    code,
    `${where} ${missing} of float type does not exist, the model has ${have}. Choose one of these.`,
    { name: missing },
  );
}
