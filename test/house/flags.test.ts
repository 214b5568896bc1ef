/** @file The library serves programs: its messages name options of its API, never a flag of the command. */
import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";

const SRC = resolve(import.meta.dirname, "../../src");

/** Text in quotes or backticks that names a flag; calls of the command in backticks inside a text may. */
const FLAG = /["'`(\s]--[a-z][a-z-]+/;
const isComment = (line: string): boolean => /^\s*(\*|\/\/|\/\*)/.test(line);
/** A job script is made of the flags of other programs. */
const SCRIPTS: ReadonlySet<string> = new Set(["node/engines/slurm.ts"]);
const isStyle = (line: string): boolean => /var\(--|--[\w-]+:/.test(line);

test("no text outside the command names a flag", () => {
  const files = readdirSync(SRC, { recursive: true, encoding: "utf8" });
  const library = files.filter(
    (f) => f.endsWith(".ts") && !f.startsWith("cli/") && !f.startsWith("onnx/generated/") && !SCRIPTS.has(f),
  );
  const wrong = library.flatMap((file) =>
    readFileSync(join(SRC, file), "utf8")
      .split("\n")
      .flatMap((line, i) => {
        const text = line.replaceAll(/\\`dynn [^`]*\\`/g, "");
        return FLAG.test(text) && !isComment(line) && !isStyle(line) ? [`${file}:${i + 1}: ${line.trim()}`] : [];
      }),
  );
  expect(library.length).toBeGreaterThan(300);
  expect(wrong).toEqual([]);
});
