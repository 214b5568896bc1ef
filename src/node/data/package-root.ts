/** @file Finds the package's own files (samples, zoo), whether the code runs from src or from dist.
 */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The path of a file of the package, e.g. packageFile("samples", "cifar10-500.json"). */
export const packageFile = (...parts: readonly string[]): string =>
  join(packageRoot(dirname(fileURLToPath(import.meta.url))), ...parts);

/** The nearest folder, from `folder` upwards, whose package.json has the name "dynn". */
function packageRoot(folder: string): string {
  const manifest = join(folder, "package.json");
  if (existsSync(manifest) && JSON.parse(readFileSync(manifest, "utf8")).name === "dynn") return folder;
  if (dirname(folder) === folder) throw new Error("bug: the code is not inside the dynn package");
  return packageRoot(dirname(folder));
}
