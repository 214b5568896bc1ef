/** @file Puts the modules that a process of dynn starts with into few files: Node takes half a millisecond for each module. `npm run build`
 *  runs it. The library keeps its modules: bundlers of its users drop those that are not used.
 *  Usage: node scripts/bundle.mjs   (writes dist/bundle, and makes the entries below import it) */
import { readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join, posix, relative, resolve } from "node:path";
import { rolldown } from "rolldown";

const DIST = resolve(import.meta.dirname, "../dist");
const BUNDLE = join(DIST, "bundle");
/** Files that processes and threads are started with. They keep their places. */
const ENTRIES = ["cli/main.js", "node/engines/child.js", "node/data/prefetch-worker.js"];
/** A module of its own, because it must run before ONNX Runtime loads. In a file with others it would run after. */
const FIRST = "node/ort-node/telemetry.js";

const asPath = (file) => file.replaceAll("\\", "/");

/** A module goes on to find files beside its own place. */
const ownAddress = {
  name: "own-address",
  transform: (code, id) =>
    code.replaceAll(
      "import.meta.url",
      `new URL(${JSON.stringify(asPath(relative(BUNDLE, id)))}, import.meta.url).href`,
    ),
};

const bundle = await rolldown({
  input: [...ENTRIES, FIRST].map((entry) => join(DIST, entry)),
  platform: "node",
  // The packages of others stay outside.
  external: (id) => !/^[./]|^[A-Z]:/i.test(id),
  plugins: [ownAddress],
});
await bundle.write({ dir: BUNDLE, format: "esm" });

for (const entry of ENTRIES) {
  const file = join(DIST, entry);
  const [first] = readFileSync(file, "utf8").split("\n");
  const bundled = posix.join(asPath(relative(dirname(file), BUNDLE)), basename(entry));
  writeFileSync(file, `${first.startsWith("#!") ? `${first}\n` : ""}import ${JSON.stringify(bundled)};\n`);
}
