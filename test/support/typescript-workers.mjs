/** @file Lets worker threads and child processes run from TypeScript sources. vitest compiles only what its own threads import; a thread that the code under
 *  test starts is plain Node, and gets these module hooks by `--import` (vitest.config.ts): the first file of a thread, `./x.js`, means
 *  `./x.ts` where only that is there. It is loaded as one module with all its imports of sources in it: Node takes five
 *  seconds for the 800 files of a child one by one. The module is kept until a source changes. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { register } from "node:module";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { isMainThread } from "node:worker_threads";

const AS_HOOKS = "?hooks";
const SOURCES = fileURLToPath(new URL("../../src", import.meta.url));
const KEPT = fileURLToPath(new URL("../../node_modules/.cache/dynn-workers", import.meta.url));

/** A process that was started with a file of which only the source is there. */
const isChild = isMainThread && process.argv[1]?.endsWith(".js") && !existsSync(process.argv[1]);

// Node loads the hooks themselves in one more thread: without this, they would register themselves again there.
if ((!isMainThread || isChild) && !import.meta.url.endsWith(AS_HOOKS)) register(import.meta.url + AS_HOOKS);

export async function resolve(specifier, context, next) {
  if (!/^(\.|file:)/.test(specifier) || !specifier.endsWith(".js")) return next(specifier, context);
  const source = new URL(specifier.replace(/\.js$/, ".ts"), context.parentURL);
  const compiled = new URL(specifier, context.parentURL);
  const onlySource = !existsSync(fileURLToPath(compiled)) && existsSync(fileURLToPath(source));
  return onlySource ? { url: source.href, shortCircuit: true } : next(specifier, context);
}

export async function load(url, context, next) {
  if (!url.endsWith(".ts")) return next(url, context);
  const entry = fileURLToPath(url);
  const kept = join(KEPT, `${keyOf(entry)}.mjs`);
  if (!existsSync(kept)) keep(kept, await bundle(entry));
  return { format: "module", source: readFileSync(kept), shortCircuit: true };
}

/** Changes with every source, with this file and with the entry. */
function keyOf(entry) {
  const hash = createHash("sha256").update(entry);
  const sources = readdirSync(SOURCES, { recursive: true }).filter((name) => name.endsWith(".ts"));
  for (const file of [...sources.sort().map((name) => join(SOURCES, name)), fileURLToPath(import.meta.url)]) {
    const { mtimeMs, size } = statSync(file);
    hash.update(`${file} ${mtimeMs} ${size}\n`);
  }
  return hash.digest("hex").slice(0, 24);
}

/** Two threads may make the same file. Each writes its own and renames it. */
function keep(file, code) {
  mkdirSync(KEPT, { recursive: true });
  const own = `${file}.${process.pid}.${Math.random()}`;
  writeFileSync(own, code);
  renameSync(own, file);
}

async function bundle(input) {
  const { rolldown } = await import("rolldown");
  const bundled = await rolldown({
    input,
    platform: "node",
    external: (id) => !/^[./]/.test(id),
    resolve: { extensionAlias: { ".js": [".ts", ".js"] } },
    plugins: [ownAddress],
  });
  const { output } = await bundled.generate({ format: "esm", codeSplitting: false });
  return output[0].code;
}

/** A module of the bundle goes on to find files beside its own source. */
const ownAddress = {
  name: "own-address",
  transform: (code, id) =>
    code.includes("import.meta.url")
      ? code.replaceAll("import.meta.url", JSON.stringify(pathToFileURL(id).href))
      : undefined,
};
