/** @file The shell blocks of documents, as they are run in a stranger's folder. */
import { expect, test } from "vitest";
import { type Block, blocksOf } from "./documents.js";
import type { Stranger } from "./stranger.js";

/** Shell blocks that are not run here, by their first word, with the reason. */
const SKIPPED: Readonly<Record<string, string>> = {
  npm: "it installs, builds or runs all tests: CI runs these commands themselves",
};

const firstWord = (text: string): string => text.trim().split(/\s/)[0];

export const shellBlocks: readonly Block[] = blocksOf("sh").filter((b) => !(firstWord(b.text) in SKIPPED));

/** Those of README and those of the other documents are apart, so that two processes share the time. */
export const isReadme = ({ document }: Block): boolean => document === "README.md";

/** Runs blocks in their order: later ones read what earlier ones wrote. */
export function runShell(blocks: readonly Block[], stranger: () => Stranger): void {
  test.each(blocks)("$at runs", async ({ text }) => {
    expect(await stranger().run("bash", ["-euo", "pipefail", "-c", text])).not.toBe("");
  });
}
