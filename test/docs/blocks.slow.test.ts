/** @file The shell blocks of the documents behind README run in a stranger's folder. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { blocksOf } from "./documents.js";
import { isReadme, runShell, shellBlocks } from "./shell.js";
import { makeStranger, type Stranger } from "./stranger.js";

let stranger: Stranger;
beforeAll(async () => {
  stranger = await makeStranger();
});
afterAll(() => stranger?.remove());

runShell(
  shellBlocks.filter((block) => !isReadme(block)),
  () => stranger,
);

test("shell blocks are skipped for a stated reason only", () => {
  const skipped = blocksOf("sh").filter((b) => !shellBlocks.includes(b));
  const lines = skipped.flatMap((b) => b.text.trim().split("\n"));
  expect(lines.filter((line) => !line.startsWith("npm "))).toEqual([]);
  expect(shellBlocks.filter(isReadme).length).toBeGreaterThan(0);
  expect(shellBlocks.filter((block) => !isReadme(block)).length).toBeGreaterThan(0);
});

/** Blocks of other machines, such as clusters and servers: they are read and not run. */
const foreign = blocksOf("bash");

describe("shell blocks for other machines", () => {
  test.each(foreign)("$at is a script", async ({ text }) => {
    await stranger.run("bash", ["-n", "-c", text]);
  });

  test.each(foreign)("$at names commands and options of dynn that are there", async ({ text }) => {
    for (const [, command = "", rest = ""] of text.matchAll(/\bdynn ((?:study )?\w+)([^\n]*)/g)) {
      const help = await stranger.run("dynn", [...command.split(" "), "--help"]);
      for (const [option] of rest.matchAll(/--[a-z-]+/g)) expect(help).toContain(option);
    }
  });
});
