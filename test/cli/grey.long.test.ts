/** @file Every command that meets a model of one channel and colour images makes them grey, and says
 *  so. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { beforeAll, expect, test } from "vitest";
import { fromNumbers, toNumbers } from "../../src/core/tensor.js";
import { readNpy, writeNpy } from "../../src/data/npy.js";
import { readModel } from "../../src/onnx/read.js";
import { writeModel } from "../../src/onnx/write.js";
import { cli, network, npyPair, temporaryFolder } from "./support.js";

const folder = temporaryFolder();
const at = (name: string) => join(folder, name);
const SAID = "makes them grey: 0.299 R + 0.587 G + 0.114 B (ITU-R BT.601";
const spec = npyPair(folder, "c", { count: 120 });
const grey = `npy:${at("g-x.npy")},${at("c-y.npy")}`;

beforeAll(() => {
  const { graph } = readModel(network({ input: ["n", 1, 8, 8], channels: 1 }));
  const trained = (name: string): string => (graph.initializers.has(name) ? `${name}.weight` : name);
  const nodes = graph.nodes.map((node) => ({ ...node, inputs: node.inputs.map(trained) }));
  const initializers = new Map([...graph.initializers].map(([name, value]) => [trained(name), value]));
  writeFileSync(at("net.onnx"), writeModel({ graph: { ...graph, nodes, initializers } }));
  const rgb = toNumbers(readNpy(readFileSync(at("c-x.npy")), "c-x.npy"));
  const luma = Array.from({ length: 120 * 64 }, (_, i) => {
    const red = Math.floor(i / 64) * 192 + (i % 64);
    return 0.299 * rgb[red] + 0.587 * rgb[red + 64] + 0.114 * rgb[red + 128];
  });
  writeFileSync(at("g-x.npy"), writeNpy(fromNumbers("float32", [120, 1, 8, 8], luma)));
});

test("audit: the same numbers as with grey images", async () => {
  const run = async (data: string, json: string) => {
    const argv = ["--attacks", "fgsm", "--radii", "0", "--threshold", "0.5", "--samples", "20", "--json", at(json)];
    const { code, out } = await cli("audit", at("net.onnx"), "--data", data, ...argv);
    expect(code).toBe(0);
    const { clean, attacks } = JSON.parse(readFileSync(at(json), "utf8"));
    return { out, clean, robust: attacks[0].robustAccuracy };
  };
  const [colour, own] = [await run(spec, "c.json"), await run(grey, "g.json")];
  expect(colour.out).toContain(SAID);
  expect(own.out).not.toContain(SAID);
  expect([colour.clean, colour.robust]).toEqual([own.clean, own.robust]);
});

test.each([
  ["calibrate", ["--validation-samples", "50", "-o", "OUT"]],
  ["profile", ["--thresholds", "0.5", "--rules", "max-softmax", "--batch", "1", "--rounds", "1", "--samples", "4"]],
  ["convert", ["--recipe", "ic-only", "--exits", "50", "--epochs", "1", "--batch", "8", "--no-policy", "-o", "OUT"]],
  ["train", ["--recipe", "static", "--epochs", "1", "--batch", "8", "--workers", "0", "-o", "OUT"]],
  ["train", ["--recipe", "static", "--epochs", "1", "--batch", "8", "--workers", "1", "-o", "OUT"]],
])("%s %j takes colour images", async (name, options) => {
  const out = at(`${name}-${options.length}${options.at(-3)}.onnx`);
  const argv = options.map((o) => (o === "OUT" ? out : o));
  const { code, out: said, err } = await cli(name, at("net.onnx"), "--data", spec, ...argv);
  expect([code, code === 0 ? "" : err]).toEqual([0, ""]);
  expect(said + err).toContain(SAID);
});

test("export verifies on them, and classify answers for image files", async () => {
  const exported = await cli(
    "export",
    at("net.onnx"),
    "--format",
    "split",
    "--at",
    "exit0",
    "--threshold",
    "0.5",
    "--data",
    spec,
    "-o",
    at("bundle"),
  );
  expect([exported.code, exported.err]).toEqual([0, ""]);
  mkdirSync(at("photos"));
  await sharp({ create: { width: 8, height: 8, channels: 3, background: "#c86432" } })
    .png()
    .toFile(at("photos/a.png"));
  const { code, out, err } = await cli("classify", at("bundle"), at("photos"));
  expect([code, err]).toEqual([0, ""]);
  expect(out).toContain(SAID);
});
