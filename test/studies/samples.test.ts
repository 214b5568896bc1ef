/** @file Samples of a data set: what they hold, and what is refused. */
import { describe, expect, test } from "vitest";
import { uniform } from "../../src/core/rng.js";
import { type Dataset, inMemory, subset } from "../../src/data/dataset.js";
import { referenceBackend } from "../../src/runtime/reference.js";
import { samples } from "../../src/studies/samples.js";
import { smallExits, samplesOf as synthetic } from "../support/models.js";

const model = smallExits();
const made = await synthetic(model, 10);

function dataOf(pixels: Float32Array, labels: readonly number[], shape: Dataset["shape"] = [3, 8, 8]): Dataset {
  return inMemory({ name: "made", shape, classes: undefined, labels: Int32Array.from(labels) }, pixels);
}
const data = dataOf(
  Float32Array.from(made.flatMap((s) => [...s.pixels])),
  made.map((s) => s.label),
);
const backend = referenceBackend;

/** A backend that counts sessions that were not given back. */
function counting() {
  let open = 0;
  return {
    open: () => open,
    backend: {
      ...backend,
      compile: async (graph: Parameters<typeof backend.compile>[0]) => {
        const session = await backend.compile(graph);
        open++;
        const release = async () => {
          open--;
          await session.release();
        };
        return { ...session, release };
      },
    },
  };
}

describe("samples", () => {
  test("are every record with what the model says of it, whatever the batch", async () => {
    for (const batch of [undefined, 1, 3]) expect(await samples(model, data, { backend, batch })).toEqual(made);
  });

  test("of a subset are numbered in the subset", async () => {
    const some = await samples(model, subset(data, [7, 2]), { backend });
    expect(some.map(({ id, label }) => [id, label])).toEqual([
      [0, made[7]?.label],
      [1, made[2]?.label],
    ]);
    expect(some.map(({ clean }) => clean)).toEqual([made[7]?.clean, made[2]?.clean]);
  });

  test("tell how far they are, and stop when they are told to", async () => {
    const done: number[] = [];
    const { backend: counted, open } = counting();
    await samples(model, data, { backend: counted, batch: 4, onProgress: (n, of) => done.push(n, of) });
    expect([done, open()]).toEqual([[4, 10, 8, 10, 10, 10], 0]);
    const signal = AbortSignal.abort(new Error("enough"));
    await expect(samples(model, data, { backend: counted, signal })).rejects.toThrow("enough");
    expect(open()).toBe(0);
  });

  test.each([
    ["a label that the model does not know", dataOf(new Float32Array(192), [9]), "data/label"],
    ["images of another size", dataOf(new Float32Array(192), [0], [3, 4, 16]), "data/shape"],
    [
      "a pixel outside [0,1]",
      dataOf(uniform({ seed: 1, sample: 0, purpose: "test", step: 0 }, 192, 1, 2), [0]),
      "data/value",
    ],
  ])("are refused for %s", async (_, wrong, code) => {
    await expect(samples(model, wrong, { backend })).rejects.toMatchObject({ code });
  });
});
