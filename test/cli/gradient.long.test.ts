import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { describe, expect, test } from "vitest";
import { uniform } from "../../src/core/rng.js";
import { GraphBuilder } from "../../src/graph/builder.js";
import { emptyGraph } from "../../src/graph/op.js";
import { writeModel } from "../../src/onnx/write.js";
import { cli, temporaryFolder } from "./support.js";

const folder = temporaryFolder();
const N = 3;
const pixels = (t = 0, direction: Float32Array = new Float32Array(N * 3072)): Float32Array<ArrayBuffer> =>
  Float32Array.from(
    uniform({ seed: 4, sample: 0, purpose: "test", step: 0 }, N * 3072),
    (v, i) => v + t * direction[i],
  );

/** Run the written file with ONNX Runtime alone. */
async function runPlain(path: string, image: Float32Array<ArrayBuffer>): Promise<Record<string, Tensor>> {
  const session = await InferenceSession.create(path);
  const labels = new Tensor("int64", BigInt64Array.of(1n, 7n, 3n), [N]);
  const feeds = {
    images: new Tensor("float32", image, [N, 3, 32, 32]),
    ...(session.inputNames.includes("labels") ? { labels } : {}),
  };
  return session.run(feeds);
}

const numbers = (t: Tensor | undefined): number[] => Array.from(t?.data as Float32Array);
const total = (t: Tensor | undefined): number => numbers(t).reduce((a, b) => a + b, 0);

describe("dynn gradient", () => {
  test("writes a model that stock ONNX Runtime runs: outputs, loss [n] and gradient, all of them right", async () => {
    const out = join(folder, "g.onnx");
    const { code, out: said } = await cli("gradient", "zoo:resnet20-joint", "-o", out);
    expect(code).toBe(0);
    expect(said).toContain("labels    int64[n]");
    const results = await runPlain(out, pixels());
    expect(Object.keys(results)).toEqual([
      "exit0",
      "exit1",
      "exit2",
      "exit3",
      "exit4",
      "exit5",
      "logits",
      "loss",
      "gradient",
    ]);
    const logits = numbers(results.logits);
    [1, 7, 3].forEach((label, i) => {
      const row = logits.slice(10 * i, 10 * i + 10);
      const expected = Math.log(row.reduce((s, v) => s + Math.exp(v), 0)) - row[label];
      expect(numbers(results.loss)[i]).toBeCloseTo(expected, 4);
    });
    const direction = uniform({ seed: 9, sample: 0, purpose: "test", step: 1 }, N * 3072, -1, 1);
    const along = async (t: number) => total((await runPlain(out, pixels(t, direction))).loss);
    const numeric = ((await along(2e-4)) - (await along(-2e-4))) / 4e-4;
    const analytic = numbers(results.gradient).reduce((s, g, i) => s + g * direction[i], 0);
    expect(Math.abs(analytic - numeric)).toBeLessThan(0.02 * Math.abs(numeric));
  });

  test("takes any output and a plain sum, and then needs no labels", async () => {
    const out = join(folder, "s.onnx");
    expect((await cli("gradient", "zoo:resnet20-joint", "--loss", "sum", "--of", "exit0", "-o", out)).code).toBe(0);
    const results = await runPlain(out, pixels());
    expect(total(results.loss)).toBeCloseTo(total(results.exit0), 3);
    const short = join(folder, "short.onnx");
    expect((await cli("gradient", "zoo:resnet20-joint", "--loss", "exit0", "-o", short)).code).toBe(0);
    expect(readFileSync(short).equals(readFileSync(out))).toBe(true);
  });

  test("keeps the file's opset and input names, and gets out of the way of names that are taken", async () => {
    const b = new GraphBuilder(emptyGraph("linear", 12));
    const x = b.input("loss", "float32", ["n", 2]);
    const w = b.constant({ dtype: "float32", dims: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) });
    b.output(b.op("MatMul", [x, w], {}, "gradient"), "float32", ["n", 3]);
    const [path, out] = [join(folder, "l.onnx"), join(folder, "lg.onnx")];
    writeFileSync(path, writeModel({ graph: b.build() }));
    const { code, out: said } = await cli("gradient", path, "--loss", "sum", "-o", out);
    expect([code, said.includes("opset 12")]).toEqual([0, true]);
    const session = await InferenceSession.create(out);
    expect(session.outputNames).toEqual(["gradient", "loss_1", "gradient_1"]);
    const results = await session.run({ loss: new Tensor("float32", Float32Array.of(1, 1), [1, 2]) });
    expect(Array.from(results.gradient_1?.data as Float32Array)).toEqual([6, 15]);
  });

  test("says what is there when an output or input is not", async () => {
    const out = join(folder, "n.onnx");
    const { code, err } = await cli("gradient", "zoo:resnet20-joint", "--of", "exit9", "-o", out);
    expect(code).toBe(1);
    expect(err).toContain(
      "output exit9 of float type does not exist, the model has exit0, exit1, exit2, exit3, exit4, exit5, logits. Choose one of these. [model/classifier]",
    );
    expect(existsSync(out)).toBe(false);
  });
});

