/** @file The size of `dynn/web` in a page: bundled for browsers by Vite, minified, in gzip. ONNX Runtime for the web is left out; it is a
 *  package of its own.
 *  Usage: node bench/bundle.mjs [--record]      (bundles src/, no build needed) */
import { relative, resolve } from "node:path";
import { gzipSync } from "node:zlib";
import { build } from "vite";
import { environment, report, root } from "./record.mjs";

/** What is left out of a bundle: the engine. */
const LEFT_OUT = /^onnxruntime-(web|common)(\/|$)/;
const PAGE = resolve(root, "dynn-page.ts");

/** Pages by what they import from the entry. */
export const PAGES = {
  "a page that classifies": "createExecutor, Forward, Images, load, ortWeb",
  "a page that attacks": "configureAttack, Evaluator, load, ortWeb, runAttack, samples",
  "a page that draws a report": "audit, load, ortWeb, renderAudit",
  "all that dynn/web exports": "*",
};

/** Writes every import down. */
const watch = (page, imports) => ({
  name: "watch",
  enforce: "pre",
  resolveId(to, importer) {
    if (importer === undefined) return PAGE;
    imports.push({ from: relative(root, importer), to });
    return LEFT_OUT.test(to) ? { id: to, external: true } : undefined;
  },
  load: (id) => (id === PAGE ? page : undefined),
});

/** Bundle a page for browsers.
 * @param names what the page imports, or "*"
 * @param entry file of the entry
 * @returns `imports`: every import, before unused modules are dropped, as {from, to}; `modules`: files of the bundle;
 *          `bytes` after gzip */
export async function bundle(names, entry = resolve(root, "src/web/index.ts")) {
  const imports = [];
  const page = `export ${names === "*" ? "*" : `{ ${names} }`} from ${JSON.stringify(entry)};`;
  const { output } = await build({
    root,
    configFile: false,
    logLevel: "error",
    publicDir: false,
    plugins: [watch(page, imports)],
    build: {
      write: false,
      target: "es2022",
      minify: true,
      rolldownOptions: { input: PAGE, preserveEntrySignatures: "strict" },
    },
  });
  const chunks = output.filter(({ type }) => type === "chunk");
  return {
    imports,
    modules: chunks.flatMap(({ moduleIds }) => moduleIds).map((id) => relative(root, id).replaceAll("\\", "/")),
    bytes: chunks.reduce((sum, { code }) => sum + gzipSync(code).length, 0),
  };
}

/** Packages of a bundle, in order. */
const packagesOf = (modules) =>
  [...new Set(modules.flatMap((id) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(id)?.[1] ?? []))].sort();

async function main() {
  const lines = [environment(), "page                         kB gzip   modules of dynn   packages"];
  for (const [name, names] of Object.entries(PAGES)) {
    const { bytes, modules } = await bundle(names);
    const own = modules.filter((id) => id.startsWith("src/")).length;
    const size = (bytes / 1000).toFixed(1).padStart(8);
    lines.push(`${name.padEnd(27)} ${size} ${String(own).padStart(17)}   ${packagesOf(modules).join(" ")}`);
  }
  report("bundle", lines);
}

if (process.argv[1] && resolve(process.argv[1]) === resolve(import.meta.filename)) await main();
