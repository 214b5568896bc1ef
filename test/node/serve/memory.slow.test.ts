/** @file A server's memory does not grow with the requests that it has had, good or bad. bench/serve-memory.mjs asks for longer. */

import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { createDevice } from "../../../src/deploy/device/device.js";
import { percentile } from "../../../src/measures/percentile.js";
import { backend, pixels, splitMaker, start } from "../../deploy/device/support.js";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** Requests between two looks at the memory. */
const WINDOW = 1500;

/** Bytes in use on the heap and in buffers, what can be collected left out. */
function inUse(): number {
  for (let i = 0; i < 3; i++) collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

const makeSplit = splitMaker();
test("requests leave nothing behind", async () => {
  const { bundle } = await makeSplit();
  const { url } = await start(bundle, { windowMs: 0 });
  const requests: BodyInit[] = ["no request at all", new Uint8Array(2 ** 20)];
  const device = await createDevice(bundle, {
    backend,
    remote: {
      classify: async (request) => {
        requests.push(request, request.slice(0, -1));
        return { answers: [{ stop: 3, answer: 3, label: 0, confidence: 1 }], ms: 0 };
      },
    },
  });
  await device.classify(pixels);
  await device.release();
  const post = async (i: number) => {
    const response = await fetch(`${url}/classify`, {
      method: "POST",
      body: requests[i % requests.length],
      headers: { "content-type": "application/octet-stream" },
    }).catch(() => undefined); // A refusal of a large body may close the connection while it is being sent.
    await response?.arrayBuffer();
    return response?.status ?? 413;
  };
  const seen = new Set<number>();
  const many = async (count: number) => {
    for (let from = 0; from < count; from += 10)
      for (const status of await Promise.all(Array.from({ length: 10 }, (_, i) => post(from + i)))) seen.add(status);
  };
  await many(500);
  const growths: number[] = [];
  for (let window = 0; window < 3; window++) {
    const before = inUse();
    await many(WINDOW);
    growths.push(inUse() - before);
  }
  expect([...seen].sort((a, b) => a - b)).toEqual([200, 400, 413]);
  // What is kept of a request is kept in every window. Compiled code comes and goes by half a megabyte whatever is asked (snapshots of the
  // heap show nothing else), so a window is long, and asks less than a server that kept its requests, of some kilobytes each, would need.
  expect(percentile(growths, 50)).toBeLessThan(WINDOW * 1000);
}, 300_000);
