/** @file Links and mentions inside the repository lead somewhere. */
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { expect, test } from "vitest";
import { commentsOf, documents, parseDocument, ROOT } from "./documents.js";

const byPath = new Map(documents.map((d) => [d.path, d]));
const inside = documents.flatMap((d) =>
  d.links.filter(({ target }) => !/^https?:/.test(target)).map((link) => ({ ...link, document: d })),
);

/** What is wrong with a link, or nothing. */
function fault({ document, target }: (typeof inside)[number]): string | undefined {
  const [file = "", anchor] = target.split("#");
  const path = file === "" ? document.path : normalize(join(dirname(document.path), file));
  if (path.startsWith("..")) return "leads out of the repository";
  if (!existsSync(join(ROOT, path))) return "there is no such file";
  if (anchor !== undefined && !byPath.get(path)?.anchors.has(anchor)) return "there is no such heading";
  return undefined;
}

test("every link inside the repository leads to a file, and its anchor to a heading", () => {
  const wrong = inside.flatMap((link) => {
    const why = fault(link);
    return why === undefined ? [] : [`${link.at}: ${link.target}: ${why}`];
  });
  expect(wrong).toEqual([]);
  expect(inside.length).toBeGreaterThan(50);
});

test("no link leads to a file that git ignores", () => {
  const targets = [
    ...new Set(inside.map(({ document, target }) => join(dirname(document.path), target.split("#")[0]))),
  ];
  expect(ignoredAmong(targets)).toEqual([]);
});

/** Paths that .gitignore leaves out; git is asked, so that its rules are not written twice. */
function ignoredAmong(paths: readonly string[]): string[] {
  try {
    const out = execFileSync("git", ["check-ignore", "--no-index", "--stdin"], {
      cwd: ROOT,
      input: paths.join("\n"),
      encoding: "utf8",
      stdio: ["pipe", "pipe", "ignore"],
    });
    return out.split("\n").filter(Boolean);
  } catch {
    // Exit status 1: none is ignored; 128: no git repository, so nothing can be said.
    return [];
  }
}

test("every document that the code mentions exists", () => {
  const sources = readdirSync(join(ROOT, "src"), { recursive: true, encoding: "utf8" }).filter(
    (f) => f.endsWith(".ts") && !f.includes("generated"),
  );
  const mentioned = new Set(
    sources.flatMap((f) => readFileSync(join(ROOT, "src", f), "utf8").match(/\bdocs\/[\w./-]+\.(?:md|json)\b/g) ?? []),
  );
  expect([...mentioned].filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
  expect(mentioned.size).toBeGreaterThan(0);
});

test("documents are parsed as GitHub reads them", () => {
  const text = "# A `b`, c\n\n```sh\n# no heading\n[no](link)\n```\n\n## A b c\n[yes](x.md#a-b-c) `[no](code)`\n";
  const parsed = parseDocument("d.md", text);
  expect([...parsed.anchors]).toEqual(["a-b-c", "a-b-c-1"]);
  expect(parsed.links).toEqual([{ at: "d.md:9", target: "x.md#a-b-c" }]);
  expect(parsed.blocks.map(({ at, language }) => `${at} ${language}`)).toEqual(["d.md:3 sh"]);
});

test("comments of a source are parsed where they stand, without their stars", () => {
  const source = "const a = 1; // no /** here\n/** One.\n * ```ts\n * const b = 2;\n * ```\n */\nexport const c = 3;\n";
  const parsed = parseDocument("c.ts", commentsOf(source));
  expect(parsed.blocks).toEqual([{ at: "c.ts:3", document: "c.ts", language: "ts", text: "const b = 2;\n" }]);
});
