/** @file Comments of the sources: width, first line and length of sentences, in the folders that are done. */
import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { commentsIn, type Sentence, sentencesOf } from "./comments.js";

const SRC = resolve(import.meta.dirname, "../../src");

/** Folders of src whose comments are in plain words. Add a folder when it is finished. */
const DONE = [
  "core",
  "graph",
  "onnx",
  "autodiff",
  "nn",
  "ops",
  "runtime",
  "attacks",
  "perturb",
  "dynamic",
  "training",
  "data",
  "schema",
  "measures",
  "studies",
  "node",
  "deploy",
  "web",
  "cli",
  "report",
];

const COLUMNS = 100;
/** The aim is 25 words; a sentence beyond this bound is too long in any case. */
const WORDS = 32;

const files = readdirSync(SRC, { recursive: true, encoding: "utf8" })
  .map((file) => file.replaceAll("\\", "/"))
  .filter((file) => file.endsWith(".ts") && !file.includes("/generated/"))
  .filter((file) => DONE.some((folder) => file.startsWith(`${folder}/`)))
  .map((path) => ({ path, text: readFileSync(join(SRC, path), "utf8") }));

const wide = (text: string): string[] =>
  commentsIn(text)
    .flatMap(({ lines, line }) => lines.map((content, i) => ({ content, at: line + i })))
    .filter(({ content }) => content.length > COLUMNS && !content.includes("://"))
    .map(({ content, at }) => `${at}: ${content.length} columns`);

const long = (text: string): string[] =>
  sentencesOf(text)
    .filter(({ words }) => words > WORDS)
    .map(({ line, words, text: sentence }: Sentence) => `${line}: ${words} words: ${sentence}`);

const opening = (text: string): string[] =>
  text.replace(/^#!.*\n/, "").startsWith("/** @file ") && /[.!?]$/.test(sentencesOf(text)[0]?.text ?? "")
    ? []
    : ["1: the file does not open with `/** @file ` and a sentence"];

/** Faults of all files, each after the name of its file. */
const faults = (find: (text: string) => string[]): string[] =>
  files.flatMap(({ path, text }) => find(text).map((fault) => `${path}:${fault}`));

describe("in the folders that are done", () => {
  test("a line of a comment has at most 100 columns", () => expect(faults(wide)).toEqual([]));
  test("a file opens with a sentence that says what it holds", () => expect(faults(opening)).toEqual([]));
  test("a sentence of a comment has at most 32 words", () => expect(faults(long)).toEqual([]));
  test("there are files in each", () => {
    for (const folder of DONE) expect(files.some(({ path }) => path.startsWith(`${folder}/`))).toBe(true);
  });
});

describe("the checks", () => {
  test("find a wide line in blocks, in line comments and after code", () => {
    const x = "x".repeat(100);
    expect(wide(`/** One.\n * ${x} */\na();\n// ${x}\nb(); // ${x}\nconst c = "${x}";`)).toEqual([
      "2: 106 columns",
      "4: 103 columns",
      "5: 108 columns",
    ]);
    expect(wide(`// https://example.org/${x}`)).toEqual([]);
  });

  test("find a file without a first sentence", () => {
    for (const text of ["a();", "/** Tensors. */", "/** @file Tensors */", "// @file Tensors."])
      expect(opening(text)).toHaveLength(1);
    for (const text of [
      "/** @file Tensors. */",
      "#!/usr/bin/env node\n/** @file Tensors. */",
      "/** @file What docs/a.md\n *  says. More. */",
    ])
      expect(opening(text)).toEqual([]);
  });

  test("find a sentence that is too long, on one line or over several", () => {
    const words = (n: number): string => "word ".repeat(n).trim();
    expect(long(`/** ${words(32)}. ${words(32)}. */`)).toEqual([]);
    expect(long(`/** One.\n * ${words(20)}\n * ${words(13)}. */`)).toEqual([expect.stringMatching(/^2: 33 words/)]);
    expect(long(`a(); // ${words(33)}`)).toHaveLength(1);
    expect(long(`// ${words(20)}\n// ${words(20)}`)).toHaveLength(1);
  });

  test("count neither code nor sources nor what tags separate", () => {
    const words = "word ".repeat(30);
    expect(long(`/** ${words}\`a b c d e\` (Kaya et al. 2019, section 3). */`)).toEqual([]);
    expect(long(`/** ${words}\n * @param a ${words}\n * @param b ${words} */`)).toEqual([]);
    expect(long(`/** ${words}\n *\n * ${words}\n * - ${words} */`)).toEqual([]);
    expect(long(`/** ${words}.\n * Source: ${words} ${words}. */`)).toEqual([]);
    expect(long(`/** ${words}.\n * @example\n * ${words}\n * ${words} */`)).toEqual([]);
  });
});
