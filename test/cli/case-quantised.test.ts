/** @file Strangers' quantized files, through the command. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { cli, temporaryFolder } from "./support.js";

const CASES = new URL("../fixtures/cases/", import.meta.url).pathname;
const folder = temporaryFolder();
const file = (name: string): string => join(CASES, "11-quantised", name);
const data = `npy:${join(CASES, "shared/x.npy")},${join(CASES, "shared/y.npy")}`;
const audit = (name: string, attacks: string, ...more: readonly string[]) =>
  cli("audit", file(name), "--data", data, "--attacks", attacks, "--radii", "0", "--threads", "1", ...more);

describe("a file with QuantizeLinear and DequantizeLinear", () => {
  test("is attacked straight through the rounding, which table, record and report say", async () => {
    const [json, report] = [join(folder, "qdq.json"), join(folder, "qdq.html")];
    const { code, out } = await audit("qdq.onnx", "pgd", "--samples", "8", "--json", json, "--report", report);
    expect(code).toBe(0);
    expect(out).toContain("straight-through estimator");
    const record = JSON.parse(readFileSync(json, "utf8"));
    expect(record.model.quantization).toContain("8 QuantizeLinear");
    expect(record.attacks[0].gradientEvaluations).toBeGreaterThan(5);
    expect(record.attacks[0].successRate.value).toBe(1);
    expect(readFileSync(report, "utf8")).toContain("straight-through estimator");
  });

  test("gives a gradient model", async () => {
    const { code, out } = await cli("gradient", file("qdq.onnx"), "-o", join(folder, "g.onnx"));
    expect(code).toBe(0);
    expect(out).toContain("cross-entropy of logits, the final exit");
  });
});

describe("a file that computes with 8-bit integers", () => {
  test("is not attacked: the error names the operator, and its advice works", async () => {
    const refused = await audit("qop.onnx", "pgd");
    expect(refused.code).toBe(1);
    expect(refused.err).toMatch(/QGemm "\/fc\/Gemm_quant".*audit this one with the attacks "none" \(--attacks\)/);
    const plain = await audit("qop.onnx", "none");
    expect(plain.code).toBe(0);
    expect(plain.out).toMatch(/5 QLinearConv, 1 QGemm.*no gradient/);
    // ONNX Runtime alone answers 24 of these 40 images right.
    expect(plain.out).toContain("60.0 %");
  });
});
