/** @file Every method of attack has a mutant, so that a test notices when a factor in it is wrong. */
import { resolve } from "node:path";
import { expect, test } from "vitest";
import { METHOD_NAMES } from "../../src/attacks/methods/table.js";

const TABLES = resolve(import.meta.dirname, "../../scripts/mutants");

test("every method of attack has a mutant", async () => {
  const { MUTANTS } = await import(`${TABLES}/table.mjs`);
  const { ELSEWHERE } = await import(`${TABLES}/tables/attack-methods.mjs`);
  const named = MUTANTS as readonly { readonly name: string; readonly method?: string }[];
  const broken = new Set(named.map(({ method }) => method));
  const elsewhere = (method: string) => named.some(({ name }) => name === ELSEWHERE[method]);
  expect(METHOD_NAMES.filter((method) => !broken.has(method) && !elsewhere(method))).toEqual([]);
});
