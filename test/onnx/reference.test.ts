/** The reference models through dynn's reader and writer, judged by ONNX Runtime. */
import { createHash } from "node:crypto";
import { InferenceSession, Tensor as OrtTensor } from "onnxruntime-node";
import { describe, expect, test } from "vitest";
import { uniform } from "../../src/core/rng.js";
import type { Tensor } from "../../src/core/tensor.js";
import { checkGraph } from "../../src/graph/checker.js";
import type { OnnxModel } from "../../src/onnx/model.js";
import { readModel } from "../../src/onnx/read.js";
import { writeModel } from "../../src/onnx/write.js";
import { GRADIENT_CASES, referenceFile } from "../support/reference-cases.js";

const MODELS = ["resnet20-sdn", ...GRADIENT_CASES.map((name) => `gradients/${name}`)];

/** All that a model says, each tensor as a digest of its bytes (comparing large arrays element by element takes minutes). */
const facts = ({ graph, metadata, opsets }: OnnxModel) => ({
  ...graph,
  metadata,
  opsets,
  initializers: [...graph.initializers].map(([name, t]) => [name, t.dtype, t.dims, digest(t)]),
});
const digest = ({ data }: Tensor) =>
  createHash("sha256")
    .update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
    .digest("hex");

async function answers(bytes: Uint8Array, input: string, x: OrtTensor): Promise<Record<string, Float32Array>> {
  const session = await InferenceSession.create(bytes, { intraOpNumThreads: 1 });
  const results = await session.run({ [input]: x });
  await session.release();
  return Object.fromEntries(Object.entries(results).map(([name, t]) => [name, t.data as Float32Array]));
}

describe.each(MODELS)("%s", (name) => {
  const bytes = new Uint8Array(referenceFile(`${name}/model.onnx`));

  test("written and read again is the same graph, and written once more the same bytes", () => {
    const model = readModel(bytes);
    checkGraph(model.graph);
    const again = writeModel(model);
    expect(facts(readModel(again))).toEqual(facts(model));
    expect(Buffer.compare(writeModel(readModel(again)), again)).toBe(0);
  });

  test("written again gives the same answers in ONNX Runtime, to the bit", async () => {
    const model = readModel(bytes);
    const [input] = model.graph.inputs;
    const dims = input?.shape?.map((d) => (typeof d === "number" ? d : 2)) ?? [];
    const count = dims.reduce((product, d) => product * d, 1);
    const x = new OrtTensor(
      "float32",
      Float32Array.from(uniform({ seed: 7, sample: 0, purpose: "test", step: 0 }, count)),
      dims,
    );
    const before = await answers(bytes, input?.name ?? "", x);
    expect(Object.values(before).every((logits) => logits.every(Number.isFinite))).toBe(true);
    expect(Object.keys(before)).toEqual(model.graph.outputs.map((output) => output.name));
    expect(await answers(writeModel(model), input?.name ?? "", x)).toEqual(before);
  });
});
