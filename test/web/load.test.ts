/** @file Models by address: what comes from a server is the model, and every way that a download fails has its error. */
import { readFileSync } from "node:fs";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { load as loadFile } from "../../src/node/load.js";
import { load } from "../../src/web/load.js";

const MODEL = resolve(import.meta.dirname, "../../zoo/resnet20-cifar10-joint.onnx");
const bytes = readFileSync(MODEL);

const ANSWERS: Readonly<Record<string, RequestListener>> = {
  "/zoo/net.onnx": (_, response) => response.end(bytes),
  "/gone.onnx": (_, response) => response.writeHead(410).end(),
  "/broken.onnx": (_, response) => response.writeHead(503).end(),
  "/text.onnx": (_, response) => response.end("<!doctype html><title>no model</title>"),
  "/short.onnx": (_, response) => {
    response.writeHead(200, { "content-length": bytes.length });
    response.write(bytes.subarray(0, 1000), () => response.destroy());
  },
  "/slow.onnx": () => {},
};

let server: Server;
let base: string;
beforeAll(async () => {
  server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://page");
    const answer = ANSWERS[pathname];
    if (answer) answer(request, response);
    else response.writeHead(404).end();
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

describe("load", () => {
  test("gives the model of the file, called what the file is called", async () => {
    const [fetched, read] = [await load(`${base}/zoo/net.onnx?version=2#x`), await loadFile(MODEL)];
    expect(fetched.name).toBe("net");
    expect(fetched.exits).toEqual(read.exits);
    expect(fetched.graph.initializers).toEqual(read.graph.initializers);
  });

  test("takes a URL, and a name in place of the file's", async () => {
    expect((await load(new URL("/zoo/net.onnx", base), { name: "mine" })).name).toBe("mine");
  });

  test.each([
    ["/nowhere.onnx", "file/missing"],
    ["/gone.onnx", "file/missing"],
    ["/broken.onnx", "file/unreadable"],
    ["/short.onnx", "file/unreadable"],
    ["/text.onnx", "model/parse"],
  ])("of %s throws %s and names the address", async (path, code) => {
    await expect(load(base + path)).rejects.toMatchObject({ code, message: expect.stringContaining(base + path) });
  });

  test("of an address without a server throws file/unreadable", async () => {
    await expect(load("http://127.0.0.1:1/net.onnx")).rejects.toMatchObject({ code: "file/unreadable" });
  });

  test("stops with the signal's reason", async () => {
    const stop = new AbortController();
    const loading = load(`${base}/slow.onnx`, { signal: stop.signal });
    const reason = new Error("enough");
    stop.abort(reason);
    await expect(loading).rejects.toBe(reason);
  });
});
