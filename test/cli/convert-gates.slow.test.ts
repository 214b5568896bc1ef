/** `dynn convert --gates` on a residual network as another program exports it: BatchNormalization folded, constants and values with names
 *  of their own. */
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import type { Graph } from "../../src/graph/graph.js";
import { inferShapes } from "../../src/graph/infer.js";
import { simplify } from "../../src/graph/passes/simplify.js";
import { loadModel, saveModel } from "../../src/node/onnx-files.js";
import { opTable } from "../../src/ops/table.js";
import { runReference } from "../../src/runtime/reference.js";
import { withNamedParameters } from "../../src/training/convert/parameters.js";
import { readCard } from "../../src/training/run/card.js";
import { parametersOf } from "../../src/training/step/training-form.js";
import { images, narrow } from "../support/spread-gates.js";
import { cli, npyPair, temporaryFolder } from "./support.js";

const folder = temporaryFolder();
const at = (name: string): string => join(folder, name);
const data = npyPair(folder, "good", { count: 120, classes: 3 });

/** The network with names as PyTorch's exporter gives them. */
function exported(): Graph {
  const graph = simplify(inferShapes(narrow(), opTable), opTable);
  const [names, logits] = [new Map<string, string>(), graph.outputs[0]?.name];
  [...graph.initializers.keys()].forEach((name, i) => names.set(name, `onnx::Conv_${i}`));
  graph.nodes.forEach(({ outputs: [name = ""] }, i) => {
    const block = /^(.+)\.add$/.exec(name)?.[1]?.replace(".", "_");
    if (name !== logits) names.set(name, block ? `/${block}/Add_output_0` : `/node_${i}_output_0`);
  });
  const named = (name: string): string => names.get(name) ?? name;
  return {
    ...graph,
    nodes: graph.nodes.map((node) => ({ ...node, inputs: node.inputs.map(named), outputs: node.outputs.map(named) })),
    initializers: new Map([...graph.initializers].map(([name, t]) => [named(name), t])),
    types: new Map(),
  };
}

beforeAll(() => saveModel(at("foreign.onnx"), { graph: exported(), metadata: new Map([["author", "someone"]]) }));

const COMMON = ["--data", data, "--epochs", "2", "--batch", "20", "--workers", "0", "--threads", "1"];

describe("names for parameters", () => {
  it("are given to the constants of linear layers alone, and change no answer", () => {
    const [before, after] = [exported(), withNamedParameters(exported())];
    expect(parametersOf(before)).toEqual([]);
    // Nineteen convolutions and a linear layer, each with a bias.
    expect(parametersOf(after)).toHaveLength(40);
    const answers = (graph: Graph) => [...(runReference(graph, { images: images(2) }).logits?.data ?? [])];
    expect(answers(after)).toEqual(answers(before));
    expect(withNamedParameters(after)).toBe(after);
    expect(withNamedParameters(narrow())).toEqual(narrow());
  });
});

describe("dynn convert --gates", () => {
  it("puts gates on the blocks, trains the whole network, and keeps what others wrote into the file", async () => {
    const { code, out } = await cli(
      "convert",
      at("foreign.onnx"),
      "--gates",
      "--gates-target",
      "0.4",
      ...COMMON,
      "-o",
      at("gates.onnx"),
    );
    expect(code).toBe(0);
    expect(out).toContain("recipe gates, 2 epochs");
    const { graph, metadata } = await loadModel(at("gates.onnx"));
    expect(metadata.get("author")).toBe("someone");
    const gates = JSON.parse(metadata.get("dynn.gates") ?? "") as readonly Readonly<Record<string, string>>[];
    expect(gates.map(({ name }) => name)).toEqual(
      [1, 2, 3].flatMap((stage) => [1, 2].map((i) => `stage${stage}_block${i}`)),
    );
    const card = readCard(metadata, "gates.onnx");
    expect(card?.training).toMatchObject({
      recipe: "gates",
      gates: { target: 0.4 },
      clipNorm: 1,
      schedule: { peak: 0.005 * (20 / 128) },
    });
    const start = withNamedParameters(exported());
    for (const name of parametersOf(start))
      expect(graph.initializers.get(name)?.data, name).not.toEqual(start.initializers.get(name)?.data);
  }, 60_000);

  it("puts them on all blocks, with a teacher, when it is asked", async () => {
    const options = ["--gates", "all", "--recipe", "distill"];
    const { code } = await cli("convert", at("foreign.onnx"), ...options, ...COMMON, "-o", at("all.onnx"));
    expect(code).toBe(0);
    const { metadata } = await loadModel(at("all.onnx"));
    expect(JSON.parse(metadata.get("dynn.gates") ?? "")).toHaveLength(8);
    expect(readCard(metadata, "all.onnx")?.training).toMatchObject({ distill: { weight: 0.5, temperature: 3 } });
  }, 60_000);

  it("leaves gates where they are when exits are added, and refuses to add gates twice", async () => {
    const made = await cli(
      "convert",
      at("gates.onnx"),
      "--exits",
      "50",
      "--no-policy",
      ...COMMON,
      "-o",
      at("both.onnx"),
    );
    expect(made.code).toBe(0);
    const [both, gates] = [await loadModel(at("both.onnx")), await loadModel(at("gates.onnx"))];
    expect(both.metadata.get("dynn.gates")).toBe(gates.metadata.get("dynn.gates"));
    expect(JSON.parse(both.metadata.get("dynn.exits") ?? "")).toHaveLength(2);
    const again = await cli("convert", at("gates.onnx"), "--gates", ...COMMON, "-o", at("twice.onnx"));
    expect(again).toMatchObject({ code: 2, err: expect.stringContaining("has gates already") });
    const further = await cli("train", at("gates.onnx"), "--recipe", "static", ...COMMON, "-o", at("further.onnx"));
    expect(further.code).toBe(0);
    expect((await loadModel(at("further.onnx"))).metadata.get("dynn.gates")).toBe(gates.metadata.get("dynn.gates"));
  }, 60_000);

  it("refuses options of exits", async () => {
    const { code, err } = await cli(
      "convert",
      at("foreign.onnx"),
      "--gates",
      "--exits",
      "30",
      ...COMMON,
      "-o",
      at("no.onnx"),
    );
    expect(code).toBe(2);
    expect(err).toContain("--exits is about exits");
  });
});
