/** @file Data of other kinds than plain files, and names that are not UTF-8: refused before
 *  anything is opened. */
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { decodeImage } from "../../../src/node/data/image.js";
import { openDataset } from "../../../src/node/data/open.js";
import { openBundle } from "../../../src/node/deploy/bundle.js";
import { readJson } from "../../../src/node/files.js";
import { loadModel } from "../../../src/node/onnx-files.js";
import { network, npyPair } from "../../cli/support.js";

const root = mkdtempSync(join(tmpdir(), "dynn-plain-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));
let folder = root;
beforeEach(() => {
  folder = mkdtempSync(join(root, "case-"));
});

const said = (work: Promise<unknown>): Promise<string> => work.then(() => "nothing was thrown", String);
const image = new Uint8Array(
  Buffer.from(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
    "base64",
  ),
);

const fifo = (path: string): void => void execFileSync("mkfifo", [path]);

describe.skipIf(process.platform === "win32")("a FIFO, a socket and a device", () => {
  test.each([
    ["a FIFO", fifo],
    ["a device", (path: string) => symlinkSync("/dev/zero", path)],
  ])("%s is refused at once, whatever it is given as", async (kind, make) => {
    const odd = join(folder, "odd");
    make(odd);
    const [, labels] = npyPair(folder, "d").split(",");
    for (const work of [
      () => openDataset(`npy:${odd},${labels}`),
      () => openDataset(`npy:${labels},${odd}`),
      () => decodeImage(odd),
      () => loadModel(odd),
      () => readJson(odd),
    ])
      expect(await said(work())).toMatch(new RegExp(`odd: cannot be read \\(it is ${kind}, expected a plain file\\)`));
  });

  test.each(["x.png", "stray"])("among the images of a class is refused before one is decoded: %s", async (name) => {
    mkdirSync(join(folder, "cat"));
    writeFileSync(join(folder, "cat", "a.png"), image);
    fifo(join(folder, "cat", name));
    expect(await said(openDataset(`folder:${folder}?size=8x8`))).toMatch(/is a FIFO.*\[file\/unreadable\]/);
  });

  test("a socket among the classes is refused", async () => {
    const server = createServer();
    await new Promise<void>((done) => server.listen(join(folder, "s"), done));
    expect(await said(openDataset(`folder:${folder}`))).toMatch(/it is a socket.*\[file\/unreadable\]/);
    await new Promise((done) => server.close(done));
  });

  test("in place of the records of CIFAR-10 is refused", async () => {
    fifo(join(folder, "test_batch.bin"));
    expect(await said(openDataset(`cifar10:${folder}`))).toMatch(/is a FIFO.*\[file\/unreadable\]/);
  });

  test("in place of a bundle's manifest is refused", async () => {
    fifo(join(folder, "manifest.json"));
    expect(await said(openBundle(folder))).toMatch(/is a FIFO.*\[bundle\/format\]/);
  });

  test("links to plain files are read", async () => {
    writeFileSync(join(folder, "net.onnx"), network());
    symlinkSync(join(folder, "net.onnx"), join(folder, "link.onnx"));
    expect((await loadModel(join(folder, "link.onnx"))).graph.nodes.length).toBeGreaterThan(0);
    mkdirSync(join(folder, "data", "cat"), { recursive: true });
    writeFileSync(join(folder, "a.png"), image);
    symlinkSync(join(folder, "a.png"), join(folder, "data", "cat", "b.png"));
    expect((await openDataset(`folder:${join(folder, "data")}?size=8x8`)).count).toBe(1);
  });
});

describe.skipIf(process.platform !== "linux")("a name that is not UTF-8", () => {
  test("is refused with the name escaped", async () => {
    mkdirSync(join(folder, "cat"));
    writeFileSync(
      Buffer.concat([Buffer.from(join(folder, "cat", "caf")), Buffer.of(0xe9), Buffer.from([".", "png"].join(""))]),
      image,
    );
    expect(await said(openDataset(`folder:${folder}`))).toMatch(
      /caf\\xe9\.png: cannot be read \(its name is not UTF-8; rename it\).*\[file\/unreadable\]/,
    );
  });

  test("is read when it is UTF-8 beyond ASCII", async () => {
    mkdirSync(join(folder, "größe 猫"));
    writeFileSync(join(folder, "größe 猫", "é.png"), image);
    cpSync(join(folder, "größe 猫", "é.png"), join(folder, "größe 猫", "b c.png"));
    const data = await openDataset(`folder:${folder}`);
    expect([data.count, data.classes]).toEqual([2, ["größe 猫"]]);
  });
});
