import { describe, expect, test } from "vitest";
import { attachExits, backboneOf, cutsOf, exitsMetadata } from "../../../src/dynamic/model/exits.js";
import { writeMetadata } from "../../../src/dynamic/model/metadata.js";
import { dynamicModel } from "../../../src/dynamic/model/model.js";
import { prependNormalization } from "../../../src/dynamic/model/normalization.js";
import { placeExits } from "../../../src/dynamic/place/exits.js";
import { macsOf, nodeMacs } from "../../../src/graph/cost.js";
import type { Graph } from "../../../src/graph/graph.js";
import { ARCHITECTURES } from "../../../src/nn/architectures.js";
import { resnet } from "../../../src/nn/resnet.js";
import { readModel } from "../../../src/onnx/read.js";
import { writeModel } from "../../../src/onnx/write.js";
import { opTable } from "../../../src/ops/table.js";
import { answers, pixels } from "../../nn/support.js";
import { failure } from "../../support/failure.js";
import { referenceFile } from "../../support/reference-cases.js";
import { modelFile, twoExits } from "../support.js";

const { graph } = resnet(20)({ classes: 10, imageSize: 32, seed: 1 });
const CUTS = ["stage1.block1.out", "stage2.block0.out", "stage3.block1.out"];
const NAMES = ["exit0", "exit1", "exit2", "logits"];

describe("attached exits", () => {
  const dynamic = attachExits(graph, CUTS, { head: "sdn", seed: 1 });

  test("leave the bits of the final logits as they were", async () => {
    const images = pixels(3, 3, 32, 32);
    const [before, after] = [await answers(graph, images), await answers(dynamic, images)];
    expect(after.logits).toEqual(before.logits);
    expect(Object.keys(after)).toEqual(NAMES);
    for (const name of NAMES) expect(after[name]?.every(Number.isFinite)).toBe(true);
  });

  test.each(["vgg16", "mobilenet", "wide-resnet-32-4"] as const)("leave them so in %s", async (name) => {
    const narrow = ARCHITECTURES[name].make({ classes: 5, imageSize: 32, width: 0.25, seed: 2 }).graph;
    const images = pixels(2, 3, 32, 32);
    const after = await answers(attachExits(narrow, placeExits(narrow, [0.15, 0.45, 0.75])), images);
    expect(after.logits).toEqual((await answers(narrow, images)).logits);
  });

  test("keep every node and parameter of the backbone, and add heads named after their exit", () => {
    expect(dynamic.nodes.slice(0, graph.nodes.length)).toEqual(graph.nodes);
    for (const [name, value] of graph.initializers) expect(dynamic.initializers.get(name)).toBe(value);
    const added = [...dynamic.initializers.keys()].filter((name) => !graph.initializers.has(name));
    expect(added).toEqual([0, 1, 2].flatMap((i) => ["mix", "weight", "bias"].map((part) => `exit${i}.${part}`)));
  });

  test("cost the backbone up to their cut and all heads so far; the model reads them so", () => {
    const costs = nodeMacs(backboneOf(graph), opTable);
    const backbone = (cut: string) => macsOf(backboneOf(graph), [cut], nodeMacs(backboneOf(graph), opTable));
    const heads = [16 * 16 * 10, 32 * 16 * 10, 64 * 16 * 10];
    const model = dynamicModel(
      readModel(writeModel({ graph: dynamic, metadata: writeMetadata({ exits: exitsMetadata(dynamic) }) })),
    );
    expect(costs.size).toBe(graph.nodes.length);
    expect(model.exits.map((e) => e.name)).toEqual(["exit0", "exit1", "exit2", "final"]);
    expect(model.exits.map((e) => e.logits)).toEqual(NAMES);
    expect(model.exits.map((e) => e.cut)).toEqual([...CUTS, undefined]);
    expect(model.exits.map((e) => e.macs)).toEqual(
      [...CUTS, "logits"].map((cut, i) => backbone(cut) + heads.slice(0, i + 1).reduce((a, b) => a + b, 0)),
    );
  });

  test("are the same with normalisation put in front before or after", async () => {
    const normalization = { mean: [0.5, 0.4, 0.3], std: [0.2, 0.3, 0.25] };
    const images = pixels(1, 3, 32, 32);
    const after = await answers(prependNormalization(dynamic, normalization), images);
    const before = await answers(attachExits(prependNormalization(graph, normalization), CUTS, { seed: 1 }), images);
    expect(before).toEqual(after);
  });

  test("start the same for a seed, and an exit's head whatever other exits there are", () => {
    const weight = (g: Graph, name: string) => g.initializers.get(name);
    expect(attachExits(graph, CUTS, { seed: 1 }).initializers).toEqual(dynamic.initializers);
    expect(weight(attachExits(graph, CUTS, { seed: 2 }), "exit0.weight")).not.toEqual(weight(dynamic, "exit0.weight"));
    expect(weight(attachExits(graph, CUTS.slice(0, 1), { seed: 1 }), "exit0.weight")).toEqual(
      weight(dynamic, "exit0.weight"),
    );
  });

  test("replace those that were there", () => {
    expect(attachExits(dynamic, CUTS, { seed: 1 })).toEqual(dynamic);
    const bare = attachExits(dynamic, []);
    expect(bare.outputs.map((o) => o.name)).toEqual(["logits"]);
    expect([...bare.initializers.keys()]).toEqual([...graph.initializers.keys()]);
    const msdnet = ARCHITECTURES.msdnet.make({ classes: 4, imageSize: 16, width: 0.25 }).graph;
    const [cut] = cutsOf(backboneOf(msdnet)) as [string];
    expect(attachExits(msdnet, [cut]).outputs.map((o) => o.name)).toEqual(["exit0", "logits"]);
  });

  test("of a vision transformer read its tokens", async () => {
    const vit = readModel(referenceFile("gradients/vit/model.onnx")).graph;
    const backbone = backboneOf(vit);
    const cut = cutsOf(backbone)
      .filter((name) => backbone.types.get(name)?.shape.length === 3)
      .at(-1) as string;
    const [input] = backbone.inputs as [Graph["inputs"][number]];
    const images = pixels(2, ...(input.shape as readonly number[]).slice(1));
    const plain = Object.values(await answers(vit, images))[0];
    for (const head of ["mean-linear", "token-linear"] as const) {
      const dynamic = attachExits(vit, [cut], { head });
      const { exit0, ...rest } = await answers(dynamic, images);
      expect(exit0).toHaveLength(plain.length);
      expect(dynamic.nodes.slice(0, backbone.nodes.length)).toEqual(backbone.nodes);
      // ONNX Runtime fuses an addition and a normalisation only while nobody else reads what lies between: rounding differs.
      Object.values(rest)[0]?.forEach((v, i) => {
        expect(v).toBeCloseTo(plain[i], 5);
      });
    }
  });
});

