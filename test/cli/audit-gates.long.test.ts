/** @file `dynn audit` on a network with gates: measures in the terminal, fixed blocks and a baseline, and what is refused. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { writeNpy } from "../../src/data/npy.js";
import { writeModel } from "../../src/onnx/write.js";
import { type AuditRecord, auditRecordSchema } from "../../src/schema/audit-record.js";
import { gatedImages, gatedSource } from "../support/gated.js";
import { cli, network, temporaryFolder } from "./support.js";

const folder = temporaryFolder();
const put = (name: string, bytes: Uint8Array): string => {
  writeFileSync(join(folder, name), bytes);
  return join(folder, name);
};
const COUNT = 130;
const images = put("x.npy", writeNpy({ dtype: "float32", dims: [COUNT, 3, 8, 8], data: gatedImages(COUNT) }));
const labels = Int32Array.from({ length: COUNT }, (_, i) => (i * 7) % 4);
const data = `npy:${images},${put("y.npy", writeNpy({ dtype: "int32", dims: [COUNT], data: labels }))}`;
const gated = put("gated.onnx", writeModel(gatedSource()));
const both = put("both.onnx", writeModel(gatedSource({ exits: [1] })));
const still = put("still.onnx", writeModel(gatedSource({ plain: [0, 1, 2, 3] })));
const plain = put("plain.onnx", network());

const argv = (model: string, ...options: readonly string[]) => [
  ...["audit", model, "--data", data, "--attacks", "none", "--radii", "0", ...options],
];

async function audited(model: string, ...options: readonly string[]): Promise<AuditRecord> {
  const { code, out, err } = await cli(...argv(model, "--json", "-", ...options));
  expect([code, err]).toEqual([0, ""]);
  return auditRecordSchema.parse(JSON.parse(out));
}

describe("gates", () => {
  test("the terminal says in words what they do, and how networks without decisions compare", async () => {
    const { code, out } = await cli(...argv(gated, "--fixed-blocks", "--baseline", still, "--samples", "40"));
    expect(code).toBe(0);
    for (const text of [
      "of 4 blocks with a gate",
      "different paths",
      "difficulty, all gates open",
      "difficulty, still",
    ])
      expect(out).toContain(text);
    expect(out).toMatch(
      /fixed blocks, closed one by one: [\d.]+.% right at [\d.]+.% of the cost: (no gain shown|the gates (gain|lose))/,
    );
    expect(out).toMatch(/random gates: .*McNemar p/);
    expect(out).toMatch(/static network: .*McNemar p/);
  });

  test("fixed blocks are chosen on records that are not reported, whoever gives the policy", async () => {
    for (const options of [[], ["--threshold", "budget:70%"]]) {
      const { data: reported, clean } = await audited(gated, "--fixed-blocks", "--samples", "60", ...options);
      expect(reported.samples).toBe(60);
      expect(clean.skipping?.baselines?.samples).toBe(60);
      expect(clean.skipping?.baselines?.validation.samples).toBe(70);
      expect(clean.skipping?.baselines?.meanCostFraction).toBeCloseTo(clean.routed.meanCostFraction, 12);
      expect(clean.skipping?.baselines?.accuracy.value).toBe(clean.routed.accuracy);
    }
    const { clean } = await audited(both, "--fixed-blocks", "--samples", "60", "--threshold", "0.9");
    expect(clean.skipping?.baselines?.compared).toHaveLength(3);
    expect((await audited(gated)).clean.skipping).not.toHaveProperty("baselines");
  });

  test("a network without gates is compared with nothing", async () => {
    for (const options of [["--fixed-blocks"], ["--baseline", still]]) {
      const { code, err } = await cli(...argv(plain, ...options));
      expect([code, err]).toEqual([2, expect.stringContaining(`${options[0]}: plain.onnx has no gates`)]);
    }
  });

  test("too few records for a choice are refused with advice that works", async () => {
    const { code, err } = await cli(...argv(gated, "--fixed-blocks", "--samples", "100"));
    expect([code, err]).toEqual([1, expect.stringContaining("Report at most 80 records")]);
    expect((await cli(...argv(gated, "--fixed-blocks", "--samples", "80"))).code).toBe(0);
  });
});
