import { readFileSync } from "node:fs";
import { createConnection } from "node:net";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { sha256 } from "../../../src/core/digest.js";
import { decodeRequest, encodeRequest, HEADER_BYTES, requestBytes } from "../../../src/deploy/wire.js";
import { fingerprintOf, wireFormOf } from "../../../src/deploy/wire-form.js";
import { createServer } from "../../../src/node/serve/server.js";
import type { Backend } from "../../../src/runtime/backend.js";
import { backend, splitMaker, start } from "../../deploy/device/support.js";
import { failure } from "../../support/failure.js";
import { held, post, problem, sampleOf } from "./support.js";

const makeSplit = splitMaker();
const { bundle, routed } = await makeSplit();
const form = wireFormOf(bundle.manifest);

const { request, answers } = await sampleOf({ bundle, routed });

/** When the server's metrics hold a line. The request for them is in flight, too. */
async function until(url: string, line: string): Promise<void> {
  while (!(await (await fetch(`${url}/metrics`)).text()).includes(line));
}

/** The request with some bytes replaced. */
const changed = (at: number, ...bytes: number[]) => {
  const copy = request.slice();
  copy.set(bytes, at);
  return copy;
};

describe("a server", () => {
  test("answers what a device sends, with names beside the numbers", async () => {
    const { url } = await start(bundle);
    const response = await post(url, request);
    expect(response.status).toBe(200);
    const reply = (await response.json()) as { answers: readonly object[]; ms: number };
    expect(reply.answers).toEqual(
      answers.map(({ confidence, ...rest }) => ({
        ...rest,
        confidence: expect.closeTo(confidence, 4),
        class: null,
        exit: bundle.manifest.exits[rest.answer]?.name,
      })),
    );
    expect(reply.ms).toBeGreaterThan(0);
  });

  test("goes by the SHA-256 of manifest.json", async () => {
    const fingerprint = sha256(readFileSync(join(bundle.folder, "manifest.json")));
    expect(fingerprintOf(bundle.manifest)).toBe(fingerprint);
    const { url } = await start(bundle);
    expect(await (await fetch(`${url}/health`)).json()).toEqual({
      status: "ok",
      model: "net",
      part: "server",
      fingerprint,
      maxBatch: 64,
    });
  });

  test("refuses what is no request, and lives on", async () => {
    const { url } = await start(bundle, { maxBatch: 16 });
    const nan = changed(request.length - 4, 0, 0, 0xc0, 0x7f);
    const many = encodeRequest(decodeRequest(request, { form, most: 64 }), { form, wire: "float32" });
    new DataView(many.buffer).setUint32(8, 17, true);
    for (const [body, status, code] of [
      [new Uint8Array(), 400, "wire/format"],
      [new TextEncoder().encode("hello there, this is a text that is long enough"), 400, "wire/format"],
      [request.subarray(0, 100), 400, "wire/format"],
      [changed(HEADER_BYTES, 255), 422, "wire/value"],
      [nan, 422, "wire/value"],
      [changed(12, 0), 409, "wire/bundle"],
      [many, 413, "wire/limit"],
    ] as const) {
      const got = await problem(await post(url, body));
      expect(got).toMatchObject({ status, code, message: expect.stringMatching(/: .*\. .*\. \[wire\//) });
      expect(Object.keys(got).sort()).toEqual(["code", "message", "status"]);
    }
    expect((await post(url, request)).status).toBe(200);
  });

  test("refuses values that are finite and lead to logits that are not", async () => {
    const { url } = await start(bundle);
    const samples = decodeRequest(request, { form, most: 64 });
    const values = Object.fromEntries(
      Object.entries(samples.values).map(([name, value]) => [
        name,
        { ...value, data: (value.data as Float32Array).map(() => 3e38) },
      ]),
    );
    const response = await post(url, encodeRequest({ ...samples, values }, { form, wire: "float32" }));
    expect(await problem(response)).toMatchObject({ status: 422, code: "wire/value" });
  });

  test("refuses too many bytes before it has read them", async () => {
    const { url } = await start(bundle, { maxBatch: 2 });
    const limit = requestBytes(form, { wire: "float32", count: 2 });
    expect((await post(url, new Uint8Array(limit))).status).toBe(400);
    expect(await problem(await post(url, new Uint8Array(limit + 1)))).toMatchObject({
      status: 413,
      code: "wire/limit",
    });
    const { url: small } = await start(bundle, { maxBody: 50 });
    expect((await post(small, request)).status).toBe(413);
  });

  test("refuses other paths, methods and media types", async () => {
    const { url } = await start(bundle);
    expect(await problem(await fetch(`${url}/nothing`))).toEqual({
      status: 404,
      code: "serve/request",
      message:
        "GET /nothing: unknown endpoint. This server has POST /classify, GET /health and GET /metrics. [serve/request]",
    });
    expect((await fetch(`${url}/classify`)).status).toBe(404);
    expect(await problem(await post(url, "{}", { "content-type": "application/json" }))).toMatchObject({
      status: 415,
      code: "serve/request",
    });
    expect((await fetch(`${url}/%`)).status).toBe(400);
  });

  test("asks for its token everywhere but at /health", async () => {
    const { url } = await start(bundle, { token: "right" });
    for (const authorization of [undefined, "right", "Bearer wrong", "Bearer right "]) {
      const headers = authorization === undefined ? {} : { authorization };
      const expected = authorization?.trim() === "Bearer right" ? 200 : 401;
      expect((await post(url, request, headers)).status).toBe(expected);
      expect((await fetch(`${url}/metrics`, { headers })).status).toBe(expected);
    }
    expect((await fetch(`${url}/health`)).status).toBe(200);
    expect(await problem(await post(url, request))).toMatchObject({ code: "serve/token" });
  });

  test("counts what it does as Prometheus text", async () => {
    const { url } = await start(bundle);
    await (await post(url, request)).text();
    await (await post(url, new Uint8Array(3))).text();
    const text = await (await fetch(`${url}/metrics`)).text();
    const stops = answers.filter(({ stop }) => stop === 3).length;
    for (const line of [
      'dynn_requests_total{path="/classify",status="200"} 1',
      'dynn_requests_total{path="/classify",status="400"} 1',
      `dynn_samples_total ${answers.length}`,
      `dynn_exits_total{exit="${bundle.manifest.exits[3]?.name}"} ${stops}`,
      `dynn_received_bytes_total ${request.length + 3}`,
      "dynn_requests_in_flight 1",
      'dynn_request_seconds_count{path="/classify"} 2',
      "dynn_batch_samples_count 1",
    ])
      expect(text.split("\n")).toContain(line);
  });

  test("runs requests that come at the same time together", async () => {
    const { slow, reached, release } = held();
    const { url } = await start(bundle, { backend: slow });
    const first = post(url, request);
    await reached;
    const others = Array.from({ length: 4 }, () => post(url, request));
    await until(url, "dynn_requests_in_flight 6\n");
    release();
    for (const response of await Promise.all([first, ...others])) expect(response.status).toBe(200);
    const text = await (await fetch(`${url}/metrics`)).text();
    expect(text).toContain("dynn_batch_samples_count 2\n");
  });
});

describe("a server under pressure", () => {
  test("tells those that are too many when to come again", async () => {
    const { slow, reached, release } = held();
    const { url } = await start(bundle, { backend: slow, maxPending: 1 });
    const first = post(url, request);
    await reached;
    const second = await post(url, request);
    expect(second.headers.get("retry-after")).toBe("1");
    expect(await problem(second)).toEqual({
      status: 503,
      code: "serve/busy",
      message: "server: 1 request is in flight. Ask again after the time in Retry-After. [serve/busy]",
    });
    release();
    expect((await first).status).toBe(200);
    expect((await post(url, request)).status).toBe(200);
  });

  test("gives up an answer that takes too long", async () => {
    const { slow, release } = held();
    const { url } = await start(bundle, { backend: slow, timeoutMs: 100 });
    expect(await problem(await post(url, request))).toMatchObject({ status: 503, code: "serve/busy" });
    release();
  });

  test("does not wait for a request that does not arrive", async () => {
    const { url } = await start(bundle, { timeoutMs: 100 });
    const { port, hostname } = new URL(url);
    const socket = createConnection(Number(port), hostname);
    socket.write(
      `POST /classify HTTP/1.1\r\nHost: x\r\nContent-Type: application/octet-stream\r\nContent-Length: 100\r\n\r\nab`,
    );
    const text = Buffer.concat(await socket.toArray()).toString();
    expect(text).toMatch(/^HTTP\/1\.1 408 .*\{"code":"serve\/busy",/s);
  });

  test("answers what is no HTTP, and lives on", async () => {
    const { url } = await start(bundle);
    const { port, hostname } = new URL(url);
    const socket = createConnection(Number(port), hostname);
    socket.write("dynn\r\n\r\n");
    const text = Buffer.concat(await socket.toArray()).toString();
    expect(text).toMatch(/^HTTP\/1\.1 400 .*\{"code":"serve\/request",/s);
    expect((await fetch(`${url}/health`)).status).toBe(200);
  });

  test("lives on when a client leaves", async () => {
    const { slow, reached, release } = held();
    const { url } = await start(bundle, { backend: slow });
    const gone = new AbortController();
    const left = fetch(`${url}/classify`, {
      method: "POST",
      body: request,
      headers: { "content-type": "application/octet-stream" },
      signal: gone.signal,
    });
    await reached;
    gone.abort();
    await expect(left).rejects.toThrow();
    await until(url, 'dynn_requests_total{path="/classify",status="left"} 1\n');
    release();
    expect((await post(url, request)).status).toBe(200);
  });

  test("says that it failed, and to its own side why", async () => {
    const told: unknown[] = [];
    const broken: Backend = {
      name: "broken",
      compile: async (graph) => ({ ...(await backend.compile(graph)), run: () => Promise.reject(new Error("secret")) }),
    };
    const { url } = await start(bundle, { backend: broken, onError: (error) => told.push(error) });
    expect(await problem(await post(url, request))).toEqual({
      status: 500,
      code: "serve/failed",
      message: "server: failed unexpectedly. Ask the operator of the server. [serve/failed]",
    });
    expect(told).toEqual([new Error("secret")]);
  });
});

describe("a server that is told to stop", () => {
  test("finishes what is in flight, and takes nothing new", async () => {
    const { slow, reached, release } = held();
    const { url, server } = await start(bundle, { backend: slow });
    const last = post(url, request);
    await reached;
    const closed = server.close();
    await expect(post(url, request)).rejects.toThrow();
    release();
    const response = await last;
    expect(response.status).toBe(200);
    expect(response.headers.get("connection")).toBe("close");
    await closed;
  });

  test("does not wait for a connection that only stands there", async () => {
    const { url, server } = await start(bundle);
    const { port, hostname } = new URL(url);
    const socket = createConnection(Number(port), hostname);
    await new Promise((resolve) => socket.once("connect", resolve));
    await (await fetch(`${url}/health`)).text();
    await server.close();
    socket.destroy();
  });
});

describe("a server that is set up wrongly", () => {
  test("listens to others only with a token", async () => {
    const server = await createServer(bundle, { backend });
    for (const host of ["0.0.0.0", "::", "example.com", "127.0.0.1.example.com"])
      await expect(server.listen({ host, port: 0 })).rejects.toThrow(
        failure(
          "serve/config",
          `host ${host}: other machines can reach it, but the server has no token. Give a token, or listen on 127.0.0.1.`,
        ),
      );
    await server.close();
    const { url } = await start(bundle, { token: "right" });
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  });

  test("says which port is taken", async () => {
    const { url } = await start(bundle);
    const port = Number(new URL(url).port);
    const server = await createServer(bundle, { backend });
    await expect(server.listen({ host: "127.0.0.1", port })).rejects.toThrow(
      new RegExp(`^127\\.0\\.0\\.1:${port}: the server cannot listen there \\(.*EADDRINUSE.*\\[serve/listen\\]$`),
    );
    await server.close();
  });

  test("refuses a staged bundle and numbers out of range", async () => {
    const { bundle: staged } = await makeSplit(undefined, {}, "staged");
    await expect(createServer(staged, { backend })).rejects.toMatchObject({ code: "serve/config" });
    for (const options of [{ maxBatch: 0 }, { maxBody: -1 }, { timeoutMs: 0.5 }, { maxPending: 0 }, { token: "" }])
      await expect(createServer(bundle, { backend, ...options })).rejects.toMatchObject({ code: "serve/config" });
  });
});
