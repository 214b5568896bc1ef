/** @file Strangers' files whose outputs are probabilities, through the command. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readNpy } from "../../src/data/npy.js";
import { argmax } from "../../src/dynamic/route/policy.js";
import { loadModel } from "../../src/node/onnx-files.js";
import { ortNode } from "../../src/node/ort-node/index.js";
import { cli, temporaryFolder } from "./support.js";

const CASES = new URL("../fixtures/cases/", import.meta.url).pathname;
const folder = temporaryFolder();

/** What ONNX Runtime itself says of the images of a case. */
async function ofFile(file: string, images: string, more: Readonly<Record<string, bigint[]>> = {}) {
  const session = await ortNode({ rewrite: false }).compile((await loadModel(file)).graph);
  const { dims, data } = readNpy(readFileSync(images), images);
  const feeds = Object.entries(more).map(([name, list]) => [
    name,
    { dtype: "int64", dims: [list.length], data: BigInt64Array.from(list) } as const,
  ]);
  const [input] = session.inputs.filter((name) => !(name in more));
  const pixels = Float32Array.from(data as Uint8Array, (v) => v / 255);
  const results = await session.run({
    [input]: { dtype: "float32", dims, data: pixels },
    ...Object.fromEntries(feeds),
  });
  await session.release();
  return (name: string) => results[name]?.data as Float32Array;
}

describe("exits that end in a softmax and Identity", () => {
  const at = join(CASES, "07-hidden-softmax");
  const data = `npy:${join(at, "../shared/x.npy")},${join(at, "../shared/y.npy")}`;
  const shared = ["--radii", "0", "--threads", "1", "--attacks", "none", "--threshold", "0.8", "--json", "-"];

  test.each(["exits_softmax.onnx", "exits_softmax_identity.onnx"])(
    "%s leaves early where its own confidence says so",
    async (name) => {
      const file = join(at, name);
      const { code, out } = await cli("audit", file, "--data", data, ...shared);
      expect(code).toBe(0);
      const outputs = await ofFile(file, join(at, "../shared/x.npy"));
      const stops = Array.from({ length: 40 }, (_, i) => {
        const sure = ["early1", "early2"].findIndex(
          (exit) => Math.max(...outputs(exit).slice(10 * i, 10 * i + 10)) >= 0.8,
        );
        return sure < 0 ? 2 : sure;
      });
      const counts = [0, 1, 2].map((exit) => stops.filter((stop) => stop === exit).length);
      expect(counts).toEqual([4, 5, 31]);
      expect(JSON.parse(out).clean.routed.exitCounts).toEqual(counts);
    },
  );

  test("classify shows the confidence of the file", async () => {
    const file = join(at, "exits_softmax_identity.onnx");
    const { out } = await cli("classify", file, data, "--samples", "4", "--threshold", "0.8", "--threads", "1");
    const outputs = await ofFile(file, join(at, "../shared/x.npy"));
    const wanted = [0, 1, 2, 3].map((i) => Math.max(...outputs("final").slice(10 * i, 10 * i + 10)).toFixed(3));
    expect(wanted[0]).toBe("0.572");
    expect([...out.matchAll(/^#\d.* (0\.\d{3}) /gm)].map((m) => m[1])).toEqual(wanted);
  });
});

describe("the gradient of a file whose output is a softmax", () => {
  const at = join(CASES, "08-gradient-of-softmax-output");

  test.each(["softmax.onnx", "softmax_sat.onnx"])("%s: the loss is -log p of the label", async (name) => {
    const [file, made, images] = [join(at, name), join(folder, name), join(at, "../shared/x.npy")];
    const { code } = await cli("gradient", file, "-o", made);
    expect(code).toBe(0);
    const labels = [...(readNpy(readFileSync(join(at, "../shared/y.npy")), "y").data as BigInt64Array)].map(BigInt);
    const p = (await ofFile(file, images))("probs");
    const result = await ofFile(made, images, { labels });
    const loss = result("loss");
    labels.forEach((label, i) => {
      const own = p[10 * i + Number(label)];
      if (own > 1e-30) expect(Math.abs((loss[i] ?? 0) + Math.log(own))).toBeLessThan(1e-3 * (1 - Math.log(own)));
    });
    // Where the network is wrong, a softmax of a saturated softmax would leave almost no gradient.
    const size = 3 * 32 * 32;
    const lengths = labels.flatMap((label, i) =>
      argmax(p.slice(10 * i, 10 * i + 10)) === Number(label)
        ? []
        : [Math.hypot(...result("gradient").slice(i * size, (i + 1) * size))],
    );
    expect(Math.min(...lengths)).toBeGreaterThan(0.1);
  });
});
