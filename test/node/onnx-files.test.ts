import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import promises from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { loadModel, saveModel } from "../../src/node/onnx-files.js";
import { TensorProto_DataLocation } from "../../src/onnx/generated/onnx_pb.js";
import { readModel } from "../../src/onnx/read.js";
import { modelBytes, Type, withTensor } from "../onnx/protos.js";

let top: string;
let folder: string;
beforeEach(() => {
  top = mkdtempSync(join(tmpdir(), "dynn-files-"));
  folder = join(top, "models");
  mkdirSync(join(folder, "inner"), { recursive: true });
  const weights = new Uint8Array(Float32Array.of(1, 2).buffer);
  for (const path of [join(folder, "w.bin"), join(folder, "inner", "w.bin"), join(top, "secret.bin")])
    writeFileSync(path, weights);
});
afterEach(() => {
  vi.restoreAllMocks();
  syncBuiltinESMExports();
  rmSync(top, { recursive: true, force: true });
});

const modelAt = (location: string): string => {
  const path = join(folder, "m.onnx");
  writeFileSync(
    path,
    withTensor({
      dataType: Type.FLOAT,
      dims: [2n],
      dataLocation: TensorProto_DataLocation.EXTERNAL,
      externalData: [{ key: "location", value: location }],
    }),
  );
  return path;
};
const messageOf = async (work: Promise<unknown>): Promise<string> => work.then(() => "nothing was thrown", String);

describe("external data", () => {
  test.each([
    ["beside the model", "w.bin"],
    ["in a folder beside the model", "inner/w.bin"],
    ["by a roundabout way inside", "./inner/./w.bin"],
  ])("%s is read", async (_, location) => {
    const model = await loadModel(modelAt(location));
    expect(model.graph.initializers.get("w")?.data).toEqual(Float32Array.of(1, 2));
  });

  test("behind a link that stays inside is read", async () => {
    symlinkSync(join(folder, "inner", "w.bin"), join(folder, "link.bin"));
    expect((await loadModel(modelAt("link.bin"))).graph.initializers.get("w")?.dims).toEqual([2]);
  });

  test("is found when the model's folder is itself a link", async () => {
    modelAt("w.bin");
    symlinkSync(folder, join(top, "alias"));
    expect((await loadModel(join(top, "alias", "m.onnx"))).graph.initializers.get("w")?.dims).toEqual([2]);
  });

  test.each([
    ["../secret.bin"],
    ["inner/../../secret.bin"],
    ["..\\secret.bin"],
    ["/etc/hostname"],
    ["C:\\secret.bin"],
    ["\\\\host\\share\\w.bin"],
    [""],
  ])("at %j is refused", async (location) => {
    const path = modelAt(location);
    expect(await messageOf(loadModel(path))).toBe(
      `DynnError: ${path}: external data "${location}" does not name a file inside the model's folder. Put the data file into the model's own folder. [model/external]`,
    );
  });

  test("behind a link that leaves the folder is refused, file or folder", async () => {
    symlinkSync(join(top, "secret.bin"), join(folder, "link.bin"));
    symlinkSync(top, join(folder, "out"));
    for (const location of ["link.bin", "out/secret.bin"]) {
      const path = modelAt(location);
      expect(await messageOf(loadModel(path))).toBe(
        `DynnError: ${path}: external data "${location}" leads out of the model's folder through a link. Put the data file into the model's own folder. [model/external]`,
      );
    }
  });

  test("in a folder whose name only begins like the model's is refused", async () => {
    mkdirSync(`${folder}-other`);
    writeFileSync(join(`${folder}-other`, "w.bin"), new Uint8Array(8));
    symlinkSync(join(`${folder}-other`, "w.bin"), join(folder, "link.bin"));
    expect(await messageOf(loadModel(modelAt("link.bin")))).toContain("leads out of the model's folder");
  });

  test("that is a folder, or is not there, or has an impossible name, is refused", async () => {
    const path = modelAt("inner");
    expect(await messageOf(loadModel(path))).toBe(
      `DynnError: ${path}: external data "inner" is not a file. Put the data file into the model's own folder. [model/external]`,
    );
    expect(await messageOf(loadModel(modelAt("gone.bin")))).toMatch(
      /external data "gone.bin" cannot be read \(ENOENT: .*\[model\/external\]$/,
    );
    expect(await messageOf(loadModel(modelAt("a\0b")))).toMatch(/cannot be read \(.*null bytes.*\[model\/external\]$/s);
  });
});

describe("a model file", () => {
  test("that is not there", async () => {
    const path = join(folder, "gone.onnx");
    expect(await messageOf(loadModel(path))).toBe(
      `DynnError: ${path}: there is no such file. Check the path. [file/missing]`,
    );
    expect(await messageOf(loadModel(join(folder, "w.bin", "m.onnx")))).toContain("[file/missing]");
  });

  test("that is a folder", async () => {
    expect(await messageOf(loadModel(folder))).toBe(
      `DynnError: ${folder}: cannot be read (it is not a file). Give a file that you may read. [file/unreadable]`,
    );
  });

  test("that is damaged is named in the message", async () => {
    const path = join(folder, "w.bin");
    expect(await messageOf(loadModel(path))).toContain(`DynnError: ${path}: 8 bytes that are not a whole ONNX model`);
  });
});

describe("saving", () => {
  const model = readModel(modelBytes());

  test("gives a file that loads as the same graph, in place of an older one, and leaves nothing else", async () => {
    const path = join(folder, "inner", "out.onnx");
    writeFileSync(path, "old");
    await saveModel(path, model);
    expect((await loadModel(path)).graph).toEqual(model.graph);
    expect(readdirSync(join(folder, "inner"))).toEqual(["out.onnx", "w.bin"]);
  });

  test("where it cannot be done says so", async () => {
    const path = join(folder, "none", "out.onnx");
    expect(await messageOf(saveModel(path, model))).toMatch(
      /^DynnError: .*out\.onnx: cannot be written \(ENOENT: .*\)\. Choose a place that you may write to\. \[file\/unwritable\]$/,
    );
    expect(await messageOf(saveModel(folder, model))).toContain("[file/unwritable]");
  });

  test("on a disk that fills up half way keeps the old file and leaves no other", async () => {
    const path = join(folder, "inner", "out.onnx");
    writeFileSync(path, "old");
    vi.spyOn(promises, "writeFile").mockImplementation(async (file) => {
      writeFileSync(String(file), "half");
      throw Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" });
    });
    syncBuiltinESMExports();
    expect(await messageOf(saveModel(path, model))).toMatch(
      /out\.onnx: the disk is too full for \d+ bytes \(ENOSPC: no space left on device, write\)\. Free some space or choose another place\. \[file\/full\]$/,
    );
    expect([readFileSync(path, "utf8"), readdirSync(join(folder, "inner"))]).toEqual(["old", ["out.onnx", "w.bin"]]);
  });
});
