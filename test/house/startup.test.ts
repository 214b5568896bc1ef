/** @file What the command loads before it knows which command was called: no engine, no room but core and cli. */
import { readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { expect, test } from "vitest";

const SRC = resolve(import.meta.dirname, "../../src");

/** Imports that run when the file is loaded: neither types alone nor `import()`. */
const STATIC = /^(?:import|export)\s+(?!type\b)(?:[^"';]*?\bfrom\s+)?"([^"]+)";/gm;

/** Files and packages that loading a file loads. */
function loadedBy(file: string, found = new Set<string>()): Set<string> {
  if (found.has(relative(SRC, file))) return found;
  found.add(relative(SRC, file));
  for (const [, to = ""] of readFileSync(file, "utf8").matchAll(STATIC))
    if (to.startsWith(".")) loadedBy(join(dirname(file), to).replace(/\.js$/, ".ts"), found);
    else found.add(to);
  return found;
}

const loaded = [...loadedBy(join(SRC, "cli/main.ts"))];

test("starting the command loads two small packages, and files of core and cli alone", () => {
  const packages = loaded.filter((name) => !name.endsWith(".ts"));
  expect(packages.sort()).toEqual(["commander", "picocolors"]);
  const elsewhere = loaded.filter((name) => name.endsWith(".ts") && !/^(core|cli)\//.test(name));
  expect(elsewhere).toEqual([]);
});

test("starting the command loads no command's module", () => {
  expect(loaded.filter((name) => name.endsWith("/command.ts"))).toEqual([]);
  expect(loaded).toContain("cli/run.ts");
});
