import { describe, expect, test } from "vitest";
import { GraphBuilder } from "../../src/graph/builder.js";
import { emptyGraph } from "../../src/graph/op.js";
import { type BatchRequest, batchFor, checkRoom } from "../../src/runtime/batch.js";
import { failureOf } from "../support/failure.js";

const MIB = 2 ** 20;
/** Takes `mib` MiB a sample: half of them for the input, half for the output. */
function graphOf(mib: number) {
  const b = new GraphBuilder(emptyGraph("made", 17));
  const x = b.input("x", "float32", ["n", (mib * MIB) / 8]);
  b.output(b.op("Relu", [x]), "float32", undefined);
  return b.build();
}
const choose = (mib: number, freeMib?: number, more: Partial<BatchRequest> = {}) =>
  batchFor({
    name: "made",
    graph: graphOf(mib),
    backend: freeMib === undefined ? {} : { freeMemory: () => freeMib * MIB },
    ...more,
  });

describe("the chosen batch", () => {
  test.each([
    ["64 where they fit", 16, undefined, 64],
    ["as many as 1 GiB holds", 17, undefined, 32],
    ["1 where two do not fit into 1 GiB", 600, undefined, 1],
    ["as many as a quarter of the free memory holds", 16, 1024, 16],
    ["at least 1", 16, 20, 1],
  ])("is %s", (_, mib, free, batch) => {
    expect(choose(mib, free)).toEqual({
      batch,
      chosen: true,
      bytesPerSample: mib * MIB,
      bytes: batch * mib * MIB,
      ...(free === undefined ? {} : { room: (free * MIB) / 4 }),
    });
  });

  test("leaves room for other sessions and for images", () => {
    expect(choose(16, 1024, { sessions: 4 }).batch).toBe(4);
    expect(choose(16, 1024, { held: 512 * MIB }).batch).toBe(8);
  });

  test("is 64 where the memory is not known", () => {
    const b = new GraphBuilder(emptyGraph("open", 17));
    b.output(b.op("Relu", [b.input("x", "float32", ["n", "h"])]), "float32", undefined);
    expect(choose(1, 10, { graph: b.build() })).toEqual({ batch: 64, chosen: true });
  });
});

describe("a given batch", () => {
  test("is taken, above the aim and the quarter too", () => {
    expect(choose(16, 2048, { batch: 100 })).toMatchObject({ batch: 100, chosen: false, bytes: 1600 * MIB });
  });

  test.each([0, 1.5, Number.NaN])("of %s is refused", (batch) => {
    expect(failureOf(() => choose(1, 10, { batch }))).toMatchObject({ code: "cli/value" });
  });
});

describe("a run that does not fit is refused", () => {
  test("with a batch that fits", () => {
    const error = failureOf(() => choose(16, 1000, { batch: 64 }));
    expect(error.message).toBe(
      "made: a batch of 64 needs about 1.1 GB of memory, but 1.0 GB are free. Give a batch of 32. [memory/batch]",
    );
    expect(choose(16, 1000, { batch: 32 }).batch).toBe(32);
  });

  test("with other advice when one sample does not fit", () => {
    const error = failureOf(() => choose(16, 100, { held: 90 * MIB }));
    expect(error.message).toBe(
      "made: a batch of 1 needs about 111 MB of memory, 94.4 MB of them for all images, but 105 MB are free. Give fewer images, smaller images or a smaller model, or use a machine with more memory. [memory/batch]",
    );
  });

  test("when its batch is fixed", () => {
    const request = { name: "step", graph: graphOf(16), batch: 64 };
    expect(() => checkRoom({ ...request, backend: {} })).not.toThrow();
    expect(() => checkRoom({ ...request, backend: { freeMemory: () => 1024 * MIB } })).not.toThrow();
    const error = failureOf(() => checkRoom({ ...request, backend: { freeMemory: () => 512 * MIB } }));
    expect(error).toMatchObject({ code: "memory/batch", detail: { fits: 32, options: ["batch"] } });
  });
});
