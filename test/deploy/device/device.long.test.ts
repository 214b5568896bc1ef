import { Readable } from "node:stream";
import { describe, expect, test } from "vitest";
import { DynnError } from "../../../src/core/errors.js";
import { createDevice } from "../../../src/deploy/device/device.js";
import type { Remote } from "../../../src/deploy/device/remote.js";
import { type Reading, readingOf } from "../../../src/dynamic/route/route.js";
import { SplitClient } from "../../../src/node/client.js";
import { createServerPart } from "../../../src/node/serve/server-part.js";
import { failure } from "../../support/failure.js";
import { logitsOf } from "../support.js";
import { alone, backend, patient, pixels, places, said, splitMaker, start, startOther } from "./support.js";

const makeSplit = splitMaker();
const split = await makeSplit();
const { bundle, routed, model, policy } = split;
const IMAGE = pixels.length / routed.length;

/** Labels by the exit that is sure, else by the surer of the device's two, from the whole model's
 * logits. */
async function localLabels(): Promise<number[]> {
  const logits = await logitsOf(model, pixels);
  return routed.map(({ stop, label }, i) => {
    const readings = logits.rows(i).map((row, exit) => readingOf(row, policy, exit));
    const [first, second] = readings as [Reading, Reading];
    if (stop <= 1) return label;
    return first.confidence >= second.confidence ? first.label : second.label;
  });
}

test("names the class and the exit of every answer, wherever it came from, as an executor does", async () => {
  const engine = await createServerPart(bundle, { backend });
  let reached = true;
  const remote: Remote = {
    classify: async (request, options) => {
      if (reached) return engine.remote.classify(request, options);
      throw new DynnError("serve/unreachable", "gone", { reason: "gone" });
    },
  };
  const { exits, classes } = bundle.manifest;
  const device = await createDevice(bundle, { backend, remote });
  const answers = await device.classify(pixels);
  reached = false;
  answers.push(...(await device.classify(pixels)));
  await device.release();
  expect(new Set(places(answers))).toEqual(new Set(["device", "server", "fallback"]));
  for (const one of answers.flatMap((answer) => [answer, answer.local])) {
    expect(one.className).toBe(classes.names?.[one.label]);
    expect(one.exitName).toBe(exits[one.answer].name);
    expect(one.costFraction).toBeCloseTo(exits[one.stop].costFraction, 12);
  }
});

describe("a device whose server is not there", () => {
  test("answers by its surest exit and says why, when nobody listens", async () => {
    const { url, server } = await start(bundle);
    await server.close();
    const remote = new SplitClient(bundle.manifest, { url, ...alone });
    const device = await createDevice(bundle, { backend, remote });
    const answers = await device.classify(pixels);
    await device.release();
    expect(places(answers)).toEqual(routed.map(({ stop }) => (stop <= 1 ? "device" : "fallback")));
    expect(answers.map(({ label }) => label)).toEqual(await localLabels());
    for (const { place, reason, local, label } of answers) {
      expect(local.label).toBe(label);
      if (place === "fallback") expect(reason).toMatch(/ECONNREFUSED|refused/i);
      else expect(reason).toBeUndefined();
    }
  });

  test("goes on alone when it is killed in the middle", async () => {
    let dead = false;
    const engine = await createServerPart(bundle, { backend });
    const url = await startOther(async (request, response) => {
      const body = Buffer.concat(await request.toArray());
      if (dead) return void request.socket.destroy();
      const reply = await engine.classify(body);
      response.end(JSON.stringify(reply));
    });
    const device = await createDevice(bundle, {
      backend,
      remote: new SplitClient(bundle.manifest, { url, ...alone }),
    });
    const before = await device.classify(pixels.subarray(0, 12 * IMAGE));
    dead = true;
    const after = await device.classify(pixels.subarray(12 * IMAGE));
    await device.release();
    await engine.close();
    expect(new Set([...places(before), "x", ...places(after)])).toEqual(new Set(["device", "server", "x", "fallback"]));
    expect(places(after)).not.toContain("server");
    expect(said(before)).toEqual(said(routed.slice(0, 12)));
  });

  test("does not wait past its deadline for one that never answers", async () => {
    let asked = 0;
    const url = await startOther((request) => {
      asked++;
      request.resume();
    });
    const remote = new SplitClient(bundle.manifest, { url, deadlineMs: 50, retries: 5, restMs: 60_000 });
    const device = await createDevice(bundle, { backend, remote });
    const answers = await device.classify(pixels);
    await device.release();
    expect(places(answers)).not.toContain("server");
    expect(answers.find(({ place }) => place === "fallback")?.reason).toBe("no answer before the deadline");
    // After the first outage the server is left alone.
    expect(asked).toBeLessThanOrEqual(1);
  });

  test("stops waiting when it is told to", async () => {
    const stop = new AbortController();
    const url = await startOther(() => stop.abort(new Error("enough")));
    const device = await createDevice(bundle, {
      backend,
      remote: new SplitClient(bundle.manifest, { url, deadlineMs: 60_000 }),
    });
    await expect(device.classify(pixels, { signal: stop.signal })).rejects.toThrow("enough");
    await device.release();
  });

  test("asks again after a moment, and takes the answer that comes then", async () => {
    const engine = await createServerPart(bundle, { backend });
    let asked = 0;
    const url = await startOther(async (request, response) => {
      const body = Buffer.concat(await request.toArray());
      if (++asked % 3 !== 0) return void response.writeHead(asked % 3 === 1 ? 503 : 429).end("{}");
      response.end(JSON.stringify(await engine.classify(body)));
    });
    const remote = new SplitClient(bundle.manifest, { url, deadlineMs: 60_000, retries: 2, random: () => 0 });
    const device = await createDevice(bundle, { backend, remote, batch: 24 });
    expect(said(await device.classify(pixels))).toEqual(said(routed));
    expect(asked).toBe(3);
    await device.release();
    await engine.close();
  });

  test.each([
    ["no JSON", "<html>"],
    ["another number of answers", '{"answers":[],"ms":1}'],
    ["a class that is not there", '{"answers":[{"stop":3,"answer":3,"label":4,"confidence":0.5}],"ms":1}'],
    ["a confidence out of range", '{"answers":[{"stop":3,"answer":3,"label":1,"confidence":1e300}],"ms":1}'],
    ["a confidence that is none", '{"answers":[{"stop":3,"answer":3,"label":1,"confidence":null}],"ms":1}'],
  ])("takes %s for an outage", async (_, text) => {
    const url = await startOther((request, response) => {
      request.resume();
      request.on("end", () => response.end(text));
    });
    const device = await createDevice(bundle, {
      backend,
      remote: new SplitClient(bundle.manifest, { url, ...alone }),
    });
    const answers = await device.classify(pixels);
    await device.release();
    expect(answers.find(({ place }) => place === "fallback")?.reason).toContain(
      "Check that `dynn serve` runs at this address",
    );
    expect(places(answers)).not.toContain("server");
  });

  test("does not read an answer that never ends", async () => {
    const endless = function* () {
      for (;;) yield Buffer.alloc(2 ** 20, 32);
    };
    const url = await startOther((request, response) => {
      request.resume();
      Readable.from(endless()).pipe(response);
    });
    const client = new SplitClient(bundle.manifest, { url, ...alone });
    await expect(client.classify(new Uint8Array(4), { samples: 1 })).rejects.toThrow("its answer does not end");
  });
});

