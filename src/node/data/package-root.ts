/** @file Where the package's own files lie (samples, zoo), whether the code runs from src or from dist. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** Path of a file of the package, e.g. packageFile("samples", "cifar10-500.json"). */
export const packageFile = (...parts: readonly string[]): string =>
  join(packageRoot(dirname(fileURLToPath(import.meta.url))), ...parts);

/** The nearest folder, upwards from `folder`, with a package.json that is named "dynn". */
function packageRoot(folder: string): string {
  const manifest = join(folder, "package.json");
  if (existsSync(manifest) && JSON.parse(readFileSync(manifest, "utf8")).name === "dynn") return folder;
  if (dirname(folder) === folder) throw new Error("bug: the code does not lie inside the dynn package");
  return packageRoot(dirname(folder));
}
