/** @file `dynn inspect` on the bundled network and on small ones. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { cli, filesIn, network, temporaryFolder } from "./support.js";

const folder = temporaryFolder();
const put = (name: string, bytes: Uint8Array): string => {
  writeFileSync(join(folder, name), bytes);
  return join(folder, name);
};

/** MACs of ResNet-20 with exits after blocks 2, 4, 6 and 7 of 9, by hand: a block of two 3x3 convolutions costs the same at each
 *  width; the two that halve the image cost three quarters of it and a 1x1 shortcut; a head costs inputs x 10. */
const STEM = 3 * 16 * 9 * 32 * 32;
const BLOCK = 2 * 16 * 16 * 9 * 32 * 32;
const HALVING = (3 / 4) * BLOCK + 16 * 32 * 16 * 16;
const PARTS = [STEM + 2 * BLOCK, BLOCK + HALVING, 2 * BLOCK, HALVING, 2 * BLOCK];
const HEADS = [256, 512, 512, 1024, 64].map((inputs) => inputs * 10);
const RESNET20_MACS = PARTS.map((_, k) =>
  [...PARTS.slice(0, k + 1), ...HEADS.slice(0, k + 1)].reduce((sum, macs) => sum + macs, 0),
);

describe("dynn inspect", () => {
  it("shows what the bundled network holds", async () => {
    const { code, out, err } = await cli("inspect", "zoo:resnet20-joint");
    expect([code, err]).toEqual([0, ""]);
    expect(out.split("\nLegal cuts")[0]).toMatchInlineSnapshot(`
      "
      resnet20-sdn
      input image float32[n,3,32,32], 10 classes, 295 k parameters, opset 13
      normalisation inside: mean 0.4914, 0.4822, 0.4465, std 0.247, 0.2435, 0.2616
      policy: max-softmax, thresholds 0.6314, fallback final

      Exits
      exit     MACs     cost  cut
      exit0   9.9 M   24.2 %  /m/blocks.1/Relu_1_output_0
      exit1  18.3 M   44.8 %  /m/blocks.3/Relu_1_output_0
      exit2  27.7 M   67.9 %  /m/blocks.5/Relu_1_output_0
      exit3  31.4 M   76.9 %  /m/blocks.6/Relu_1_output_0
      exit4  40.8 M  100.0 %  -
      "
    `);
    expect(out.split("\n\n").at(-1)).toMatchInlineSnapshot(`
      "Operators
      operator     nodes    MACs  gradient
      Add             13       0  yes
      AveragePool      5       0  yes
      Conv            21  40.8 M  yes
      Div              1       0  yes
      Flatten          5       0  yes
      Gemm             5  23.7 k  yes
      MaxPool          4       0  yes
      Mul              8       0  yes
      Relu            19       0  yes
      Sub              1       0  yes
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
