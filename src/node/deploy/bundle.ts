/** @file Reads bundles: a folder with manifest.json and the ONNX files that it names.
 *  Each part that runs on this machine is read whole or refused. Nothing outside the folder is
 *  read, wherever names or links point. */
import { readFile, realpath, stat } from "node:fs/promises";
import { join, sep } from "node:path";
import { sha256 } from "../../core/digest.js";
import { DynnError, reasonOf } from "../../core/errors.js";
import { showShape } from "../../core/shape.js";
import { type Bundle, type BundlePart, type Side, sideOf } from "../../deploy/bundle.js";
import { type Manifest, type ManifestPart, readManifest } from "../../deploy/manifest.js";
import type { Graph, ValueInfo } from "../../graph/graph.js";
import { readModel } from "../../onnx/read.js";

export const MANIFEST = "manifest.json";

/** The most bytes of a manifest. A large one has some kilobytes. */
const MANIFEST_LIMIT = 2 ** 20;

/** How a bundle is opened. */
export interface OpenOptions {
  /** The side whose parts are read. The files of the other side need not exist. Default: both
   * sides. */
  readonly side?: Side | undefined;
}

/** Read a bundle and check its files against its manifest.
 * @throws DynnError 'file/missing' when the folder does not exist, 'bundle/format' when it is not a
 *   bundle, 'bundle/damaged' when a file is missing or differs from the manifest */
export async function openBundle(folder: string, { side }: OpenOptions = {}): Promise<Bundle> {
  const manifest = await openManifest(folder);
  const parts: BundlePart[] = [];
  for (const part of sideOf(manifest, side))
    parts.push({ ...part, graph: graphOf(part, await partBytes(folder, part)) });
  return { folder, manifest, parts };
}

/** Read the manifest alone. The files are not checked.
 * @throws DynnError 'file/missing', 'bundle/format' */
export async function openManifest(folder: string): Promise<Manifest> {
  const path = join(folder, MANIFEST);
  const stats = await stat(folder).catch(() => undefined);
  if (!stats)
    throw new DynnError("file/missing", `${folder}: there is no such folder. Give the folder of a bundle.`, { folder });
  const text = await insideText(folder, path);
  try {
    return readManifest(JSON.parse(text), path);
  } catch (cause) {
    if (cause instanceof DynnError) throw cause;
    throw new DynnError(
      "bundle/format",
      `${path}: is not JSON (${reasonOf(cause)}). Export the model again.`,
      { path },
      { cause },
    );
  }
}

async function insideText(folder: string, path: string): Promise<string> {
  try {
    if ((await stat(path)).size > MANIFEST_LIMIT) throw new Error(`it has more than ${MANIFEST_LIMIT} bytes`);
    return new TextDecoder("utf-8", { fatal: true }).decode(await readInside(folder, MANIFEST));
  } catch (cause) {
    throw new DynnError(
      "bundle/format",
      `${folder}: its ${MANIFEST} cannot be read (${reasonOf(cause)}). Give a folder that \`dynn export\` wrote.`,
      { folder },
      { cause },
    );
  }
}

/** The bytes of a part's file, checked against the manifest.
 * @throws DynnError 'bundle/damaged' */
async function partBytes(folder: string, { name, file, sha256: wanted, bytes }: ManifestPart): Promise<Uint8Array> {
  const damaged = (what: string, cause?: unknown) =>
    new DynnError(
      "bundle/damaged",
      `${join(folder, file)}: ${what}. Copy the bundle again, or export the model again.`,
      { file },
      { cause },
    );
  const found = await readInside(folder, file).catch((cause: unknown) => {
    throw damaged(`cannot be read (${reasonOf(cause)}), but this machine runs part "${name}"`, cause);
  });
  if (found.length !== bytes) throw damaged(`has ${found.length} bytes, but the manifest says ${bytes}`);
  const digest = sha256(found);
  if (digest !== wanted) throw damaged(`has SHA-256 ${digest}, but the manifest says ${wanted}`);
  return found;
}

/** The bytes of a file inside the folder. A link that leads out of the folder is refused. */
async function readInside(folder: string, file: string): Promise<Uint8Array> {
  const [root, path] = await Promise.all([realpath(folder), realpath(join(folder, file))]);
  if (!path.startsWith(root.endsWith(sep) ? root : root + sep)) throw new Error("a link leads out of the folder");
  if (!(await stat(path)).isFile()) throw new Error("it is not a file");
  return readFile(path);
}

/** The graph of a part's file. Its inputs and outputs must be those of the manifest.
 * @throws DynnError 'bundle/format' */
function graphOf(part: ManifestPart, bytes: Uint8Array): Graph {
  const { graph } = readModel(bytes, { name: part.file, owned: true });
  const same = (stated: readonly ValueInfo[], found: readonly ValueInfo[]) => show(stated) === show(found);
  if (same(part.inputs, graph.inputs) && same(part.outputs, graph.outputs)) return graph;
  throw new DynnError(
    "bundle/format",
    `${part.file}: takes ${show(graph.inputs)} and gives ${show(graph.outputs)}, but the manifest says ${show(part.inputs)} and ${show(part.outputs)}. Export the model again.`,
    { file: part.file },
  );
}

const show = (infos: readonly ValueInfo[]): string =>
  infos.map(({ name, dtype, shape }) => `${name} ${dtype}${showShape(shape)}`).join(", ");