describe("files of other exporters", () => {
  const CASES = join(import.meta.dirname, "../fixtures/cases");

  test.each([
    ["13-nhwc-input/nhwc.onnx", "float32[n,32,32,3]", undefined],
    ["14-batch-1-reshape/batch1_reshape.onnx", "float32[1,3,32,32]", undefined],
    ["16-float16-uint8/fp16.onnx", "float32[n,3,32,32]", "The file computes in float16."],
    ["16-float16-uint8/fp16_keepio.onnx", "float32[n,3,32,32]", "The file computes in float16."],
    ["16-float16-uint8/uint8_nchw.onnx", "float32[n,3,32,32]", 'The input "image" is uint8.'],
  ])("%s keeps its layout and batch, and its gradient is right", async (name, type, change) => {
    const out = join(folder, `${name.split("/")[1]}.gradient.onnx`);
    const { code, out: said, err } = await cli("gradient", join(CASES, name), "-o", out);
    expect([code, err]).toEqual([0, ""]);
    expect(said).toMatch(new RegExp(`input\\s+image\\s+${type.replace(/[[\]]/g, "\\$&")}`));
    expect(said).toMatch(new RegExp(`output\\s+gradient\\s+${type.replace(/[[\]]/g, "\\$&")}`));
    if (change) expect(said).toContain(change);
    const session = await InferenceSession.create(out);
    const dims = type.startsWith("float32[1")
      ? [1, 3, 32, 32]
      : type.includes("32,3]")
        ? [2, 32, 32, 3]
        : [2, 3, 32, 32];
    const size = dims[0] * 3072;
    const image = uniform({ seed: 4, sample: 0, purpose: "test", step: 0 }, size);
    const direction = uniform({ seed: 9, sample: 0, purpose: "test", step: 1 }, size, -1, 1);
    const at = (t: number) =>
      session.run({
        image: new Tensor(
          "float32",
          image.map((v, i) => v + t * direction[i]),
          dims,
        ),
        labels: new Tensor(
          "int64",
          BigInt64Array.from({ length: dims[0] }, () => 3n),
          [dims[0]],
        ),
      });
    const [up, down] = [total((await at(1e-4)).loss), total((await at(-1e-4)).loss)];
    const analytic = numbers((await at(0)).gradient).reduce((s, g, i) => s + g * direction[i], 0);
    expect(Math.abs(analytic)).toBeGreaterThan(1e-3);
    expect(Math.abs(analytic - (up - down) / 2e-4)).toBeLessThan(0.02 * Math.abs(analytic) + 1e-3);
  });

  test("an open number of channels is taken from the first convolution", async () => {
    const b = new GraphBuilder(emptyGraph("open", 13));
    const w = b.constant({ dtype: "float32", dims: [2, 3, 8, 8], data: new Float32Array(384).fill(0.1) });
    const h = b.op("Flatten", [b.op("Conv", [b.input("image", "float32", ["n", "c", 8, 8]), w])]);
    b.output(h, "float32", ["n", "k"]);
    const [path, out] = [join(folder, "open.onnx"), join(folder, "open-g.onnx")];
    writeFileSync(path, writeModel({ graph: b.build() }));
    const { code, out: said } = await cli("gradient", path, "-o", out);
    expect([code, said.includes('The input "image" leaves its channels open.')]).toEqual([0, true]);
  });
});