describe("a device that is refused", () => {
  test("says so: another export", async () => {
    const other = await makeSplit(undefined, { seed: 4 });
    const { url } = await start(other.bundle);
    const device = await createDevice(bundle, {
      backend,
      remote: new SplitClient(bundle.manifest, { url, ...patient }),
    });
    await expect(device.classify(pixels)).rejects.toThrow(
      /refuses the request \(HTTP 409: request: is for the bundle .*Give device and server the two halves of one export.*\[serve\/refused\]/,
    );
    await device.release();
  });

  test.each([undefined, "another"])("says so: token %s", async (token) => {
    const { url } = await start(bundle, { token: "secret" });
    const client = new SplitClient(bundle.manifest, { url, token });
    await expect(client.classify(new Uint8Array(4), { samples: 1 })).rejects.toMatchObject({ code: "serve/refused" });
  });

  test("is served with the right token", async () => {
    const { url } = await start(bundle, { token: "secret" });
    const remote = new SplitClient(bundle.manifest, { url, ...patient, token: "secret" });
    const device = await createDevice(bundle, { backend, remote });
    expect(said(await device.classify(pixels))).toEqual(said(routed));
    await device.release();
  });
});

describe("a bundle without a server", () => {
  test.each(["split", "staged"] as const)("runs here to its end: %s", async (kind) => {
    const of = await makeSplit(undefined, {}, kind);
    for (const batch of [1, 7]) {
      const device = await createDevice(of.bundle, { backend, batch });
      const answers = await device.classify(pixels);
      await device.release();
      expect(said(answers)).toEqual(said(of.routed));
      expect(new Set(places(answers))).toEqual(new Set(["device"]));
    }
  });

  test("is refused a remote when it is staged", async () => {
    const { bundle: staged } = await makeSplit(undefined, {}, "staged");
    const remote = new SplitClient(staged.manifest, { url: "http://localhost" });
    await expect(createDevice(staged, { backend, remote })).rejects.toThrow(
      failure(
        "serve/config",
        "net: is a staged bundle, expected a split bundle. Make one with `dynn export --format split`.",
      ),
    );
  });

  test("refuses images of another size, and pixels out of range", async () => {
    const device = await createDevice(bundle, { backend });
    await expect(device.classify(pixels.subarray(1))).rejects.toThrow(/^images: 2591 numbers are not a whole number/);
    await expect(device.classify(pixels.map((v) => v + 1))).rejects.toMatchObject({ code: "data/value" });
    await device.release();
  });
});

describe("a client", () => {
  test.each([
    [
      { url: "127.0.0.1:8790" },
      'server: got "127.0.0.1:8790", expected a URL that begins with http:// or https://. Write e.g. http://127.0.0.1:8790.',
    ],
    [{ url: "http://x", deadlineMs: 0 }, "deadline: got 0, expected a whole number of at least 1. Give one."],
    [{ url: "http://x", retries: -1 }, "retries: got -1, expected a whole number of at least 0. Give one."],
    [
      { url: "http://x", token: "a\nb" },
      "token: is empty, or holds characters that are not visible ASCII. Make one with e.g. `openssl rand -hex 32`, or give none.",
    ],
  ])("refuses %j", (options, text) => {
    expect(() => new SplitClient(bundle.manifest, options)).toThrow(failure("serve/config", text));
  });
});
