/** @file The tables of mutants fit the code: every mutant has one place in src/, so that a table
 *  does not lose its mutants unseen. */
import { execFile } from "node:child_process";
import { resolve } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const SCRIPT = resolve(import.meta.dirname, "../../scripts/mutants.mjs");
const call = (...args: readonly string[]) => promisify(execFile)(process.execPath, [SCRIPT, ...args]);

test("every mutant of scripts/mutants has one place in src/", async () => {
  expect((await call("--check")).stderr).toMatch(/^\d+ mutants, each with one place in src\/$/m);
});

test("the script says how it is called, and refuses what it does not know with exit code 2", async () => {
  expect((await call("--help")).stdout).toContain("--only NAME");
  await expect(call("--only", "nothing")).rejects.toMatchObject({
    code: 2,
    stderr: expect.stringContaining('--only: no mutant\'s name begins with "nothing"; --list prints all'),
  });
});
