import type { Worker } from "node:worker_threads";
import { afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { type TrainingBatch, trainingStream } from "../../../src/data/batches.js";
import { openSource, prefetch } from "../../../src/node/data/prefetch.js";
import { failure } from "../../support/failure.js";
import { collect, OPTIONS, SOURCE } from "./prefetch-source.js";

/** Every thread that prefetch started, and those of them that ended. */
const { started, ended } = vi.hoisted(() => ({ started: [] as Worker[], ended: [] as Worker[] }));

vi.mock("node:worker_threads", async (original) => {
  const threads = await original<typeof import("node:worker_threads")>();
  class Watched extends threads.Worker {
    constructor(...args: ConstructorParameters<typeof Worker>) {
      super(...args);
      started.push(this);
      this.once("exit", () => ended.push(this));
    }
  }
  return { ...threads, Worker: Watched };
});

afterEach(() => {
  expect(ended, "threads closed").toHaveLength(started.length);
  started.length = 0;
  ended.length = 0;
});

describe("batches made on threads", () => {
  let plain: TrainingBatch[];
  beforeAll(async () => {
    plain = await collect(trainingStream(await openSource(SOURCE), OPTIONS));
  });

  test.each([
    { workers: 1, ahead: 4 },
    { workers: 2, ahead: 1 },
    { workers: 3, ahead: 0 },
    { workers: 2, ahead: 50 },
  ])("$workers workers, $ahead ahead: the bytes and the order of the plain stream, across epochs", async (how) => {
    expect(plain).toHaveLength(10);
    expect(await collect(prefetch(SOURCE, { ...OPTIONS, ...how }))).toEqual(plain);
    expect(started).toHaveLength(how.workers);
  });

  test("no more are made than asked to be ready", async () => {
    const stream = prefetch(SOURCE, { ...OPTIONS, ahead: 2 });
    await stream.next();
    const ordered = vi.spyOn(started[0], "postMessage");
    await stream.next();
    expect(ordered.mock.calls).toEqual([[{ epoch: 1, step: 1 }]]);
    await stream.return(undefined);
  });

  test("leaving the loop early closes the threads", async () => {
    for await (const batch of prefetch(SOURCE, { ...OPTIONS, workers: 2 })) {
      expect(batch).toEqual(plain[0]);
      break;
    }
    expect(started).toHaveLength(2);
  });

  test("an error inside the loop closes the threads", async () => {
    const train = async () => {
      for await (const _ of prefetch(SOURCE, OPTIONS)) throw new Error("the step failed");
    };
    await expect(train()).rejects.toThrow("the step failed");
    expect(started).toHaveLength(1);
  });

  test("no thread starts before the first batch is asked for", async () => {
    const stream = prefetch(SOURCE, OPTIONS);
    expect(started).toHaveLength(0);
    await stream.return(undefined);
  });
});

describe("when something goes wrong", () => {
  test("an error on a thread arrives with its code, text and detail", async () => {
    const stream = prefetch({ ...SOURCE, spec: "cifar10:no-such-folder" }, OPTIONS);
    await expect(stream.next()).rejects.toThrow(
      failure(
        "data/missing",
        "cifar10:no-such-folder: there is no test_batch.bin in this folder or in its cifar-10-batches-bin. Give the folder of the unpacked binary archive.",
      ),
    );
    const labels = prefetch(SOURCE, { ...OPTIONS, classes: 5 }).next();
    await expect(labels).rejects.toMatchObject({ code: "data/label", detail: { classes: 5 } });
  });

  test("an impossible state on a thread arrives with its text", async () => {
    const stream = prefetch({ ...SOURCE, indices: new Uint32Array(20).fill(1000) }, OPTIONS);
    await expect(stream.next()).rejects.toThrow(/^bug: npy:x.npy: record 1000 does not exist, there are 100$/);
  });

  test("a thread that ends by itself is an error of its own, for the batches awaited and for later ones", async () => {
    const stream = prefetch(SOURCE, OPTIONS);
    await stream.next();
    await started[0].terminate();
    const rest = async () => {
      while (!(await stream.next()).done);
    };
    await expect(rest()).rejects.toThrow(
      failure(
        "data/worker",
        "prefetch: a worker thread stopped (exit code 1), expected it to run until the end. Check that enough memory is free, and resume the run.",
      ),
    );
  });

  test("a thread that throws outside of any batch is such an error too", async () => {
    const stream = prefetch(SOURCE, OPTIONS);
    const first = stream.next();
    started[0].emit("error", new Error("out of memory"));
    await expect(first).rejects.toMatchObject({ code: "data/worker", detail: { reason: "out of memory" } });
  });

  test("an abort ends the wait with its reason, and hides behind no batch that is ready", async () => {
    const reason = new Error("enough");
    const waiting = new AbortController();
    const first = prefetch(SOURCE, { ...OPTIONS, signal: waiting.signal }).next();
    waiting.abort(reason);
    await expect(first).rejects.toBe(reason);

    const between = new AbortController();
    const stream = prefetch(SOURCE, { ...OPTIONS, signal: between.signal });
    await stream.next();
    await new Promise((resolve) => setTimeout(resolve, 50));
    between.abort(reason);
    await expect(stream.next()).rejects.toBe(reason);

    await expect(prefetch(SOURCE, { ...OPTIONS, signal: between.signal }).next()).rejects.toBe(reason);
    expect(started).toHaveLength(2);
  });
});