describe("a place that cannot hold an exit is refused", () => {
  const where = "Name legal cuts from first to last, each once, or give shares of the cost (15,30,45).";
  const noCut = "is not a legal cut (a value that all work towards the final logits passes through)";

  test.each([
    ["beside a shortcut", ["stage1.block0.relu1"], `resnet20: "stage1.block0.relu1" ${noCut}. ${where}`],
    ["of an unknown name", ["nothing"], `resnet20: "nothing" ${noCut}. ${where}`],
    ["that is the final logits", ["logits"], `resnet20: "logits" ${noCut}. ${where}`],
    ["out of order", [CUTS[1], CUTS[0]], `resnet20: "${CUTS[0]}" does not come after "${CUTS[1]}". ${where}`],
    ["twice", [CUTS[1], CUTS[1]], `resnet20: "${CUTS[1]}" does not come after "${CUTS[1]}". ${where}`],
  ] as const)("%s", (_, cuts, text) => {
    expect(() => attachExits(graph, cuts as readonly string[])).toThrow(failure("exits/value", text));
  });

  test("of sizes that are not known", () => {
    const [input] = graph.inputs as [Graph["inputs"][number]];
    const open = { ...graph, inputs: [{ ...input, shape: ["n", 3, "h", "w"] }] };
    expect(() => attachExits(open, ["relu"])).toThrow(
      expect.objectContaining({
        code: "model/cut",
        message: expect.stringContaining("a head needs all sizes but the batch"),
      }),
    );
  });

  test("of a graph whose last output is no classifier's", () => {
    const features = { ...graph, outputs: [{ name: "relu", dtype: "float32" as const, shape: undefined }] };
    expect(() => attachExits(features, [])).toThrow(
      failure(
        "model/classifier",
        'resnet20: the last output "relu" is [n,16,32,32], expected logits [n,classes]. Attach exits to a classifier.',
      ),
    );
  });

  test("of a backbone that has an exit's name itself", () => {
    const rename = (name: string) => (name === "relu" ? "exit0.x" : name);
    const nodes = graph.nodes.map((n) => ({ ...n, inputs: n.inputs.map(rename), outputs: n.outputs.map(rename) }));
    expect(() => attachExits({ ...graph, nodes }, CUTS)).toThrow(
      failure(
        "model/duplicate",
        'resnet20: the backbone has a value "exit0.x", and exits use such names. Rename it in the model.',
      ),
    );
  });
});

test("metadata name every output as an exit, the last one by its place", () => {
  expect(exitsMetadata(modelFile(twoExits).graph)).toEqual([
    { name: "first", logits: "first" },
    { name: "final", logits: "second" },
  ]);
});
