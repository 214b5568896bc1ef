import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Shape } from "../../src/core/shape.js";
import { fromNumbers } from "../../src/core/tensor.js";
import { int, ints } from "../../src/graph/attributes.js";
import { GraphBuilder } from "../../src/graph/builder.js";
import { cumulativeMacs, macsOf, nodeMacs } from "../../src/graph/cost.js";
import { findCuts } from "../../src/graph/cuts.js";
import { emptyGraph } from "../../src/graph/op.js";
import { ARCHITECTURES } from "../../src/nn/architectures.js";
import { readModel } from "../../src/onnx/read.js";
import { opTable } from "../../src/ops/table.js";
import { failure } from "../support/failure.js";
import { referenceFile } from "../support/reference-cases.js";

const zeros = (...dims: number[]) => fromNumbers("float32", dims, new Float64Array(dims.reduce((a, b) => a * b, 1)));

interface Conv {
  readonly input: Shape;
  readonly outputs: number;
  readonly kernel: number;
  readonly stride: number;
  readonly pad: number;
  readonly dilation: number;
  readonly group: number;
}

function convMacs({ input, outputs, kernel, stride, pad, dilation, group }: Conv): number {
  const b = new GraphBuilder(emptyGraph("conv", 17));
  const x = b.input("x", "float32", input);
  const attributes = {
    strides: ints([stride, stride]),
    pads: ints([pad, pad, pad, pad]),
    dilations: ints([dilation, dilation]),
    group: int(group),
  };
  const w = b.constant(zeros(outputs, (input[1] as number) / group, kernel, kernel));
  b.output(b.op("Conv", [x, w], attributes, "y"), "float32", undefined);
  const graph = b.build();
  return macsOf(graph, ["y"], nodeMacs(graph, opTable));
}

const plain = { stride: 1, pad: 1, dilation: 1, group: 1, kernel: 3 };

describe("multiply-accumulates of a convolution", () => {
  test("outputs x kernel x input channels", () => {
    expect(convMacs({ ...plain, input: ["n", 16, 32, 32], outputs: 32 })).toBe(32 * 32 * 32 * 9 * 16);
  });

  test("a grouped one costs outputs x kernel x Cin/groups", () => {
    expect(convMacs({ ...plain, input: ["n", 16, 8, 8], outputs: 32, group: 4 })).toBe(32 * 8 * 8 * 9 * 4);
  });

  test("a depthwise one has one input channel per output", () => {
    expect(convMacs({ ...plain, input: ["n", 16, 8, 8], outputs: 16, group: 16 })).toBe(16 * 8 * 8 * 9);
  });

  test("dilation costs nothing but the outputs it takes away", () => {
    expect(convMacs({ ...plain, input: ["n", 2, 9, 9], outputs: 3, dilation: 2, pad: 0 })).toBe(3 * 5 * 5 * 9 * 2);
  });

  test("any of them: the closed form", () => {
    const shape = fc.record({
      group: fc.integer({ min: 1, max: 3 }),
      inPer: fc.integer({ min: 1, max: 3 }),
      outPer: fc.integer({ min: 1, max: 3 }),
      size: fc.integer({ min: 7, max: 12 }),
      kernel: fc.integer({ min: 1, max: 3 }),
      stride: fc.integer({ min: 1, max: 3 }),
      pad: fc.integer({ min: 0, max: 2 }),
      dilation: fc.integer({ min: 1, max: 3 }),
    });
    fc.assert(
      fc.property(shape, ({ group, inPer, outPer, size, kernel, stride, pad, dilation }) => {
        const side = Math.floor((size + 2 * pad - dilation * (kernel - 1) - 1) / stride) + 1;
        const got = convMacs({
          input: ["n", group * inPer, size, size],
          outputs: group * outPer,
          kernel,
          stride,
          pad,
          dilation,
          group,
        });
        expect(got).toBe(group * outPer * side * side * kernel * kernel * inPer);
      }),
    );
  });
});

