/** @file The build under test, found through its package.json alone: the command and the main entry. Inner files may move. */
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import { pathToFileURL } from "node:url";

/** Open a build.
 * @param dist absolute path of the folder that tsc wrote
 * @returns the path of the command, functions of the library, and the version of a dependency */
export async function openPackage(dist) {
  const root = dirname(dist);
  const manifest = readJson(join(root, "package.json"));
  const inDist = (path) => join(dist, path.replace(/^\.?\/?[^/]+\//, ""));
  const command = inDist(manifest.bin.dynn);
  if (!existsSync(command)) throw new Error(`${command} is not there. Run npm run build in ${basename(root)}.`);
  const entry = await import(pathToFileURL(inDist(entryOf(manifest.exports["."]))).href);
  const { resolve } = createRequire(join(root, "package.json"));
  return {
    command,
    root,
    readModel: entry.readModel,
    printGraph: entry.printGraph,
    versionOf: (name) => readJson(join(dirname(resolve(`${name}/package.json`)), "package.json")).version,
  };
}

const readJson = (path) => JSON.parse(readFileSync(path, "utf8"));

/** The file that `import "dynn"` loads. */
const entryOf = (exported) => (typeof exported === "string" ? exported : entryOf(exported.node ?? exported.default));
