/** @file The bytes of initializers within a model file, and files that refer to them. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { bytesOf } from "../../src/core/bytes.js";
import { loadModel } from "../../src/node/onnx-files.js";
import { ort } from "../../src/node/ort-node/ort.js";
import { initializerPlaces } from "../../src/onnx/initializer-places.js";
import { writeModel } from "../../src/onnx/write.js";
import { modelFile, twoExits } from "../dynamic/support.js";

const folder = mkdtempSync(join(tmpdir(), "dynn-places-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const { graph } = modelFile(twoExits);
const bytes = writeModel({ graph });

test("each initializer lies where its place says, to the bit", () => {
  const places = initializerPlaces(bytes);
  expect([...places.keys()]).toEqual([...graph.initializers.keys()]);
  expect(places.size).toBeGreaterThan(2);
  for (const [name, { offset, length }] of places)
    expect(bytes.subarray(offset, offset + length)).toEqual(
      bytesOf(graph.initializers.get(name)?.data ?? new Uint8Array()),
    );
});

test("a file that refers to another one is the same model, for dynn and for ONNX Runtime", async () => {
  const places = initializerPlaces(bytes);
  const external = new Map([...places].map(([name, place]) => [name, { location: "base.onnx", ...place }]));
  const small = writeModel({ graph, external });
  writeFileSync(join(folder, "base.onnx"), bytes);
  writeFileSync(join(folder, "refers.onnx"), small);
  expect(small.length).toBeLessThan(bytes.length);
  const read = await loadModel(join(folder, "refers.onnx"));
  expect(read.graph.initializers).toEqual((await loadModel(join(folder, "base.onnx"))).graph.initializers);
  const images = new ort.Tensor(
    "float32",
    Float32Array.from({ length: 2 * 3 * 64 }, (_, i) => (i % 17) / 17),
    [2, 3, 8, 8],
  );
  const [own, other] = await Promise.all(
    ["base", "refers"].map(async (name) =>
      (await ort.InferenceSession.create(join(folder, `${name}.onnx`))).run({ x: images }),
    ),
  );
  expect(Object.keys(own)).toHaveLength(2);
  for (const name of Object.keys(own)) expect(other[name].data).toEqual(own[name].data);
});

test("bytes that are no model are refused", () => {
  expect(() => initializerPlaces(Uint8Array.of(0x3a, 0xff, 0xff, 0x01))).toThrow(
    expect.objectContaining({ code: "model/parse" }),
  );
});
