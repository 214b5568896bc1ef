import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { run } from "./campaign.js";
import { LARGE } from "./large.js";
import { makeCase } from "./mutate.js";
import { stagesOf, Tester } from "./tester.js";

/** The tester has limits of its own; this one only ends a test that nobody answers. */
const TIMEOUT_MS = 180_000;

const folder = mkdtempSync(join(tmpdir(), "dynn-large-"));
const tester = new Tester();
afterAll(() => {
  tester.stop();
  rmSync(folder, { recursive: true, force: true });
});

test(
  "five hundred hostile inputs end in success or a DynnError, within the limits of time and memory",
  async () => {
    const summary = await run({ seed: 20, from: 0, more: (index) => index < 250, sessionEvery: 5 });
    expect([...summary.findings.values()].map(({ finding }) => finding)).toEqual([]);
    expect(summary.accepted).toBeGreaterThan(10);
    expect(summary.refused.size).toBeGreaterThan(20);
    expect([...summary.ways.keys()].sort()).toEqual([
      "bytes edited",
      "data beside",
      "exporter's form edited",
      "messages edited",
      "one operator",
    ]);
  },
  TIMEOUT_MS,
);

test("a case can be made again from its number", () => {
  for (const index of [0, 7, 77]) expect(makeCase(3, index)).toEqual(makeCase(3, index));
  expect(makeCase(3, 1)).not.toEqual(makeCase(4, 1));
});

test("data beside the model are read when they lie in its folder, and never from outside", async () => {
  const cases = Array.from({ length: 1000 }, (_, index) => ({ index, ...makeCase(5, index) }));
  const loaded = new Set<string>();
  for (const { index, escapes } of cases.filter(({ way }) => way === "data beside")) {
    const { answer, failure } = await tester.try({ seed: 5, index, sessions: false });
    expect(failure).toBeUndefined();
    loaded.add(`${escapes ? "outside" : "inside"}, ${answer?.verdict.load}`);
  }
  expect(loaded).toContain("inside, ok");
  expect(loaded).toContain("outside, model/external");
  expect(loaded).not.toContain("outside, ok");
});

describe("large files take time and memory in proportion:", () => {
  test.each(Object.entries(LARGE))(
    "%s",
    async (_, [expected, make]) => {
      const file = join(folder, "large.onnx");
      writeFileSync(file, make());
      const { answer, failure } = await tester.try({ file, sessions: true });
      expect(failure).toBeUndefined();
      expect(stagesOf(answer, expected)).toBe(expected);
    },
    TIMEOUT_MS,
  );
});
