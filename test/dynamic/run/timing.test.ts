import { describe, expect, test } from "vitest";
import { Images } from "../../../src/core/images.js";
import { uniform } from "../../../src/core/rng.js";
import { measureExits, timeExits } from "../../../src/dynamic/run/timing.js";
import type { Backend } from "../../../src/runtime/backend.js";
import { referenceBackend } from "../../../src/runtime/reference.js";
import { smallExits } from "../../support/models.js";

const model = smallExits();
const images = Images.for(model, uniform({ seed: 1, sample: 0, purpose: "test", step: 0 }, 4 * 192));

/** A backend on whose clock every run of the k-th compiled graph takes `costs[k]` milliseconds, and
 * the first runs a second more. */
function clocked(costs: readonly number[]) {
  let [time, compiled, open, runs] = [0, 0, 0, 0];
  const backend: Backend = {
    name: "clocked",
    compile: async (graph) => {
      const [session, cost] = [await referenceBackend.compile(graph), costs[compiled++]];
      open++;
      return {
        ...session,
        run: async (feeds) => {
          time += cost + (runs++ < 2 * costs.length ? 1000 : 0);
          return session.run(feeds);
        },
        release: async () => {
          open--;
        },
      };
    },
  };
  return { backend, now: () => time, open: () => open, runs: () => runs };
}

describe("the time of exits", () => {
  test("is cumulative, per sample, and without the warm-up", async () => {
    const { backend, now, open, runs } = clocked([8, 4, 20]);
    expect(await measureExits(model, { backend, images, now, warmUp: 2, runs: 5 })).toEqual([2, 3, 8]);
    expect([open(), runs()]).toEqual([0, 21]);
  });

  test("does not count the warm-up, however few runs follow", async () => {
    const { backend, now } = clocked([8, 4, 20]);
    expect(await measureExits(model, { backend, images, now, warmUp: 2, runs: 1 })).toEqual([2, 3, 8]);
  });

  test("is the median, so that one slow run does not count", async () => {
    const { backend, now } = clocked([8, 4, 20]);
    expect(await measureExits(model, { backend, images, now, warmUp: 0, runs: 5 })).toEqual([2, 3, 8]);
  });

  test("comes with how much the runs differ", async () => {
    const steady = clocked([8, 4, 20]);
    expect(
      (await timeExits(model, { backend: steady.backend, images, now: steady.now, warmUp: 2, runs: 5 })).roundSpread,
    ).toBe(1);
    const { backend, now } = clocked([8, 4, 20]);
    const { roundSpread } = await timeExits(model, { backend, images, now, warmUp: 0, runs: 5 });
    expect(roundSpread).toBe((3000 + 32) / 32);
  });

  test("stops when it is aborted, and gives its sessions back", async () => {
    const { backend, now, open } = clocked([1, 1, 1]);
    const signal = AbortSignal.abort(new Error("enough"));
    await expect(measureExits(model, { backend, images, now, signal })).rejects.toThrow("enough");
    expect(open()).toBe(0);
  });
});
