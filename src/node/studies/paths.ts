/** @file Paths of a study, which start from its folder. */
import { isAbsolute, join } from "node:path";

/** A path of a plan, from the folder of the study. Names of the zoo and of recipes stay. */
export const fromRoot = (spec: string, root: string): string =>
  /^(zoo|recipe):/.test(spec) || isAbsolute(spec) ? spec : join(root, spec);

/** A data spec whose paths start from the folder of the study. */
export function dataFromRoot(spec: string, root: string): string {
  const colon = spec.indexOf(":");
  if (colon < 0 || spec.startsWith("sample")) return spec;
  const paths = spec.slice(colon + 1).split(",");
  return `${spec.slice(0, colon + 1)}${paths.map((path) => fromRoot(path, root)).join(",")}`;
}