test("a matrix product counts outputs x inner length; elementwise work and pools count nothing", () => {
  const b = new GraphBuilder(emptyGraph("head", 17));
  const x = b.input("x", "float32", ["n", 8, 4, 4]);
  const flat = b.op("Flatten", [b.op("MaxPool", [b.op("Relu", [x])], { kernel_shape: ints([2, 2]) })]);
  b.output(b.op("Gemm", [flat, b.constant(zeros(72, 10)), b.constant(zeros(10))], {}, "y"), "float32", undefined);
  const graph = b.build();
  expect(macsOf(graph, ["y"], nodeMacs(graph, opTable))).toBe(72 * 10);
});

test("work that two values share is counted once", () => {
  const b = new GraphBuilder(emptyGraph("shared", 17));
  const x = b.input("x", "float32", ["n", 6]);
  const h = b.op("MatMul", [x, b.constant(zeros(6, 5))]);
  const [p, q] = [b.op("MatMul", [h, b.constant(zeros(5, 2))]), b.op("MatMul", [h, b.constant(zeros(5, 3))])];
  const graph = b.build();
  const costs = nodeMacs(graph, opTable);
  expect([macsOf(graph, [p], costs), macsOf(graph, [q], costs), macsOf(graph, [p, q], costs)]).toEqual([40, 45, 55]);
});

test("a counted node of unknown size asks for the image size", () => {
  expect(() => convMacs({ ...plain, input: ["n", 3, "h", "w"], outputs: 4 })).toThrow(
    failure(
      "shape/unknown",
      'Conv "y": the cost depends on "x", whose shape [1,3,h,w] is not known. Give the image size, or export the model with a fixed one.',
    ),
  );
});

/** By hand, from the layer list of the reference network (about in its expected.json), 3x3 convolutions with padding 1, counted
 *  as side^2 x outputs x 9 x inputs. Stem: 3 -> 16 at 32x32. Nine blocks of two convolutions, widths 16/32/64 at sides
 *  32/16/8; the first block of stages 2 and 3 halves the side and has a 1x1 shortcut. Heads (SDN): pool to 4x4, one linear layer of
 *  16 x channels -> 10, after blocks 1, 3, 5, 6; the final head pools to 1x1: 64 -> 10. */
function resnet20ByHand(): number[] {
  const conv = (side: number, from: number, to: number, taps = 9) => side * side * to * taps * from;
  const stages = [
    { side: 32, width: 16 },
    { side: 16, width: 32 },
    { side: 8, width: 64 },
  ];
  const costs: number[] = [];
  let [total, channels] = [conv(32, 3, 16), 16];
  let block = 0;
  for (const { side, width } of stages)
    for (let i = 0; i < 3; i++, block++) {
      total += conv(side, channels, width) + conv(side, width, width);
      if (channels !== width) total += conv(side, channels, width, 1);
      channels = width;
      if ([1, 3, 5, 6].includes(block)) {
        total += 16 * width * 10;
        costs.push(total);
      }
    }
  return [...costs, total + 64 * 10];
}

test("the reference network costs what its layer list says, exit by exit", () => {
  const { graph } = readModel(referenceFile("resnet20-sdn/model.onnx"));
  const costs = nodeMacs(graph, opTable);
  const outputs = graph.outputs.map((o) => o.name);
  expect(outputs).toEqual(["exit0", "exit1", "exit2", "exit3", "exit4"]);
  expect(outputs.map((_, i) => macsOf(graph, outputs.slice(0, i + 1), costs))).toEqual(resnet20ByHand());
});

test("of nested values, counted in one walk, are those of each value alone", () => {
  const { graph } = ARCHITECTURES.resnet20.make({ classes: 10, imageSize: 32, width: 0.25 });
  const costs = nodeMacs(graph, opTable);
  const cuts = findCuts(graph, graph.inputs[0].name, graph.outputs[0].name);
  expect(cuts.length).toBeGreaterThan(10);
  expect(cumulativeMacs(graph, cuts, costs)).toEqual(cuts.map((cut) => macsOf(graph, [cut], costs)));
});
