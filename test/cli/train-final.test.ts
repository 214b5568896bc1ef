/** @file `dynn train --final`: which output of a file is trained. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { fromNumbers } from "../../src/core/tensor.js";
import { GraphBuilder } from "../../src/graph/builder.js";
import { writeModel } from "../../src/onnx/write.js";
import { backbone } from "../support/training.js";
import { cli, npyPair, temporaryFolder } from "./support.js";

const folder = temporaryFolder();
const data = npyPair(folder, "d", { count: 60, classes: 3 });

/** Two heads at the same cost: their names do not tell which is the classifier. */
function twoHeads(): string {
  const b = new GraphBuilder(backbone());
  b.clearOutputs();
  for (const name of ["left", "right"]) {
    const weight = b.constant(fromNumbers("float32", [3, 3], [1, 0, 0, 0, 1, 0, 0, 0, 1]), `${name}.weight`);
    b.output(b.op("MatMul", ["logits", weight], {}, name), "float32", ["n", 3]);
  }
  const path = join(folder, "two.onnx");
  writeFileSync(path, writeModel({ graph: b.build() }));
  return path;
}

const call = (...argv: readonly string[]) =>
  cli("train", ...argv, "--data", data, "--recipe", "static", "--epochs", "1", "--batch", "8", "--workers", "0");

test("names the classifier of a file whose heads are parallel", async () => {
  const [path, out] = [twoHeads(), join(folder, "out.onnx")];
  const refused = await call(path, "-o", out);
  expect([refused.code, refused.err]).toEqual([1, expect.stringContaining("Name it as the final exit (--final).")]);
  const { code, err } = await call(path, "-o", out, "--final", "left");
  expect([code, code === 0 ? "" : err]).toEqual([0, ""]);
  expect((await cli("inspect", out)).out).toMatch(/^final .*100\.0 %/m);
});

test("is refused beside an architecture", async () => {
  const { code, err } = await call("resnet20", "-o", join(folder, "r.onnx"), "--final", "left");
  expect([code, err]).toEqual([2, expect.stringContaining("resnet20 is an architecture, whose last exit is final")]);
});
