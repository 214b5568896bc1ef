/** @file Tests a foreign model whose logits are 30 times too large. It answers like its twin, and an
 *  attack succeeds as easily. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { auditRecordSchema } from "../../src/schema/audit-record.js";
import { cli, temporaryFolder } from "./support.js";

const at = new URL("../fixtures/cases/10-vanishing-gradients/", import.meta.url).pathname;
const folder = temporaryFolder();

async function audited(name: string) {
  const files = { json: join(folder, `${name}.json`), report: join(folder, `${name}.html`) };
  const data = `npy:${join(at, "../shared/x.npy")},${join(at, "../shared/y.npy")}`;
  const how = ["--attacks", "fgsm,pgd,pgd-l2", "--radii", "1/255,2/255,8/255", "--threads", "1"];
  const outputs = ["--json", files.json, "--report", files.report];
  const { code, out } = await cli("audit", join(at, name), "--data", data, ...how, ...outputs);
  expect(code).toBe(0);
  const record = auditRecordSchema.parse(JSON.parse(readFileSync(files.json, "utf8")));
  return { out, record, report: readFileSync(files.report, "utf8") };
}

test("FGSM and PGD find no robust accuracy that the scale of logits makes up, and say where gradients vanished", async () => {
  const [base, large] = [await audited("base.onnx"), await audited("softmax_sat.onnx")];
  expect(large.record.clean.accuracyPerExit).toEqual(base.record.clean.accuracyPerExit);
  for (const [i, attack] of large.record.attacks.entries()) {
    const twin = base.record.attacks[i];
    // One sample of 40 is 2.5 %.
    expect(attack.robustAccuracy.value).toBeLessThanOrEqual((twin?.robustAccuracy.value ?? 0) + 1e-9);
    expect(twin?.vanishedGradients).toBe(0);
    expect(attack.vanishedGradients).toBeGreaterThan(10);
    expect(attack.retriedOnMargins).toBe(true);
    const warning = `${attack.name}: the gradient was 0 or below float32's resolution at ${attack.vanishedGradients} of 40 samples. They were attacked again with losses that do not depend on the scale of logits (the margin loss, scaled cross-entropy).`;
    expect(large.out).toContain(`* Warning: ${warning}`);
    expect(large.report).toContain(warning.replaceAll("'", "&#39;"));
  }
  // The curve is the twin's at every radius: 24, 16, 3 and 0 of 40 samples.
  const standing = ({ record }: typeof base) =>
    record.curves[0]?.points.map((p) => Math.round(40 * p.robustAccuracy.value));
  expect(standing(base)).toEqual([24, 16, 3, 0]);
  expect(standing(large)).toEqual(standing(base));
  expect(large.record.curves[0]?.vanishedGradients).toBeGreaterThan(10);
  for (const text of [base.out, base.report]) expect(text).not.toContain("float32's resolution");
});
