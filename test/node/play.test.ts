/** @file The server of the playground: the page with its headers, the user's files beside it, and nobody else's questions. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { brotliCompressSync } from "node:zlib";
import { afterAll, afterEach, describe, expect, test } from "vitest";
import { Images } from "../../src/core/images.js";
import { type DynamicModel, dynamicModel } from "../../src/dynamic/model/model.js";
import { Forward } from "../../src/dynamic/run/forward.js";
import { openDataset } from "../../src/node/data/open.js";
import { createPlayServer, type PlayServer } from "../../src/node/play/server.js";
import { readModel } from "../../src/onnx/read.js";
import { referenceBackend } from "../../src/runtime/reference.js";
import { network } from "../cli/support.js";

const MODEL = resolve(import.meta.dirname, "../../zoo/resnet20-cifar10-static.onnx");
const folder = mkdtempSync(join(tmpdir(), "dynn-play-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const PAGE = '<!doctype html><meta name="dynn-own" content="" /><p>page</p>';
mkdirSync(join(folder, "assets"));
writeFileSync(join(folder, "index.html"), PAGE);
writeFileSync(join(folder, "assets/a.js"), "1");
writeFileSync(join(folder, "assets/engine-x.wasm.br"), brotliCompressSync(Buffer.from("engine")));
writeFileSync(join(folder, "../outside.txt"), "secret");
afterAll(() => rmSync(join(folder, "../outside.txt"), { force: true }));

const open: PlayServer[] = [];
afterEach(async () => {
  for (const server of open.splice(0)) await server.close();
});

async function serving(wanted: Parameters<typeof createPlayServer>[0]): Promise<string> {
  const server = await createPlayServer(wanted, folder);
  open.push(server);
  return server.listen(0);
}

/** A request whose path and host are sent as they are. */
const raw = (url: string, path: string, host: string): Promise<number | undefined> =>
  new Promise((resolveStatus, reject) => {
    const { port } = new URL(url);
    const asked = request({ host: "127.0.0.1", port, path, headers: { host } }, (response) => {
      response.resume();
      resolveStatus(response.statusCode);
    });
    asked.on("error", reject).end();
  });

describe("the server of the playground", () => {
  test("gives the page and its files, isolated, with a policy that lets nothing out", async () => {
    const url = await serving({});
    const page = await fetch(url);
    expect(await page.text()).toBe(PAGE);
    expect(Object.fromEntries(page.headers)).toMatchObject({
      "content-type": "text/html; charset=utf-8",
      "cross-origin-opener-policy": "same-origin",
      "cross-origin-embedder-policy": "require-corp",
      "content-security-policy": expect.stringMatching(/default-src 'none'.*connect-src 'self'/),
    });
    const script = await fetch(`${url}assets/a.js`);
    expect(script.headers.get("content-type")).toMatch(/^text\/javascript/);
    expect(script.headers.get("content-security-policy")).toContain("connect-src 'self'");
  });

  test("unpacks WebAssembly", async () => {
    const engine = await fetch(`${await serving({})}assets/engine-x.wasm`);
    expect(engine.headers.get("content-type")).toBe("application/wasm");
    expect(await engine.text()).toBe("engine");
  });

  test("gives no other file, and answers to no other name", async () => {
    const url = await serving({});
    const { host } = new URL(url);
    for (const path of [
      "/outside.txt",
      "/../outside.txt",
      "/%2e%2e/outside.txt",
      "/assets/../../outside.txt",
      "/own.json",
    ])
      expect(await raw(url, path, host)).toBe(404);
    expect(await raw(url, "/", host)).toBe(200);
    expect(await raw(url, "/", "elsewhere.example")).toBe(403);
    expect(await raw(url, "/own/images.bin", "elsewhere.example:80")).toBe(403);
  });

  test("gives the user's network and images, as the command reads them", async () => {
    const url = await serving({ model: MODEL, data: "sample", samples: 3 });
    expect(await (await fetch(url)).text()).toContain('<meta name="dynn-own" content="own.json" />');
    const served = (await (await fetch(`${url}own.json`)).json()) as { model: string; images: string };
    const bytes = new Uint8Array(await (await fetch(url + served.model)).arrayBuffer());
    expect(readModel(bytes).graph.nodes.length).toBeGreaterThan(20);
    const images = (await (await fetch(url + served.images)).json()) as Record<string, unknown>;
    const data = await openDataset("sample");
    expect(images).toMatchObject({ name: "sample", dims: [3, 32, 32], labels: Array.from(data.labels.slice(0, 3)) });
    const pixels = await (await fetch(new URL(images.pixels as string, url + served.images))).arrayBuffer();
    expect(new Float32Array(pixels)).toHaveLength(3 * 3072);
  });

  test("gives a network that is read with options as a file that needs none", async () => {
    const normalization = { mean: [0.5, 0.4, 0.3], std: [0.2, 0.2, 0.1] };
    const reading = { exits: ["exit1"], normalization };
    const path = join(folder, "foreign.onnx");
    writeFileSync(path, network());
    const url = await serving({ model: path, reading });
    const { model } = (await (await fetch(`${url}own.json`)).json()) as { model: string };
    const served = dynamicModel(readModel(new Uint8Array(await (await fetch(url + model)).arrayBuffer())));
    const opened = dynamicModel(readModel(readFileSync(path)), reading);
    expect(served.exits.map(({ name, macs }) => [name, macs])).toEqual(
      opened.exits.map(({ name, macs }) => [name, macs]),
    );
    expect(served.exits).toHaveLength(2);
    expect(served.normalization).toEqual(opened.normalization);
    const images = new Images(new Float32Array(2 * 3 * 8 * 8).fill(0.25), [3, 8, 8]);
    const logitsOf = async (of: DynamicModel) =>
      (await (await Forward.compile(of, { backend: referenceBackend })).logits(images)).exits;
    expect(await logitsOf(served)).toEqual(await logitsOf(opened));
    await expect(createPlayServer({ reading }, folder)).rejects.toThrow("exits, normalization: the call says how");
  });

  test("says what it serves, and where it cannot listen", async () => {
    const url = await serving({ model: "zoo:resnet20-joint" });
    expect(open[0].about).toBe("resnet20-joint");
    const second = await createPlayServer({}, folder);
    open.push(second);
    await expect(second.listen(Number(new URL(url).port))).rejects.toMatchObject({ code: "serve/listen" });
  });

  test("refuses what dynn audit refuses", async () => {
    await expect(createPlayServer({ model: "nothing.onnx" }, folder)).rejects.toMatchObject({ code: "file/missing" });
    await expect(createPlayServer({ data: "nonsense:x" }, folder)).rejects.toMatchObject({ code: "data/spec" });
  });
});
