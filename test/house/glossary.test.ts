/** @file The glossary has one word for each idea. Words that it retires appear in no code, comment, message or document. */
import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, test } from "vitest";

const ROOT = resolve(import.meta.dirname, "../..");

interface Term {
  readonly term: string;
  readonly meaning: string;
  /** Words that nobody writes for it; those in backticks are names in code. */
  readonly retired: readonly string[];
}

/** Where a retired word stays, and why. */
const ALLOWED: readonly { readonly word: RegExp; readonly path: RegExp; readonly why: string }[] = [
  { word: /./, path: /^docs\/glossary\.md$|^test\/house\/glossary\.test\.ts$/, why: "they name what is retired" },
  { word: /./, path: /^src\/onnx\/generated\//, why: "made from onnx.proto, in the words of ONNX" },
  { word: /early/, path: /^src\/attacks\/names\.ts$/, why: "the table of old names, which attack files may use" },
  { word: /early/, path: /^test\/attacks\/config\.test\.ts$/, why: "tests that the old names are read" },
  { word: /early/, path: /^scripts\/same-behaviour\//, why: "builds from before the renaming know the old names" },
  { word: /early/, path: /^docs\/attack-file\.md$|^CHANGELOG\.md$/, why: "they tell users of the renaming" },
  { word: /createEngine|Engine/, path: /^CHANGELOG\.md$/, why: "it tells users of the renaming" },
  { word: /^pieces?$/, path: /^src\/ops\/|^test\/ops\//, why: "functions that are piecewise" },
  { word: /^pieces?$/, path: /^test\/fuzz\/|^test\/onnx\/fuzz|^docs\/security\.md$/, why: "pieces of a file's bytes" },
  { word: /^settled$/, path: /^test\/node\/serve\/batcher\.test\.ts$/, why: "Promise.allSettled of JavaScript" },
];

const glossary = readFileSync(join(ROOT, "docs/glossary.md"), "utf8");

/** Rows of the glossary's tables, without heads and rules. */
const terms: readonly Term[] = glossary
  .split("\n")
  .filter((line) => line.startsWith("|") && !/^\| (term|-)/.test(line))
  .map((line) => line.split("|").map((cell) => cell.trim()))
  .map(([, term, meaning, not]) => ({ term, meaning, retired: not === "" ? [] : not.split(", ") }));

const retired = terms.flatMap((term) => term.retired);

const isName = (word: string): boolean => word.startsWith("`");
const bare = (word: string): string => word.replaceAll("`", "");

const filesIn = (folder: string, kinds: RegExp): string[] =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
    .filter((file) => kinds.test(file) && !/fixtures|snapshots|node_modules/.test(file))
    .map((file) => `${folder}/${file}`);
const files = [
  ...["src", "test", "examples", "bench", "scripts"].flatMap((folder) => filesIn(folder, /\.(ts|mjs)$/)),
  ...filesIn("docs", /\.md$/),
  ...["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md"],
];

/** Code without comments and text, in which a word is a name. Line ends stay. */
const blank = (text: string): string => text.replaceAll(/[^\n]/g, " ");
const namesOf = (code: string): string =>
  code.replaceAll(
    /\/\*[\s\S]*?\*\/|\/\/[^\n]*|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`|(?<=[(,=:[\s])\/(?:[^/\\\n]|\\.)+\/[gimsuy]*/g,
    blank,
  );

const escaped = (word: string): string => word.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
/** A word with nothing of a longer word, name or path around it. */
const finders = new Map<string, RegExp>();
function finder(word: string): RegExp {
  const made =
    finders.get(word) ?? new RegExp(`(?<![\\w./-])${escaped(bare(word))}(?![\\w-])`, isName(word) ? "" : "i");
  finders.set(word, made);
  return made;
}

/** Each use as "path:line: word". */
function usesIn(path: string, text: string, words: readonly string[] = retired): string[] {
  const lower = text.toLowerCase();
  const near = words.filter((word) => lower.includes(bare(word).toLowerCase()) && !isAllowed(word, path));
  const names = near.some(isName) ? namesOf(text) : "";
  return near.flatMap((word) => {
    if (isName(word) && path.endsWith(".md")) return [];
    const lines = (isName(word) ? names : text).split("\n");
    return lines.flatMap((line, i) => (finder(word).test(line) ? [`${path}:${i + 1}: ${word}`] : []));
  });
}

const isAllowed = (word: string, path: string): boolean =>
  ALLOWED.some((one) => one.word.test(bare(word)) && one.path.test(path));

describe("the glossary", () => {
  test("has one plain sentence or two for each term, and no term twice", () => {
    expect(terms.length).toBeGreaterThanOrEqual(40);
    expect(new Set(terms.map(({ term }) => term)).size).toBe(terms.length);
    expect(terms.filter(({ meaning }) => !/^\S.*\.$/.test(meaning)).map(({ term }) => term)).toEqual([]);
  });

  test("retires no word that it uses as a term", () => {
    const used = new Set(terms.map(({ term }) => term));
    expect(retired.filter((word) => !isName(word) && used.has(word))).toEqual([]);
  });
});

describe("retired words", () => {
  test("appear in no code, comment, message or document", () => {
    expect(files.length).toBeGreaterThan(700);
    expect(files.flatMap((path) => usesIn(path, readFileSync(join(ROOT, path), "utf8")))).toEqual([]);
  });

  test("are found as words in text, and as names in code alone", () => {
    const words = ["trunk", "early:paper", "`there`"];
    expect(usesIn("src/a.ts", "// The Trunk.\nconst trunks = 1;", words)).toEqual(["src/a.ts:1: trunk"]);
    expect(usesIn("docs/a.md", "`early:paper` and early:papers", words)).toEqual(["docs/a.md:1: early:paper"]);
    expect(usesIn("src/a.ts", '// It is there.\nthrow "there";\nconst there = `there`;', words)).toEqual([
      "src/a.ts:3: `there`",
    ]);
  });

  test("stay only where each exception has a use", () => {
    const unused = ALLOWED.filter(
      ({ word, path }) =>
        !files.some((file) => {
          if (!path.test(file)) return false;
          const text = readFileSync(join(ROOT, file), "utf8");
          return retired.some((one) => word.test(bare(one)) && finder(one).test(text));
        }),
    );
    expect(unused.map(({ path }) => String(path))).toEqual([]);
  });
});
