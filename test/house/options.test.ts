/** @file Every option of the command has its text in one place. */
import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";
import { program } from "../../src/cli/run.js";

const CLI = resolve(import.meta.dirname, "../../src/cli");
const sources = readdirSync(CLI, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts"));

/** Options that mean other things in other commands. */
const APART = [
  "--batch <list>",
  "--thresholds",
  "--threshold",
  "--temperature",
  "--epochs",
  "--exits",
  "--recipe",
  "--steps",
];

test("no option that two commands have is declared twice", () => {
  const declared = sources.flatMap((file) =>
    [...readFileSync(join(CLI, file), "utf8").matchAll(/"((?:-\w, )?--[\w-]+(?: <[^>"]*>)?)"/g)].map(
      ([, flags]) => flags,
    ),
  );
  const twice = declared.filter((flags, i) => declared.indexOf(flags) !== i && flags.includes("<"));
  expect([...new Set(twice)].filter((flags) => !APART.some((apart) => flags.startsWith(apart)))).toEqual([
    "-o, --out <file>",
  ]);
});

test("options of one name and one text are one option", async () => {
  const silent = { out: () => undefined, err: () => undefined, signal: new AbortController().signal };
  const { commands } = await program(silent);
  const options = commands.flatMap((command) => command.options);
  const texts = new Set(options.map(({ description }) => description));
  const written = sources.map((file) => readFileSync(join(CLI, file), "utf8")).join("\n");
  const twice = [...texts].filter((text) => text.length > 25 && written.split(JSON.stringify(text)).length > 2);
  expect(options.length).toBeGreaterThan(100);
  expect(twice).toEqual([]);
});
