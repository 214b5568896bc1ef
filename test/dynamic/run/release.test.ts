/** @file Release, disposal and wrong arguments of an executor and of a forward pass. */
import { expect, test } from "vitest";
import { Images } from "../../../src/core/images.js";
import { dynamicModel } from "../../../src/dynamic/model/model.js";
import { makePolicy } from "../../../src/dynamic/route/policy.js";
import { route } from "../../../src/dynamic/route/route.js";
import { createExecutor } from "../../../src/dynamic/run/executor/index.js";
import { Forward } from "../../../src/dynamic/run/forward.js";
import type { Backend } from "../../../src/runtime/backend.js";
import { referenceBackend } from "../../../src/runtime/reference.js";
import { conv, head, modelFile } from "../support.js";

const model = dynamicModel(
  modelFile((b) => {
    const x = b.input("x", "float32", ["batch", 3, 4, 4]);
    const early = b.op("Tanh", [conv(b, x, 3, 4)]);
    b.output(head(b, early, 4, 4, "early"), "float32", undefined);
    b.output(head(b, b.op("Tanh", [conv(b, early, 4, 4)]), 4, 4, "final"), "float32", undefined);
  }),
  { name: "net" },
);
const pixels = new Float32Array(5 * 48).fill(0.5);

/** A backend that counts sessions that are open. */
function counted() {
  const seen = { opened: 0, closed: 0 };
  const backend: Backend = {
    ...referenceBackend,
    compile: async (graph) => {
      const session = await referenceBackend.compile(graph);
      seen.opened++;
      return { ...session, release: async () => void seen.closed++ };
    },
  };
  return { seen, backend };
}

test("an executor frees each session once, however often it is released", async () => {
  const { seen, backend } = counted();
  const executor = await createExecutor(model, { backend, policy: makePolicy(model, { thresholds: 0.9 }) });
  const before = { ...seen };
  await Promise.all([executor.release(), executor.release()]);
  await executor[Symbol.asyncDispose]();
  expect(seen.closed - before.closed).toBe(seen.opened - before.closed);
  expect(seen.opened).toBeGreaterThan(0);
  await expect(executor.classify(pixels)).rejects.toMatchObject({ code: "call/released" });
});

test("a call that runs when the executor is released is refused, and does not hang", async () => {
  const executor = await createExecutor(model, {
    backend: referenceBackend,
    batch: 1,
    policy: makePolicy(model, { thresholds: "never" }),
  });
  const running = executor.classify(pixels, { onProgress: () => void executor.release() });
  await expect(running).rejects.toMatchObject({ code: "call/released" });
});

test("calls at a time on one executor give what calls in turn give", async () => {
  const executor = await createExecutor(model, {
    backend: referenceBackend,
    batch: 2,
    policy: makePolicy(model, { thresholds: 0.3 }),
  });
  const parts = [pixels.map((_, i) => (i % 7) / 7), pixels.map((_, i) => (i % 11) / 11)];
  const together = await Promise.all(parts.map((part) => executor.classify(part)));
  expect(together).toEqual([await executor.classify(parts[0]), await executor.classify(Images.for(model, parts[1]))]);
});

test("a forward pass chooses its batch, and is refused after its release", async () => {
  const forward = await Forward.compile(model, { backend: referenceBackend });
  const images = Images.for(model, pixels);
  expect(await forward.logits(images)).toEqual(await forward.logits(images, { batch: 2 }));
  await forward.release();
  await forward.release();
  await expect(forward.logits(images)).rejects.toMatchObject({ code: "call/released" });
});

const wrong = (call: () => unknown) => expect(call).rejects.toMatchObject({ name: "DynnError", code: "call/argument" });

test("arguments of the wrong kind are named, and are no TypeError", async () => {
  const executor = await createExecutor(model, {
    backend: referenceBackend,
    policy: makePolicy(model, { thresholds: 0.5 }),
  });
  await wrong(async () => createExecutor(undefined as never, { backend: referenceBackend }));
  await wrong(async () => createExecutor(model, undefined as never));
  await wrong(async () => createExecutor(model, {} as never));
  await wrong(async () => Forward.compile(Promise.resolve(model) as never, { backend: referenceBackend }));
  await wrong(async () => Forward.compile(model, referenceBackend as never));
  await wrong(async () => executor.classify([0.5] as never));
  await wrong(async () => executor.classify(new Uint8Array(48) as never));
  const forward = await Forward.compile(model, { backend: referenceBackend });
  await wrong(async () => forward.logits(pixels as never));
  const logits = await forward.logits(Images.for(model, pixels));
  await wrong(async () => route(logits, undefined as never));
  await wrong(async () => route([] as never, makePolicy(model, { thresholds: 0.5 })));
});

test("pixels outside [0,1] are refused by an executor and by a forward pass alike", async () => {
  const bytes = pixels.map((v) => v * 255);
  const executor = await createExecutor(model, {
    backend: referenceBackend,
    policy: makePolicy(model, { thresholds: 0.5 }),
  });
  const forward = await Forward.compile(model, { backend: referenceBackend });
  for (const run of [executor.classify(bytes), forward.logits(Images.for(model, bytes))])
    await expect(run).rejects.toMatchObject({ code: "data/value" });
});
