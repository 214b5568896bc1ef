/** @file Lets worker threads and child processes run from TypeScript sources. vitest compiles only what its own threads import; a thread that the code under
 *  test starts is plain Node, and gets these module hooks by `--import` (vitest.config.ts): `./x.js` means `./x.ts` where only
 *  that is there, and types are stripped when a file is loaded. */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { register } from "node:module";
import { fileURLToPath } from "node:url";
import { isMainThread } from "node:worker_threads";

const AS_HOOKS = "?hooks";

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
  const { transformWithOxc } = await import("vite");
  const file = fileURLToPath(url);
  const { code } = await transformWithOxc(await readFile(file, "utf8"), file);
  return { format: "module", source: code, shortCircuit: true };
}
