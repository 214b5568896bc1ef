/** @file Scripts and benchmarks import what is there: a file that moves takes its importers along. `dist/x.js` is made from `src/x.ts`. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { expect, test } from "vitest";

const ROOT = resolve(import.meta.dirname, "../..");

const files = ["bench", "scripts", "examples", "test"].flatMap((folder) =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
    .filter((file) => /\.(mjs|ts)$/.test(file) && !file.startsWith("fixtures") && file !== "house/scripts.test.ts")
    .map((file) => join(folder, file)),
);

/** Relative paths in import statements and calls of import(). */
const IMPORTED = /(?:\bfrom|\bimport)\s*\(?\s*["'](\.[^"']+)["']/g;
/** Files of the build that a text names, such as "dist/cli/main.js". */
const BUILT = /["'](?:\.\.\/)*(dist\/[^"'*]+\.(?:d\.ts|js))["']/g;

const sourceOf = (path: string): string => path.replace(/^dist\//, "src/").replace(/\.(d\.ts|js)$/, ".ts");
const isThere = (path: string): boolean =>
  (!path.startsWith("dist/") && existsSync(join(ROOT, path))) || existsSync(join(ROOT, sourceOf(path)));

function pathsIn(file: string): string[] {
  const text = readFileSync(join(ROOT, file), "utf8");
  const imported = [...text.matchAll(IMPORTED)].map(([, to]) => relative(ROOT, resolve(ROOT, dirname(file), to)));
  const built = [...text.matchAll(BUILT)].map(([, path]) => path);
  return [...imported, ...built].map((path) => path.replaceAll("\\", "/"));
}

test("every file that scripts, benchmarks, examples and tests import or run is there", () => {
  const missing = files.flatMap((file) =>
    pathsIn(file)
      .filter((path) => !isThere(path))
      .map((path) => `${file}: ${path}`),
  );
  expect(missing).toEqual([]);
  expect(files.flatMap(pathsIn).filter((path) => path.startsWith("dist/")).length).toBeGreaterThan(20);
});

/** `import { a, b } from "../dist/x.js"` in a program that no compiler checks. */
const NAMED = /\bimport\s*\{([^}]*)\}\s*from\s*["'](?:\.\.\/)+(dist\/[^"']+)["']/g;

/** Names that a source file exports, read from its text. */
function exportsOf(source: string): Set<string> {
  const text = readFileSync(join(ROOT, source), "utf8");
  const listed = [...text.matchAll(/^export \{([^}]*)\}/gm)].flatMap(([, names]) => namesIn(names));
  const declared = [...text.matchAll(/^export (?:async )?(?:const|class|function\*?|\* as) (\w+)/gm)].map(
    ([, name]) => name,
  );
  const passedOn = [...text.matchAll(/^export \* from "([^"]+)"/gm)].flatMap(([, to]) => [
    ...exportsOf(sourceOf(join(dirname(source), to))),
  ]);
  return new Set([...listed, ...declared, ...passedOn]);
}

/** Names before and after `as`: `a as b` imports a, and exports b. */
const namesIn = (list: string, side: "first" | "last" = "last"): string[] =>
  list.split(",").flatMap((entry) => {
    const words = entry.trim().split(/\s+/);
    return (side === "first" ? words[0] : words.at(-1)) || [];
  });

test("every name that scripts and benchmarks import from the build is exported", () => {
  const wanted = files
    .filter((file) => file.endsWith(".mjs"))
    .flatMap((file) =>
      [...readFileSync(join(ROOT, file), "utf8").matchAll(NAMED)].map(([, names, path]) => ({
        file,
        source: sourceOf(path),
        names: namesIn(names, "first"),
      })),
    );
  const missing = wanted.flatMap(({ file, source, names }) => {
    const exported = exportsOf(source);
    return names.filter((name) => !exported.has(name)).map((name) => `${file}: ${name} of ${source}`);
  });
  expect(missing).toEqual([]);
  expect(wanted.flatMap(({ names }) => names).length).toBeGreaterThan(60);
});
