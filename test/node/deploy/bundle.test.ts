import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { DynnError } from "../../../src/core/errors.js";
import { createDevice, type Device } from "../../../src/deploy/device/device.js";
import { openBundle } from "../../../src/node/deploy/bundle.js";
import { exportSplit } from "../../../src/node/deploy/export.js";
import { ortNode } from "../../../src/node/ort-node/index.js";
import { createServerPart } from "../../../src/node/serve/server-part.js";
import type { Policy } from "../../../src/schema/policy.js";
import { images, randomModel } from "../../deploy/support.js";

const root = mkdtempSync(join(tmpdir(), "dynn-bundle-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const backend = ortNode({ threads: 1 });
const model = randomModel({ kind: "branches", exits: 4, classes: 4, seed: 3 });
const policy: Policy = { rule: "max-softmax", thresholds: [0.6, 0.7, 0.8], fallback: "final" };
let [folder, out] = [root, root];

describe("a bundle that is opened", () => {
  const at = (name: string) => join(out, name);
  const edit = (change: (manifest: Record<string, never>) => void): void => {
    const manifest = JSON.parse(readFileSync(at("manifest.json"), "utf8"));
    change(manifest);
    writeFileSync(at("manifest.json"), JSON.stringify(manifest));
  };
  const code = async (): Promise<string> => {
    const error = await openBundle(out).catch((e: unknown) => e);
    return error instanceof DynnError ? error.code : `no typed error: ${String(error)}`;
  };
  beforeAll(async () => {
    await exportSplit(model, join(root, "whole"), { backend, policy, images: images(2), at: 1 });
  });
  beforeEach(() => {
    folder = mkdtempSync(join(root, "case-"));
    out = join(folder, "out");
    cpSync(join(root, "whole"), out, { recursive: true });
  });

  test("says all that a host needs", async () => {
    const { manifest, parts } = await openBundle(out);
    expect(manifest).toMatchObject({ kind: "split", model: "net", classes: { count: 4, names: null }, policy });
    expect(manifest.exits.map(({ costFraction }) => costFraction)).toEqual(model.exits.map((e) => e.costFraction));
    expect(parts[1]?.inputs.map(({ name }) => name).sort()).toEqual([...(parts[0]?.kept ?? [])].sort());
  });

  test("is refused when a file is another, shorter or gone", async () => {
    const bytes = readFileSync(at("server.onnx"));
    bytes[100] = bytes[100] ^ 1;
    writeFileSync(at("server.onnx"), bytes);
    expect(await code()).toBe("bundle/damaged");
    writeFileSync(at("server.onnx"), bytes.subarray(0, 50));
    expect(await code()).toBe("bundle/damaged");
    rmSync(at("server.onnx"));
    expect(await code()).toBe("bundle/damaged");
  });

  test("needs the files of the side that is opened, and no other", async () => {
    const [device, server] = (await openBundle(out)).parts;
    rmSync(at("server.onnx"));
    expect((await openBundle(out, { side: "device" })).parts).toEqual([device]);
    await expect(openBundle(out, { side: "server" })).rejects.toThrow(
      /server\.onnx: cannot be read \(.*\), but this machine runs part "server"\. Copy the bundle again/,
    );
    expect(await code()).toBe("bundle/damaged");
    cpSync(join(root, "whole", "server.onnx"), at("server.onnx"));
    rmSync(at("device.onnx"));
    expect((await openBundle(out, { side: "server" })).parts).toEqual([server]);
    await expect(openBundle(out, { side: "device" })).rejects.toThrow('but this machine runs part "device"');
  });

  test("runs only the side that was opened", async () => {
    const [device, server] = [await openBundle(out, { side: "device" }), await openBundle(out, { side: "server" })];
    const engine = await createServerPart(server, { backend, windowMs: 0 });
    const split = await createDevice(device, { backend, remote: engine.remote });
    const whole = await createDevice(await openBundle(out), { backend });
    const labels = async (of: Device) => (await of.classify(images(8))).map(({ label, stop }) => [label, stop]);
    expect(await labels(split)).toEqual(await labels(whole));
    await Promise.all([split.release(), whole.release()]);
    await expect(createDevice(device, { backend })).rejects.toThrow(
      'was opened without part "server", but this machine runs that part. Open the bundle for both sides.',
    );
    await expect(createDevice(server, { backend, remote: engine.remote })).rejects.toThrow(
      'Open the bundle for side "device".',
    );
    await expect(createServerPart(device, { backend })).rejects.toMatchObject({ code: "serve/config" });
    await engine.close();
  });

  test.each(["../server.onnx", "/etc/server.onnx", "a/b.onnx", "..\\b.onnx", ".b.onnx", "server.exe", "C:x.onnx"])(
    "is refused when it names the file %s",
    async (name) => {
      edit((manifest) => Object.assign((manifest.parts as unknown as object[])[1], { file: name }));
      expect(await code()).toBe("bundle/format");
    },
  );

  test("is refused when a link leads out of it", async () => {
    const elsewhere = join(folder, "elsewhere.onnx");
    writeFileSync(elsewhere, readFileSync(at("server.onnx")));
    rmSync(at("server.onnx"));
    symlinkSync(elsewhere, at("server.onnx"));
    expect(await code()).toBe("bundle/damaged");
  });

  test("is refused when the parts do not fit together", async () => {
    const faults: readonly ((manifest: Record<string, never>) => unknown)[] = [
      (m) => ((m.policy as { thresholds: number[] }).thresholds = [0.5]),
      (m) => (m.parts as unknown[]).reverse(),
      (m) => (m.parts as unknown[]).pop(),
      (m) => ((m.parts as { kept: string[] }[])[0].kept = []),
      (m) => ((m.parts as { exits: { logits: string }[] }[])[0].exits[0].logits = "none"),
      (m) => ((m.classes as { count: number }).count = 5),
      (m) => Object.assign(m, { version: 2 }),
      (m) => Object.assign(m, { more: 1 }),
    ];
    const whole = readFileSync(at("manifest.json"));
    for (const fault of faults) {
      writeFileSync(at("manifest.json"), whole);
      edit(fault);
      expect(await code(), fault.toString()).toBe("bundle/format");
    }
  });

  test("is refused when a file takes something else than its manifest says", async () => {
    edit((manifest) => {
      const [device] = manifest.parts as { outputs: { name: string; shape: unknown[] }[] }[];
      device?.outputs.reverse();
    });
    expect(await code()).toBe("bundle/format");
  });

  test("is refused without a manifest, with one that is no JSON, and when it is not there", async () => {
    writeFileSync(at("manifest.json"), "{");
    expect(await code()).toBe("bundle/format");
    rmSync(at("manifest.json"));
    expect(await code()).toBe("bundle/format");
    rmSync(out, { recursive: true });
    expect(await code()).toBe("file/missing");
  });
});
