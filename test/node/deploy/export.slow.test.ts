import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { DynnError } from "../../../src/core/errors.js";
import type { Tensor } from "../../../src/core/tensor.js";
import { smallestSplit, splitParts, stagedParts } from "../../../src/deploy/parts.js";
import { rowSize } from "../../../src/dynamic/run/stages.js";
import { openBundle } from "../../../src/node/deploy/bundle.js";
import { exportConditional, exportSplit, exportStaged } from "../../../src/node/deploy/export.js";
import { ortNode } from "../../../src/node/ort-node/index.js";
import type { Backend, Tensors } from "../../../src/runtime/backend.js";
import { IMAGE, images, KINDS, logitsOf, medianPolicy, randomModel } from "../../deploy/support.js";
import { failure } from "../../support/failure.js";

const root = mkdtempSync(join(tmpdir(), "dynn-deploy-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const backend = ortNode({ threads: 1 });
const pixels = images(12);
const model = randomModel({ kind: "branches", exits: 4, classes: 4, seed: 3 });
const policy = await medianPolicy(model, { rule: "max-softmax", fallback: "final" }, pixels);
const options = { backend, policy, images: pixels };

let folder = root;
let out = root;
beforeEach(() => {
  folder = mkdtempSync(join(root, "case-"));
  out = join(folder, "out");
});

/** The logits that a bundle's parts give one after the other, each fed only what its manifest names. */
async function logitsOfBundle(path: string): Promise<Float32Array[]> {
  const { manifest, parts } = await openBundle(path);
  let going: Tensors = { [manifest.input.name]: { dtype: "float32", dims: [12, ...IMAGE], data: pixels } };
  const logits: Float32Array[] = [];
  for (const part of parts) {
    const session = await backend.compile(part.graph);
    const feeds = Object.fromEntries(part.inputs.map(({ name }) => [name, going[name]]));
    const known = { ...going, ...(await session.run(feeds)) };
    await session.release();
    for (const exit of part.exits) logits.push(known[exit.logits]?.data as Float32Array);
    going = Object.fromEntries(part.kept.map((name) => [name, known[name]]));
  }
  return logits;
}

const expectClose = (got: readonly Float32Array[], wanted: readonly Float32Array[]): void => {
  expect(got.length).toBe(wanted.length);
  wanted.forEach((row, k) => {
    row.forEach((v, i) => {
      expect(got[k]?.[i]).toBeCloseTo(v, 4);
    });
  });
};

describe.each(KINDS)("a bundle of %s", (kind) => {
  const of = randomModel({ kind, exits: 4, classes: 4, seed: 2 });

  test("in stages gives the model's logits, a part for each exit", async () => {
    await exportStaged(of, out, { ...options, policy: { ...policy } });
    expect(readdirSync(out).sort()).toEqual([
      "manifest.json",
      "stage0.onnx",
      "stage1.onnx",
      "stage2.onnx",
      "stage3.onnx",
    ]);
    expectClose(await logitsOfBundle(out), (await logitsOf(of, pixels)).exits);
  });

  test.each([0, 1, 2])("split at exit %i gives the model's logits", async (at) => {
    await exportSplit(of, out, { ...options, at });
    const { parts } = await openBundle(out);
    expect(parts.map((part) => part.exits.map(({ exit }) => exit))).toEqual([
      [0, 1, 2, 3].slice(0, at + 1),
      [0, 1, 2, 3].slice(at + 1),
    ]);
    expectClose(await logitsOfBundle(out), (await logitsOf(of, pixels)).exits);
  });

  test("has every weight in one part", () => {
    const large = (parts: ReturnType<typeof stagedParts>) =>
      parts.flatMap(({ graph }) => [...graph.initializers.values()].filter((t) => t.data.length > 8));
    const wanted = [...of.graph.initializers.values()].filter((t) => t.data.length > 8);
    expect(new Set(large(splitParts(of, 1)))).toEqual(new Set(wanted));
    // The chains share one weight among exits 1 and 3, so that two stages need it.
    expect(large(stagedParts(of)).length - wanted.length).toBe(kind === "branches" ? 0 : 1);
  });
});

describe("a split", () => {
  test("is made where the fewest numbers go to the server, first among equals", () => {
    const sizes = stagedParts(model).map(({ kept }) =>
      kept.reduce((sum, name) => sum + rowSize({ shape: model.graph.types.get(name)?.shape }), 0),
    );
    const best = Math.min(...sizes.slice(0, -1));
    expect(smallestSplit(model)).toBe(sizes.indexOf(best));
  });

  test("needs an early exit", async () => {
    const single = randomModel({ kind: "chain", exits: 1, classes: 4, seed: 1 });
    await expect(exportSplit(single, out, { ...options, policy: undefined })).rejects.toThrow(
      failure(
        "export/unsupported",
        "net: has one exit, but a split needs an early exit for the device. Give a model with early exits.",
      ),
    );
    await expect(exportSplit(model, out, { ...options, at: 3 })).rejects.toThrow(
      failure(
        "cli/value",
        "split: got exit 3, expected an early exit, 0 to 2. net has 4 exits, and the server needs the last one.",
      ),
    );
  });
});

describe("an export", () => {
  const formats = { staged: exportStaged, split: exportSplit, conditional: exportConditional };
  const cases = Object.entries(formats);

  test.each(cases)("%s says how it agrees with the model", async (_, write) => {
    const { verification, files } = await write(model, out, options);
    expect(verification).toMatchObject({ samples: 12, tolerance: 1e-4, changed: 0 });
    expect(verification.largestDifference).toBeLessThan(1e-5);
    expect(verification.stops.reduce((a, b) => a + b)).toBe(12);
    expect(verification.stops.filter((count) => count > 0).length).toBeGreaterThan(1);
    expect(files.every(({ bytes }) => bytes > 0)).toBe(true);
  });

  test.each(cases)("%s compares on random images when none are given", async (_, write) => {
    const { verification } = await write(model, out, { backend, policy });
    expect(verification.samples).toBe(64);
  });

  test.each(cases)("%s that answers otherwise is not written", async (_, write) => {
    const wrong = write(model, out, { ...options, backend: lying });
    await expect(wrong).rejects.toSatisfy((e) => e instanceof DynnError && e.code === "export/mismatch");
    expect(readdirSync(folder)).toEqual([]);
  });

  test.each(cases)("%s that is interrupted leaves nothing, and what was there", async (name, write) => {
    await write(model, out, options);
    const before = contents(out, name);
    const controller = new AbortController();
    const onProgress = (done: number) => done > 12 && controller.abort(new Error("stop"));
    const other = { ...options, policy: { ...policy, thresholds: [0.9, 0.9, 0.9] } };
    await expect(write(model, out, { ...other, signal: controller.signal, onProgress })).rejects.toThrow("stop");
    expect(readdirSync(folder)).toEqual(["out"]);
    expect(contents(out, name)).toEqual(before);
    await write(model, out, other);
    expect(contents(out, name)).not.toEqual(before);
    expect(readdirSync(folder)).toEqual(["out"]);
  });

  test("is not put over a folder with other files in it", async () => {
    mkdirSync(out);
    writeFileSync(join(out, "precious.txt"), "");
    await expect(exportStaged(model, out, options)).rejects.toThrow(
      failure(
        "file/unwritable",
        `${out}: exists and holds files that are not a bundle's. Choose a new folder, an empty folder or a bundle.`,
      ),
    );
    expect(readdirSync(out)).toEqual(["precious.txt"]);
  });

  test("into a folder that is not there says so", async () => {
    const lost = join(folder, "no", "where");
    for (const write of Object.values(formats))
      await expect(write(model, lost, options)).rejects.toSatisfy(
        (e) => e instanceof DynnError && e.code === "file/unwritable",
      );
  });

  test("without a policy is refused", async () => {
    for (const write of Object.values(formats))
      await expect(write(model, out, { backend })).rejects.toSatisfy(
        (e) => e instanceof DynnError && e.code === "policy/value",
      );
  });
});

const contents = (path: string, format: string): string =>
  readFileSync(format === "conditional" ? path : join(path, "manifest.json")).toString("latin1");

/** A backend that adds 1 to the first logits of every export, but not of the model. */
const lying: Backend = {
  name: "lying",
  compile: async (graph) => {
    const session = await backend.compile(graph);
    if (graph.outputs.length === model.exits.length && graph.outputs[0]?.name === model.exits[0]?.logits)
      return session;
    const run = async (feeds: Tensors): Promise<Tensors> => {
      const results = await session.run(feeds);
      const first = graph.outputs[0]?.name;
      const value = results[first] as Tensor<"float32">;
      return { ...results, [first]: { ...value, data: value.data.map((v) => v + 1) } };
    };
    return { ...session, run };
  },
};
