/** @file Device and server together against the whole model. */
import { describe, expect, test } from "vitest";
import { createDevice } from "../../../src/deploy/device/device.js";
import { requestBytes } from "../../../src/deploy/wire.js";
import { wireFormOf } from "../../../src/deploy/wire-form.js";
import { SplitClient } from "../../../src/node/client.js";
import { KINDS } from "../support.js";
import { backend, patient, pixels, places, said, splitMaker, start } from "./support.js";

const makeSplit = splitMaker();
const { bundle, routed } = await makeSplit();

describe("a device with a server", () => {
  test.each([
    { rule: "max-softmax", fallback: "final" },
    { rule: "entropy", fallback: "most-confident" },
    { rule: "margin", fallback: "final", temperatures: [1.5, 0.7, 1, 2] },
    { rule: "patience", fallback: "most-confident" },
  ] as const)("answers as the whole model does: $rule, $fallback", async (rule) => {
    const of = await makeSplit(rule, { kind: rule.rule === "entropy" ? "shapes" : "branches" });
    const { url } = await start(of.bundle);
    for (const batch of [1, 5]) {
      const remote = new SplitClient(of.bundle.manifest, { url, ...patient });
      const device = await createDevice(of.bundle, { backend, remote, batch });
      const answers = await device.classify(pixels);
      await device.release();
      expect(said(answers)).toEqual(said(of.routed));
      answers.forEach(({ confidence }, i) => {
        expect(confidence).toBeCloseTo(of.routed[i]?.confidence, 4);
      });
      expect(places(answers)).toEqual(of.routed.map(({ stop }) => (stop <= 1 ? "device" : "server")));
      expect(new Set(places(answers)).size).toBe(2);
    }
  });

  test.each(KINDS)("sends what the server reads of %s, and says how many bytes that were", async (kind) => {
    const of = await makeSplit(undefined, { kind });
    const { url } = await start(of.bundle);
    const form = wireFormOf(of.bundle.manifest);
    for (const wire of ["float32", "float16", "int8"] as const) {
      const remote = new SplitClient(of.bundle.manifest, { url, ...patient });
      const device = await createDevice(of.bundle, { backend, remote, wire });
      const answers = await device.classify(pixels);
      await device.release();
      expect(answers.map(({ bytes }) => bytes)).toEqual(
        answers.map(({ place }) => (place === "device" ? 0 : requestBytes(form, { wire, count: 1 }))),
      );
      // Rounded values change few answers, and none that the device gives.
      const same = answers.filter(({ label }, i) => label === of.routed[i]?.label).length;
      expect(same).toBeGreaterThanOrEqual(wire === "int8" ? 21 : 23);
    }
  });

  test("tells apart the time here, in the server and in all", async () => {
    const { url } = await start(bundle);
    const device = await createDevice(bundle, {
      backend,
      remote: new SplitClient(bundle.manifest, { url, ...patient }),
    });
    for (const { place, ms, deviceMs, serverMs } of await device.classify(pixels)) {
      expect(deviceMs).toBeGreaterThan(0);
      expect(serverMs > 0).toBe(place === "server");
      expect(ms).toBeGreaterThanOrEqual(deviceMs);
    }
    await device.release();
  });

  test("works at the same time for many", async () => {
    const { url } = await start(bundle, { maxBatch: 8 });
    const answers = await Promise.all(
      Array.from({ length: 12 }, async (_, k) => {
        const remote = new SplitClient(bundle.manifest, { url, retries: 8, deadlineMs: 30_000 });
        const device = await createDevice(bundle, { backend, remote, batch: 1 + (k % 3) });
        const got = await device.classify(pixels);
        await device.release();
        return said(got);
      }),
    );
    for (const got of answers) expect(got).toEqual(said(routed));
  });
});
