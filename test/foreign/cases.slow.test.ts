/** @file The commands of ten cases of users print what docs/models.md says they print now. */
import { join } from "node:path";
import { expect, test } from "vitest";
import { cli, temporaryFolder } from "../cli/support.js";
import { STRANGER_CASES } from "../support/foreign/cases.js";

const CASES = new URL("../fixtures/cases/", import.meta.url).pathname;
const DATA = `npy:${join(CASES, "shared/x.npy")},${join(CASES, "shared/y.npy")}`;
const out = join(temporaryFolder(), "out.onnx");

test.each(STRANGER_CASES.map((one) => [one.what, one] as const))("%s", async (_, { folder, command, after, exit }) => {
  const filled = command.replaceAll("FOLDER", join(CASES, folder)).replaceAll("DATA", DATA).replaceAll("OUT", out);
  const ran = await cli(...filled.split(" "));
  expect(ran.code, ran.err).toBe(exit);
  for (const words of after) expect(ran.out + ran.err).toContain(words);
});

test("there are the ten cases", () => {
  expect(new Set(STRANGER_CASES.map(({ folder }) => folder)).size).toBe(10);
});
