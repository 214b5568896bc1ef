/** @file `dynn inspect` on the bundled network and on small ones. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { writeModel } from "../../src/onnx/write.js";
import { oneImageNet } from "../support/one-image.js";
import { cli, filesIn, network, temporaryFolder } from "./support.js";

const folder = temporaryFolder();
const put = (name: string, bytes: Uint8Array): string => {
  writeFileSync(join(folder, name), bytes);
  return join(folder, name);
};

/** By hand: the stem, blocks of two 3x3 convolutions (the first of a stage with stride 2), and a linear head on 4x4 pooled pixels. */
const [STEM, BLOCK, SMALLER] = [3 * 16 * 9 * 1024, 2 * 16 * 16 * 9 * 1024, (16 * 32 + 32 * 32) * 9 * 256];
const head = (channels: number): number => channels * 16 * 10;
const PARTS = [
  STEM + BLOCK + head(16),
  BLOCK + head(16),
  BLOCK + SMALLER + head(32),
  BLOCK + head(32),
  BLOCK + SMALLER + head(64),
  BLOCK + head(64),
  BLOCK + 64 * 10,
];
const RESNET20_MACS = PARTS.map((_, k) => PARTS.slice(0, k + 1).reduce((a, b) => a + b));

describe("dynn inspect", () => {
  it("shows what the bundled network holds", async () => {
    const { code, out, err } = await cli("inspect", "zoo:resnet20-joint");
    expect([code, err]).toEqual([0, ""]);
    expect(out.split("\nLegal cuts")[0]).toMatchInlineSnapshot(`
      "
      resnet20-joint
      input images float32[n,3,32,32], 10 classes, 305 k parameters, opset 17
      normalisation inside: mean 0.4914, 0.4821, 0.4462, std 0.2471, 0.2436, 0.2615
      policy: max-softmax, thresholds 0.6909, fallback final

      Exits
      exit     MACs     cost  cut
      exit0   5.2 M   12.7 %  stage1.block0.out
      exit1   9.9 M   24.4 %  stage1.block1.out
      exit2  18.1 M   44.7 %  stage2.block0.out
      exit3  22.9 M   56.4 %  stage2.block1.out
      exit4  31.1 M   76.7 %  stage3.block0.out
      exit5  35.9 M   88.4 %  stage3.block1.out
      final  40.6 M  100.0 %  -

      resnet20, trained on cifar10:train
      recipe joint, 6 epochs, batch 128, sgd, seed 2, 306 k parameters
      45000 images trained on, 5000 for validation, 10000 for the test

      exit     MACs     cost          validation                test
      exit0   5.2 M   12.7 %  64.2 % (62.9-65.5)  64.8 % (63.9-65.8)
      exit1   9.9 M   24.4 %  69.6 % (68.3-70.9)  69.4 % (68.5-70.3)
      exit2  18.1 M   44.7 %  80.2 % (79.1-81.3)  80.1 % (79.3-80.9)
      exit3  22.9 M   56.4 %  83.4 % (82.3-84.4)  83.3 % (82.5-84.0)
      exit4  31.1 M   76.7 %  87.5 % (86.6-88.4)  87.2 % (86.5-87.8)
      exit5  35.9 M   88.4 %  89.4 % (88.5-90.2)  88.3 % (87.7-88.9)
      final  40.6 M  100.0 %  89.1 % (88.2-90.0)  88.3 % (87.6-88.9)
      "
    `);
    expect(out.split("\n\n").at(-1)).toMatchInlineSnapshot(`
      "Operators
      operator           nodes    MACs  gradient
      Add                   15       0  yes
      AveragePool            8       0  yes
      Conv                  19  40.6 M  yes
      Div                    1       0  yes
      Flatten                7       0  yes
      Gemm                   7  36.5 k  yes
      GlobalAveragePool      1       0  yes
      MaxPool                6       0  yes
      Mul                    6       0  yes
      Pad                    2       0  yes
      Relu                  19       0  yes
      Sub                    7       0  yes
      "
    `);
  });

  it("ends no line with a blank, so that it can be pasted", async () => {
    const { out } = await cli("inspect", "zoo:resnet20-joint");
    expect(out.split("\n").filter((line) => line.endsWith(" "))).toEqual([]);
  });

  it("says so when there is no normalisation, no policy and no early exit", async () => {
    const { out } = await cli("inspect", put("single.onnx", network({ exits: 1 })));
    expect(out).toMatchInlineSnapshot(`
      "
      single.onnx
      input image float32[n,3,8,8], 4 classes, 186 parameters, opset 17
      normalisation inside: none found at the start of the graph

      Exits
      exit     MACs     cost  cut
      exit0  10.4 k  100.0 %  -

      Legal cuts (one value separates before from after)
      value              shape        MACs    cost
      conv               [n,6,8,8]  10.4 k  99.8 %
      relu               [n,6,8,8]  10.4 k  99.8 %
      globalaveragepool  [n,6,1,1]  10.4 k  99.8 %
      flatten            [n,6]      10.4 k  99.8 %

      Operators
      operator           nodes    MACs  gradient
      Conv                   1  10.4 k  yes
      Flatten                1       0  yes
      Gemm                   1      24  yes
      GlobalAveragePool      1       0  yes
      Relu                   1       0  yes
      "
    `);
  });

  it("says why a model runs one image at a time", async () => {
    const { graph } = oneImageNet("squeezed");
    const { code, out } = await cli("inspect", put("one.onnx", writeModel({ graph })));
    expect([code, out]).toEqual([
      0,
      expect.stringContaining('\nruns one image at a time, because Squeeze "squeeze" works for a batch of 1 only\n'),
    ]);
  });

  it("says which operators have no gradient", async () => {
    const { out } = await cli("inspect", put("floor.onnx", network({ exits: 1, activation: "Floor" })));
    expect(out).toContain("Floor");
    expect(out.split("\n").find((line) => line.startsWith("Floor"))).toMatchInlineSnapshot(
      `"Floor                  1       0  yes"`,
    );
  });

  it("prints JSON and nothing else with --json -", async () => {
    const { code, out, err } = await cli("inspect", "zoo:resnet20-joint", "--json", "-");
    expect([code, err]).toEqual([0, ""]);
    const found = JSON.parse(out);
    expect(Object.keys(found)).toEqual([
      "name",
      "input",
      "classes",
      "parameters",
      "opset",
      "normalization",
      "changes",
      "oneByOne",
      "quantization",
      "inputScale",
      "policy",
      "card",
      "exits",
      "cuts",
      "ops",
    ]);
    expect(found.exits.map((e: { macs: number }) => e.macs)).toEqual(RESNET20_MACS);
    expect(Object.keys(found.exits[0])).toEqual(["name", "cut", "macs", "costFraction"]);
    expect(Object.keys(found.cuts[0])).toEqual(["value", "shape", "macs", "costFraction"]);
    expect(Object.keys(found.ops[0])).toEqual(["opType", "count", "macs", "gradient"]);
  });

  it("writes the same JSON to a file, and leaves no other file", async () => {
    const model = put("net.onnx", network());
    const before = filesIn(folder);
    const file = join(folder, "found.json");
    const { code, out } = await cli("inspect", model, "--json", file);
    expect(code).toBe(0);
    expect(out.endsWith(`wrote ${file}\n`)).toBe(true);
    expect(readFileSync(file, "utf8")).toBe((await cli("inspect", model, "--json", "-")).out);
    expect(filesIn(folder)).toEqual([...before, "found.json"].sort());
  });

  it("prints the graph with --graph", async () => {
    const { code, out } = await cli("inspect", put("one.onnx", network({ exits: 1 })), "--graph");
    expect(code).toBe(0);
    expect(out).toMatchInlineSnapshot(`
      "graph net (opset 17)
        inputs:
          %image: float32[n,3,8,8]
        initializers:
          @kernel0: float32[6,3,3,3]
          @head0: float32[6,4]
        nodes:
          %conv: float32[n,6,8,8] = Conv(%image, @kernel0) {pads=[1,1,1,1]}
          %relu: float32[n,6,8,8] = Relu(%conv)
          %globalaveragepool: float32[n,6,1,1] = GlobalAveragePool(%relu)
          %flatten: float32[n,6] = Flatten(%globalaveragepool)
          %exit0: float32[n,4] = Gemm(%flatten, @head0)
        outputs:
          %exit0: float32[n,4]

      "
    `);
  });

  it("takes the image size of a model that leaves it open", async () => {
    const open = put("open.onnx", network({ input: ["n", 3, "h", "w"] }));
    const { out } = await cli("inspect", open, "--image-size", "16,24");
    expect(out).toContain("input image float32[n,3,16,24], 4 classes");
    expect((await cli("inspect", open, "--image-size", "16")).out).toContain("float32[n,3,16,16]");
  });
});
