import { expect, test } from "vitest";
import { fromNumbers } from "../../src/core/tensor.js";
import { float, int, ints, string, tensorAttribute } from "../../src/graph/attributes.js";
import { GraphBuilder } from "../../src/graph/builder.js";
import type { Graph } from "../../src/graph/graph.js";
import { emptyGraph } from "../../src/graph/op.js";
import { printGraph } from "../../src/graph/printer.js";

test("a graph prints one line per node, with types where they are known", () => {
  const b = new GraphBuilder(emptyGraph("small net", 17));
  const x = b.input("x", "float32", ["n", 3, 32, 32]);
  const w = b.constant(fromNumbers("float32", [16, 3, 3, 3], new Float64Array(432)), "conv/w");
  const y = b.op(
    "Conv",
    [x, w],
    { strides: ints([2, 2]), pads: ints([1, 1, 1, 1]), auto_pad: string("NOTSET"), group: int(1) },
    "y",
  );
  b.setType(y, { dtype: "float32", shape: ["n", 16, 16, 16] });
  const [pooled] = b.ops("MaxPool", [b.op("LeakyRelu", [y], { alpha: float(Math.fround(0.01)) })], 2, {}, "pool") as [
    string,
  ];
  b.append({
    opType: "FusedMatMul",
    domain: "com.microsoft",
    name: "",
    inputs: [pooled, "", w],
    outputs: ["", "z z"],
    attributes: { alpha: float(1), seed: tensorAttribute(fromNumbers("int64", [2], [1, 2])) },
  });
  b.output("z z", "float32", undefined);
  expect(printGraph(b.build())).toMatchInlineSnapshot(`
    "graph "small net" (opset 17)
      inputs:
        %x: float32[n,3,32,32]
      initializers:
        @conv/w: float32[16,3,3,3]
      nodes:
        %y: float32[n,16,16,16] = Conv(%x, @conv/w) {auto_pad="NOTSET", group=1, pads=[1,1,1,1], strides=[2,2]}
        %leakyrelu = LeakyRelu(%y) {alpha=0.01}
        %pool, %pool_1 = MaxPool(%leakyrelu)
        _, %"z z": float32[?] = com.microsoft::FusedMatMul(%pool, _, @conv/w) {alpha=1.0, seed=tensor int64[2]}
      outputs:
        %"z z": float32[?]
    "
  `);
});

test("a sub-graph prints below its node, and long lists are cut", () => {
  const inner: Graph = {
    ...emptyGraph("inner", 17),
    outputs: [{ name: "z", dtype: "float32", shape: [1] }],
    nodes: [
      {
        opType: "Mul",
        domain: "",
        name: "",
        inputs: ["x", "one"],
        outputs: ["z"],
        attributes: {
          odd: { kind: "floats", value: [0.5, 1e30, Number.NaN, -0.1] },
          words: { kind: "strings", value: ["a b"] },
        },
      },
    ],
  };
  const b = new GraphBuilder(emptyGraph("outer", 17));
  const x = b.input("x", "float32", [1]);
  b.constant(fromNumbers("float32", [], [1]), "one");
  b.output(
    b.op("If", [x], {
      then_branch: { kind: "graph", value: inner },
      long: ints(Array.from({ length: 20 }, (_, i) => i)),
    }),
    "float32",
    [1],
  );
  expect(printGraph(b.build())).toMatchInlineSnapshot(`
    "graph outer (opset 17)
      inputs:
        %x: float32[1]
      initializers:
        @one: float32[]
      nodes:
        %if: float32[1] = If(%x) {long=[0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,... 20 in all], then_branch=graph inner}
          then_branch =
            graph inner (opset 17)
              nodes:
                %z: float32[1] = Mul(%x, @one) {odd=[0.5,1e+30,NaN,-0.1], words=["a b"]}
              outputs:
                %z: float32[1]
      outputs:
        %if: float32[1]
    "
  `);
});
