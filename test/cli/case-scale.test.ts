/** @file Tests a foreign model that divides by 255 itself: dynn reads, audits and converts it as it
 *  was trained. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readNpy } from "../../src/data/npy.js";
import { dynamicModel } from "../../src/dynamic/model/model.js";
import { argmax } from "../../src/dynamic/route/policy.js";
import { openDataset } from "../../src/node/data/open.js";
import { loadModel } from "../../src/node/onnx-files.js";
import { ortNode } from "../../src/node/ort-node/index.js";
import { planConversion } from "../../src/training/convert/plan.js";
import { cli } from "./support.js";

const at = new URL("../fixtures/cases/05-model-wants-0-255/", import.meta.url).pathname;
const file = join(at, "float255.onnx");
const data = `npy:${join(at, "../shared/x.npy")},${join(at, "../shared/y.npy")}`;
const audit = (...more: readonly string[]) =>
  cli("audit", file, "--data", data, "--radii", "0", "--threads", "1", ...more);

/** The accuracy of the file itself on bytes, with the channels in this order. */
async function accuracyOnBytes(order = [0, 1, 2]): Promise<number> {
  const session = await ortNode({ rewrite: false }).compile((await loadModel(file)).graph);
  const images = readNpy(readFileSync(join(at, "../shared/x.npy")), "x.npy");
  const labels = [...(readNpy(readFileSync(join(at, "../shared/y.npy")), "y.npy").data as BigInt64Array)].map(Number);
  const bytes = images.data as Uint8Array;
  const pixels = Float32Array.from(bytes, (_, i) => {
    const channel = Math.floor((i % 3072) / 1024);
    return bytes[i + 1024 * ((order[channel] ?? 0) - channel)];
  });
  const results = await session.run({
    [session.inputs[0] ?? ""]: {
      dtype: "float32",
      dims: images.dims,
      data: pixels,
    },
  });
  await session.release();
  const logits = Object.values(results)[0]?.data as Float32Array;
  return labels.filter((label, i) => argmax(logits.slice(10 * i, 10 * i + 10)) === label).length / labels.length;
}

test("audit reports the accuracy that the file has on pixels in 0 to 255, and attacks in [0,1]", async () => {
  const { out, code } = await audit("--attacks", "fgsm,pgd", "--json", "-");
  expect(code).toBe(0);
  const { clean, attacks, model } = JSON.parse(out);
  expect(await accuracyOnBytes()).toBe(0.6);
  expect(clean.accuracyPerExit).toEqual([0.6]);
  expect(model.inputScale).toBe(255);
  expect(attacks.map((a: { robustAccuracy: { value: number } }) => a.robustAccuracy.value)).toEqual([0.025, 0]);
  const recipe = ["--mean", "0,0,0", "--std", "0.00392157,0.00392157,0.00392157"];
  const given = JSON.parse((await audit("--attacks", "none", "--json", "-", ...recipe)).out);
  expect(given.clean.accuracyPerExit).toEqual([0.6]);
});

test("audit and inspect say what the scale is", async () => {
  expect((await audit("--attacks", "none")).out).toContain(
    "The file takes pixels in 0 to 255, and dynn multiplies by 255. Radii are for pixels in [0,1].\n",
  );
  expect((await cli("inspect", file)).out).toContain(
    "normalisation inside: mean 0, std 255: the file takes pixels in 0 to 255. dynn takes pixels in [0,1] and multiplies them.\n",
  );
});

test("a second normalisation is refused with the option that forces it", async () => {
  const second = ["--mean", "0.5,0.5,0.5", "--std", "0.2,0.2,0.2", "--attacks", "none"];
  const refused = await audit(...second);
  expect(refused.code).toBe(2);
  expect(refused.err).toContain("the model normalises its input already (mean 0,0,0, std 255,255,255)");
  expect(refused.err).toContain("(--force-normalization). [cli/value]");
  expect((await audit(...second, "--force-normalization")).code).toBe(0);
});

test("BGR is an option", async () => {
  const { out } = await audit("--attacks", "none", "--channels", "bgr", "--json", "-");
  const wanted = await accuracyOnBytes([2, 1, 0]);
  expect(wanted).not.toBe(0.6);
  expect(JSON.parse(out).clean.accuracyPerExit).toEqual([wanted]);
});

test("a conversion has the factor inside, so that it is not scaled again", async () => {
  const { model } = planConversion(await loadModel(file), await openDataset(data), { name: "float255" });
  const converted = dynamicModel({ graph: model.graph, metadata: new Map() });
  expect(converted.inputScale).toBeUndefined();
  const { mean = [], std = [] } = converted.normalization ?? {};
  expect(mean.map((m) => Math.abs(m))).toEqual([0, 0, 0]);
  for (const s of std) expect(s).toBeCloseTo(1, 5);
});
