/** @file Writes the corpus of hostile models, test/fixtures/hostile, from test/fuzz/hostile.ts: one small file each, and index.json, which says
 *  what each asks for and how it must be refused. Files named found-* were met by the fuzzer and stay as they are.
 *  Usage: node scripts/make-hostile.mjs */
import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import "../test/fuzz/typescript.mjs";

const folder = resolve(import.meta.dirname, "../test/fixtures/hostile");
const { HOSTILE } = await import("../test/fuzz/hostile.ts");

for (const { name, bytes } of HOSTILE) writeFileSync(join(folder, `${name}.onnx`), bytes);
const index = HOSTILE.map(({ name, about, expected }) => ({ name, about, expected }));
writeFileSync(join(folder, "index.json"), `${JSON.stringify(index, undefined, 2)}\n`);
console.log(`wrote ${HOSTILE.length} files`);
