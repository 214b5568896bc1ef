/** Input gradients of the reference network on CIFAR-10 against PyTorch in float64 (expected.json, "about"). */
import { describe, expect, test } from "vitest";
import { gradientGraph } from "../../src/autodiff/gradient.js";
import { fromNumbers, type Tensor, toNumbers } from "../../src/core/tensor.js";
import { readNpy } from "../../src/data/npy.js";
import { dynamicModel } from "../../src/dynamic/model/model.js";
import { int } from "../../src/graph/attributes.js";
import { GraphBuilder } from "../../src/graph/builder.js";
import { inferShapes } from "../../src/graph/infer.js";
import { ortNode } from "../../src/node/ort-node/index.js";
import { readModel } from "../../src/onnx/read.js";
import { reduceSum } from "../../src/ops/support/emit.js";
import { opTable } from "../../src/ops/table.js";
import { cifarTestRecords, firstRecords } from "../support/cifar-records.js";
import { referenceFile } from "../support/reference-cases.js";

const RECORDS = 16;
const file = (name: string) => referenceFile(`resnet20-sdn/${name}`);

describe("cross-entropy of the reference network by its pixels", () => {
  test.each([
    ["the final exit", ["exit4"], "grad_final_first16.npy"],
    ["all exits, added", ["exit0", "exit1", "exit2", "exit3", "exit4"], "grad_all_exits_first16.npy"],
  ] as const)(
    "%s",
    async (_, exits, npy) => {
      const { graph } = dynamicModel(readModel(file("model.onnx")));
      const b = new GraphBuilder(graph);
      const labels = b.input("labels", "int64", ["n", 1]);
      const losses = exits.map((exit) => {
        const logs = b.op("LogSoftmax", [exit], { axis: int(1) });
        return b.op("Neg", [reduceSum(b, b.op("GatherElements", [logs, labels], { axis: int(1) }), [1], false)]);
      });
      const loss = losses.reduce((sum, one) => b.op("Add", [sum, one]));
      const typed = inferShapes(b.build(), opTable);
      const gradient = gradientGraph(typed, opTable, { loss, wrt: ["image"], names: ["dx"], keep: [] });
      const records = await firstRecords(await cifarTestRecords(), RECORDS);
      const feeds = {
        image: fromNumbers("float32", [RECORDS, 3, 32, 32], records.pixels),
        labels: fromNumbers("int64", [RECORDS, 1], Array.from(records.labels)),
      };
      const want = toNumbers(readNpy(file(npy), npy));
      const scale = want.reduce((m, v) => Math.max(m, Math.abs(v)), 0);
      const error = (got: Tensor) => toNumbers(got).reduce((m, v, i) => Math.max(m, Math.abs(v - want[i])), 0) / scale;
      const session = await ortNode().compile(gradient);
      expect(error((await session.run(feeds)).dx)).toBeLessThanOrEqual(1e-4);
      await session.release();
    },
    300_000,
  );
});
