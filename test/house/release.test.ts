/** @file The release script notices what must not be released. */
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, test } from "vitest";

interface Script {
  readonly versionProblems: (version: string, places: Readonly<Record<string, string | undefined>>) => string[];
  readonly packageProblems: (files: readonly { readonly path: string; readonly size: number }[]) => string[];
}

const ROOT = resolve(import.meta.dirname, "../..");
const read = (path: string): string => readFileSync(join(ROOT, path), "utf8");
const { versionProblems, packageProblems } = (await import(
  pathToFileURL(join(ROOT, "scripts/release.mjs")).href
)) as Script;

const places = {
  tag: "v1.2.3",
  changelog: "# Changelog\n\n## Unreleased\n\n## 1.2.3\n\nNew.\n",
  citation: "title: dynn\nversion: 1.2.3\n",
  source: 'export const VERSION = "1.2.3";',
};

describe("the version", () => {
  test("is right when every place names it", () => {
    expect(versionProblems("1.2.3", places)).toEqual([]);
  });

  test.each([
    ["tag", "v1.2.4", "the tag is v1.2.4, expected v1.2.3"],
    ["changelog", "# Changelog\n\n## 1.2.30\n", 'no heading "## 1.2.3"'],
    ["changelog", "## Unreleased\n\nMore.\n\n## 1.2.3\n", '"Unreleased" is not empty'],
    ["citation", "version: 1.2\n", 'expected "version: 1.2.3"'],
    ["source", 'export const VERSION = "1.2.2";', 'expected "1.2.3"'],
  ])("is wrong where %s says otherwise", (place, text, problem) => {
    expect(versionProblems("1.2.3", { ...places, [place]: text })).toEqual([expect.stringContaining(problem)]);
  });

  test("of today stands in the package, the citation and the source", () => {
    const { version } = JSON.parse(read("package.json")) as { version: string };
    const today = { ...places, tag: undefined, citation: read("CITATION.cff"), source: read("src/core/version.ts") };
    const problems = versionProblems(version, { ...today, changelog: `## ${version}\n` });
    expect(problems.filter((problem) => !problem.includes("between two releases"))).toEqual([]);
  });
});

test("between two releases the version is the next one, and says so", () => {
  const { version } = JSON.parse(read("package.json")) as { version: string };
  const [, latest] = /^## (\d+\.\d+\.\d+)/m.exec(read("CHANGELOG.md")) ?? [];
  const numbers = (text: string) => text.split(".").map((part) => Number.parseInt(part, 10));
  if (version === latest) return expect(read("CHANGELOG.md")).not.toMatch(/^## Unreleased\s+[^#\s]/m);
  expect(version).toMatch(/^\d+\.\d+\.\d+-unreleased$/);
  const [next, last] = [numbers(version), numbers(latest ?? "")];
  const place = next.findIndex((part, i) => part !== last[i]);
  expect(next[place]).toBe(last[place] + 1);
  expect(versionProblems(version, { ...places, tag: undefined })).toContain(
    `package.json: "${version}" is a build between two releases; set the version without the ending`,
  );
});

test("the package may lack nothing, hold nothing else, and not be large", () => {
  const needed = [
    "dist/index.js",
    "dist/index.d.ts",
    "dist/node/index.js",
    "dist/node/index.d.ts",
    "dist/web/index.js",
    "dist/web/index.d.ts",
    "dist/cli/main.js",
    "playground/dist/index.html",
    "README.md",
    "LICENSE",
    "CHANGELOG.md",
  ];
  const files = needed.map((path) => ({ path, size: 1 }));
  expect(packageProblems(files)).toEqual([]);
  expect(packageProblems(files.slice(1))).toEqual(["the package lacks dist/index.js"]);
  expect(packageProblems([...files, { path: "test/x.ts", size: 1 }])).toEqual(["the package holds test/x.ts"]);
  expect(packageProblems([...files, { path: "zoo/big.onnx", size: 21e6 }])).toHaveLength(1);
});
