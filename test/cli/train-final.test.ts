/** @file `dynn train --final` and `--exits`: which outputs of a file are trained. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { fromNumbers } from "../../src/core/tensor.js";
import { attachExits, backboneOf, cutsOf } from "../../src/dynamic/model/exits.js";
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
  cli("train", "--recipe", "static", ...argv, "--data", data, "--epochs", "1", "--batch", "8", "--workers", "0");

test("names the classifier of a file whose heads are parallel", async () => {
  const [path, out] = [twoHeads(), join(folder, "out.onnx")];
  const refused = await call(path, "-o", out);
  expect([refused.code, refused.err]).toEqual([1, expect.stringContaining("Name it as the final exit (--final).")]);
  const { code, err } = await call(path, "-o", out, "--final", "left");
  expect([code, code === 0 ? "" : err]).toEqual([0, ""]);
  expect((await cli("inspect", out)).out).toMatch(/^final .*100\.0 %/m);
});

/** Two early heads and two parallel ones at the end. */
function fourHeads(): string {
  const cuts = cutsOf(backboneOf(backbone()));
  const path = join(folder, "four.onnx");
  const graph = attachExits(backbone(), [cuts[0] ?? "", "hidden"]);
  const b = new GraphBuilder(graph);
  const weight = b.constant(fromNumbers("float32", [3, 3], [1, 0, 0, 0, 1, 0, 0, 0, 1]), "right.weight");
  b.output(b.op("MatMul", ["logits", weight], {}, "right"), "float32", ["n", 3]);
  writeFileSync(path, writeModel({ graph: b.build() }));
  return path;
}

test("--exits names the early heads of a file that stay", async () => {
  const [path, out] = [fourHeads(), join(folder, "chosen.onnx")];
  const joint = (...argv: readonly string[]) => call(path, "-o", out, "--final", "right", ...argv);
  const exits = async (): Promise<string[]> => {
    const { exits } = JSON.parse((await cli("inspect", out, "--json", "-")).out);
    return exits.map((exit: { name: string }) => exit.name);
  };
  expect((await joint("--recipe", "joint")).err).not.toContain("error");
  expect(await exits()).toEqual(["exit0", "exit1", "logits", "final"]);
  expect((await joint("--recipe", "joint", "--exits", "exit1")).err).not.toContain("error");
  expect(await exits()).toEqual(["exit1", "final"]);
  const wrong = await joint("--recipe", "joint", "--exits", "exit7");
  expect([wrong.code, wrong.err]).toEqual([2, expect.stringContaining('"exit7" is not a legal cut')]);
});

test("--final names the classifier of the file with the first weights", async () => {
  const argv = ["resnet20", "-o", join(folder, "r.onnx"), "--init", twoHeads()];
  expect((await call(...argv)).err).toContain("Name it as the final exit (--final).");
  expect((await call(...argv, "--final", "left")).err).toContain('does not fit the network: "conv1.weight"');
});

test("is refused beside an architecture", async () => {
  const { code, err } = await call("resnet20", "-o", join(folder, "r.onnx"), "--final", "left");
  expect([code, err]).toEqual([2, expect.stringContaining("resnet20 is an architecture, whose last exit is final")]);
});
