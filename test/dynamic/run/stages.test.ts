import { describe, expect, test } from "vitest";
import { type DynamicModel, dynamicModel } from "../../../src/dynamic/model/model.js";
import { splitStages } from "../../../src/dynamic/run/stages.js";
import { ints } from "../../../src/graph/attributes.js";
import type { GraphBuilder } from "../../../src/graph/builder.js";
import type { Graph, ValueName } from "../../../src/graph/graph.js";
import type { Tensors } from "../../../src/runtime/backend.js";
import { referenceBackend } from "../../../src/runtime/reference.js";
import { conv, draw, head, modelFile, twoExits } from "../support.js";

const model = (drawIn: (b: GraphBuilder) => void): DynamicModel => dynamicModel(modelFile(drawIn));

/** Two branches run side by side, with a head that reads both after each step, as in a multi-scale network: no cut anywhere. */
function sideBySide(b: GraphBuilder): void {
  const x = b.input("x", "float32", ["batch", 3, 8, 8]);
  let [left, right] = [conv(b, x, 3, 4), conv(b, x, 3, 4)];
  for (const name of ["first", "second", "third"]) {
    [left, right] = [b.op("Relu", [conv(b, right, 4, 4)]), b.op("Add", [left, conv(b, left, 4, 4)])];
    b.output(head(b, b.op("Mul", [left, right]), 4, 4, name), "float32", undefined);
  }
}

/** The second stage reads a shape that is computed before the first exit, and the image again. */
function shapesBetween(b: GraphBuilder): void {
  const x = b.input("x", "float32", ["batch", 3, 8, 8]);
  const batch = b.op("Slice", [b.op("Shape", [x]), b.ints([0]), b.ints([1])]);
  const shape = b.op("Concat", [batch, b.ints([192])], { axis: { kind: "int", value: 0 } });
  const linear = (value: ValueName, hint: string): ValueName =>
    b.op("MatMul", [value, b.constant(draw(hint.length, 192, 4))], {}, hint);
  b.output(linear(b.op("Reshape", [x, shape]), "first"), "float32", undefined);
  const twice = b.op("Transpose", [b.op("Relu", [conv(b, x, 3, 3)])], { perm: ints([0, 1, 3, 2]) });
  b.output(linear(b.op("Reshape", [twice, shape]), "second"), "float32", undefined);
}

async function staged(of: DynamicModel, feeds: Tensors): Promise<Tensors> {
  let known = feeds;
  for (const { graph } of splitStages(of)) {
    const session = await referenceBackend.compile(graph);
    const read = Object.fromEntries(graph.inputs.map(({ name }) => [name, known[name]]));
    known = { ...known, ...(await session.run(read)) };
  }
  return known;
}

describe.each([
  ["a chain with a head after each layer", twoExits, [["h1"], []]],
  ["branches side by side", sideBySide, undefined],
  ["shapes that later stages read", shapesBetween, [["x"], []]],
] as const)("%s", (_, drawIn, kept) => {
  const of = model(drawIn);
  const stages = splitStages(of);

  test("stage after stage gives the bits of the whole graph", async () => {
    const feeds = { x: draw(1, 5, 3, 8, 8) };
    const whole = await (await referenceBackend.compile(of.graph)).run(feeds);
    const parts = await staged(of, feeds);
    for (const { logits } of of.exits) expect(parts[logits]?.data).toEqual(whole[logits]?.data);
  });

  test("every weight is in one stage", () => {
    // Heads of these networks share one small constant.
    const large = (graph: Graph) => [...graph.initializers].filter(([, t]) => t.data.length > 64).map(([name]) => name);
    expect(stages.flatMap(({ graph }) => large(graph)).sort()).toEqual(large(of.graph).sort());
  });

  test("a stage reads what was kept, and keeps what is read later", () => {
    stages.slice(1).forEach(({ graph }, k) => {
      for (const { name } of graph.inputs) expect(stages[k]?.kept).toContain(name);
    });
    if (kept) expect(stages.map((stage) => stage.kept)).toEqual(kept);
  });
});

test("branches that later stages read keep what stages in between do not", async () => {
  // The third head reads a value that is made in the first stage and that the second does not read.
  const of = model((b) => {
    const x = b.input("x", "float32", ["batch", 3, 8, 8]);
    const early = b.op("Relu", [conv(b, x, 3, 4)], {}, "early");
    b.output(head(b, early, 4, 4, "first"), "float32", undefined);
    const middle = b.op("Relu", [conv(b, x, 3, 4)], {}, "middle");
    b.output(head(b, middle, 4, 4, "second"), "float32", undefined);
    b.output(head(b, conv(b, b.op("Mul", [early, middle]), 4, 4), 4, 4, "third"), "float32", undefined);
  });
  expect(splitStages(of).map(({ kept }) => new Set(kept))).toEqual([
    new Set(["x", "early"]),
    new Set(["early", "middle"]),
    new Set(),
  ]);
  const feeds = { x: draw(1, 5, 3, 8, 8) };
  const whole = await (await referenceBackend.compile(of.graph)).run(feeds);
  const parts = await staged(of, feeds);
  for (const { logits } of of.exits) expect(parts[logits]?.data).toEqual(whole[logits]?.data);
});
