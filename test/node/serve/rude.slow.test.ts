/** @file What rude clients do to a server over real connections, in every state of a request's life. */
import { once } from "node:events";
import type { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { MOST_PIPELINED } from "../../../src/node/serve/connections.js";
import type { ServerOptions } from "../../../src/node/serve/server.js";
import { splitMaker, start } from "../../deploy/device/support.js";
import { connect, head, heard, held, post, problem, sampleOf, statusesIn } from "./support.js";

const split = await splitMaker()();
const { bundle } = split;
const { request } = await sampleOf(split);

/** A server whose engine waits, and whose own side is told of nothing. */
async function startHeld(options: Partial<ServerOptions> = {}) {
  const failures: unknown[] = [];
  const engine = held();
  const started = await start(bundle, {
    backend: engine.slow,
    onError: (error) => failures.push(error),
    windowMs: 0,
    ...options,
  });
  return { ...started, ...engine, failures };
}

/** What /health says to a client from an address. */
async function health(url: string, from?: string): Promise<{ status: number; says: string }> {
  const socket = await connect(url, from);
  socket.write("GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  const text = await heard(socket);
  return { status: statusesIn(text)[0], says: /"status":"(\w+)"/.exec(text)?.[1] as string };
}

/** When /health says something. */
async function until(url: string, says: string): Promise<void> {
  while ((await health(url)).says !== says) await sleep(5);
}

/** A whole request on a connection. */
function ask(socket: Socket, headers: Readonly<Record<string, string>> = {}): void {
  socket.write(head(request.length, headers));
  socket.write(request);
}

const last = { connection: "close" };

/** States of a request's life, and how to bring a server of one place there. Waiting for a place is none: who gets none is refused. */
const STATES = {
  "waiting for its body": {
    options: {},
    enter: async (socket: Socket) => void socket.write(`${head(100)}ab`),
    stopped: [503],
  },
  "waiting for the rest of a chunked body": {
    options: {},
    enter: async (socket: Socket) =>
      void socket.write(
        "POST /classify HTTP/1.1\r\nHost: x\r\nContent-Type: application/octet-stream\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc",
      ),
    stopped: [503],
  },
  "waiting to be told to send its body": {
    options: {},
    enter: async (socket: Socket) => {
      socket.write(head(100, { expect: "100-continue" }));
      await once(socket, "data");
    },
    stopped: [503],
  },
  "waiting for a batch": {
    options: { windowMs: 2 ** 30 },
    enter: async (socket: Socket) => ask(socket),
    // The batch does not wait any longer then.
    stopped: [503],
  },
  computing: {
    options: {},
    enter: async (socket: Socket) => ask(socket),
    stopped: [503],
  },
  "queued behind another on its connection": {
    options: {},
    enter: async (socket: Socket) => {
      ask(socket);
      socket.write(head(0).repeat(100));
    },
    stopped: [503, ...new Array(100).fill(503)],
  },
};

describe.each(Object.entries(STATES))("a request that is %s", (_, { options, enter, stopped }) => {
  test.each(["destroy", "resetAndDestroy", "end"] as const)(
    "gives its place back when the client does %s",
    async (hangUp) => {
      const { url, release, failures } = await startHeld({ ...options, maxPending: 1 });
      const socket = await connect(url);
      await enter(socket);
      await until(url, "busy");
      expect((await post(url, request)).status).toBe(503);
      socket[hangUp]();
      await until(url, "ok");
      const next = post(url, request);
      await until(url, "busy");
      release();
      if (options !== STATES["waiting for a batch"].options) expect((await next).status).toBe(200);
      next.catch(() => {});
      expect(failures).toEqual([]);
    },
  );

  test("is refused when the server stops and it cannot be finished, and the server ends", async () => {
    // A fifth of the timeout is for the refusals; a pipeline of 101 needs some of it on a busy machine.
    const timeoutMs = 1000 + 40 * (stopped.length - 1);
    const { url, server, failures } = await startHeld({ ...options, maxPending: 1, timeoutMs });
    const socket = await connect(url);
    await enter(socket);
    await until(url, "busy");
    const said = heard(socket);
    await server.close();
    // On a busy machine a body may be too late before the server gives up on it.
    expect(statusesIn(await said).map((status) => (status === 408 ? 503 : status))).toEqual(stopped);
    expect(failures).toEqual([]);
  });

  test("holds up no server that stops when its client leaves", async () => {
    const { url, server, release } = await startHeld({ ...options, maxPending: 1, timeoutMs: 600_000 });
    const socket = await connect(url);
    await enter(socket);
    await until(url, "busy");
    const closed = server.close();
    socket.destroy();
    release();
    await closed;
  });
});

describe("one rude client", () => {
  test("that pipelines 101 requests and leaves holds no place", async () => {
    const { url, server, reached, release } = await startHeld();
    const socket = await connect(url);
    ask(socket);
    socket.write(head(0).repeat(100));
    await reached;
    await sleep(50);
    socket.destroy();
    await until(url, "ok");
    release();
    expect((await post(url, request)).status).toBe(200);
    const text = await (await fetch(`${url}/metrics`)).text();
    expect(text).toContain("dynn_requests_in_flight 1\n");
    await server.close();
  });

  test("gets every answer, in order, when it stays", async () => {
    const { url, reached, release } = await startHeld();
    const socket = await connect(url);
    ask(socket);
    socket.write(head(0).repeat(50));
    socket.write(head(0, last));
    await reached;
    release();
    expect(statusesIn(await heard(socket))).toEqual([200, ...new Array(51).fill(400)]);
  });

  test("gets an answer or a refusal to everything when the server stops meanwhile", async () => {
    const { url, server, reached, release } = await startHeld();
    const socket = await connect(url);
    ask(socket);
    socket.write(head(0).repeat(50));
    await reached;
    const said = heard(socket);
    const closed = server.close();
    release();
    await closed;
    expect(statusesIn(await said)).toEqual([200, ...new Array(50).fill(503)]);
  });

  test("that pipelines without end is read no further", async () => {
    const { url, reached, release } = await startHeld();
    const socket = await connect(url);
    ask(socket);
    await reached;
    const text = heard(socket);
    socket.write("GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n".repeat(MOST_PIPELINED + 500));
    await sleep(50);
    release();
    const statuses = statusesIn(await text);
    expect(statuses).toHaveLength(MOST_PIPELINED + 1);
    expect([statuses[0], statuses.at(-1)]).toEqual([200, 503]);
    expect((await health(url)).status).toBe(200);
  });

  test("that does not read what it asks for holds no place, and no server that stops", async () => {
    const { url, server, reached, release } = await startHeld({ maxPending: 2, timeoutMs: 1000 });
    const socket = await connect(url);
    socket.pause();
    ask(socket);
    await reached;
    for (let i = 0; i < 200; i++) socket.write("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
    release();
    await until(url, "ok");
    expect((await post(url, request)).status).toBe(200);
    await server.close();
  });
});

describe("a share of the places", () => {
  test("is everything for one client, and /health says to each what would become of its request", async () => {
    const { url, reached, release } = await startHeld({ maxPending: 4 });
    const greedy = await Promise.all([1, 2, 3, 4].map(() => connect(url)));
    for (const socket of greedy) ask(socket, last);
    const said = greedy.map(heard);
    await reached;
    await until(url, "busy");
    expect(await health(url)).toEqual({ status: 503, says: "busy" });
    expect(await health(url, "127.0.0.2")).toEqual({ status: 200, says: "ok" });
    const modest = await Promise.all([1, 2, 3].map(() => connect(url, "127.0.0.2")));
    const answers: Promise<string>[] = [];
    for (const socket of modest) {
      ask(socket, last);
      answers.push(heard(socket));
    }
    const refused = await answers[2];
    expect(statusesIn(refused)).toEqual([503]);
    expect(await health(url, "127.0.0.2")).toEqual({ status: 503, says: "busy" });
    release();
    const all = (await Promise.all([...said, ...answers])).flatMap(statusesIn);
    expect(all.sort()).toEqual([200, 200, 200, 200, 503, 503, 503]);
  });

  test("is not kept by bodies that do not come, even from the same address", async () => {
    const { url } = await start(bundle, { maxPending: 4, timeoutMs: 2000, token: "right" });
    const headers = { authorization: "Bearer right" };
    const slow = await Promise.all([1, 2, 3, 4].map(() => connect(url)));
    const said = slow.map(heard);
    for (const socket of slow) socket.write(`${head(request.length, headers)}ab`);
    await until(url, "busy");
    await until(url, "ok");
    expect((await post(url, request, headers)).status).toBe(200);
    const texts = await Promise.all(said);
    expect(texts.flatMap(statusesIn).sort()).toEqual([408, 408, 408, 503]);
    expect(texts.join()).toContain("server: another client with fewer requests in flight needs the place.");
  });

  test("is a client's behind a proxy that is believed, and nobody else is", async () => {
    const { url, reached, release } = await startHeld({ maxPending: 2, proxy: "127.0.0.9" });
    const from = async (address: string, client: string) => {
      const socket = await connect(url, address);
      ask(socket, { ...last, "x-forwarded-for": client });
      return heard(socket);
    };
    const first = [from("127.0.0.9", "10.0.0.1"), from("127.0.0.9", "10.0.0.1")];
    await reached;
    await sleep(50);
    const liar = await Promise.all([from("127.0.0.9", "10.0.0.1"), from("127.0.0.9", "10.0.0.7, 10.0.0.1")]);
    expect(liar.flatMap(statusesIn)).toEqual([503, 503]);
    const other = from("127.0.0.9", "10.0.0.2");
    await sleep(50);
    release();
    expect(statusesIn(await other)).toEqual([200]);
    expect((await Promise.all(first)).flatMap(statusesIn).sort()).toEqual([200, 503]);
    await expect(start(bundle, { proxy: "nobody" })).rejects.toMatchObject({ code: "serve/config" });
  });

  test("of the connections works alike", async () => {
    const { url } = await start(bundle, { maxConnections: 4, timeoutMs: 2000 });
    const idle = await Promise.all([1, 2, 3, 4].map(() => connect(url)));
    expect(statusesIn(await heard(await connect(url)))).toEqual([503]);
    expect((await health(url, "127.0.0.2")).status).toBe(200);
    expect(idle.filter(({ closed, readyState }) => closed || readyState !== "open")).toHaveLength(1);
    for (let status = 503; status !== 200; await sleep(20)) {
      const socket = await connect(url);
      socket.write("GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
      status = statusesIn(await heard(socket))[0] ?? 503;
    }
  });
});

describe("answers outside the endpoints have the documented form", () => {
  const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`;
  test.each([
    ["a path that is none", get("/%"), 400, "serve/request"],
    ["no Host", "GET /health HTTP/1.1\r\nConnection: close\r\n\r\n", 400, "serve/request"],
    ["another expectation", head(3, { expect: "200-ok" }), 417, "serve/request"],
    ["no HTTP", "dynn\r\n\r\n", 400, "serve/request"],
    ["an unknown method", "FETCH / HTTP/1.1\r\nHost: x\r\n\r\n", 400, "serve/request"],
    ["HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400, "serve/request"],
    ["a tunnel", "CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n", 405, "serve/request"],
    ["the star", "OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 404, "serve/request"],
    ["a whole URL", get("http://x/nothing"), 404, "serve/request"],
    ["headers without end", `GET / HTTP/1.1\r\nHost: x\r\nA: ${"b".repeat(20_000)}\r\n\r\n`, 431, "serve/request"],
    [
      "two lengths",
      "POST /classify HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\na",
      400,
      "serve/request",
    ],
    ["a length that is none", head(0).replace("length: 0", "length: many"), 400, "serve/request"],
    [
      "a broken chunk",
      `${head(0).replace("content-length: 0", "transfer-encoding: chunked")}zz\r\n`,
      400,
      "serve/request",
    ],
    ["an upgrade", get("/nothing").replace("close", "Upgrade\r\nUpgrade: websocket"), 404, "serve/request"],
    ["a body of another type", head(2, { ...last, "content-type": "a/b" }).concat("ab"), 415, "serve/request"],
    ["a body that is too long", head(10 ** 9, last), 413, "wire/limit"],
    ["HTTP/1.0", "GET /nothing HTTP/1.0\r\n\r\n", 404, "serve/request"],
  ])("%s", async (_, text, status, code) => {
    const { url } = await start(bundle);
    const socket = await connect(url);
    socket.write(text);
    const said = heard(socket);
    // An upgrade that is refused keeps the connection.
    await once(socket, "data");
    socket.end();
    const answer = await said;
    expect(statusesIn(answer)).toEqual([status]);
    expect(answer.toLowerCase()).toMatch(/\r\ncontent-type: application\/json/);
    const [, body = ""] = answer.split("\r\n\r\n");
    expect(JSON.parse(body)).toEqual({
      code,
      message: expect.stringMatching(new RegExp(`: .*\\. .*\\. \\[${code}\\]$`)),
    });
    expect((await health(url)).status).toBe(200);
  });

  test("and come after the answers to what came before", async () => {
    for (const [nonsense, status] of [
      ["dynn\r\n\r\n", 400],
      ["GET /health HTTP/1.1\r\n\r\n", 400],
      ["GET /health HTTP/1.1\r\nHost: x\r\nExpect: much\r\n\r\n", 417],
    ] as const) {
      const { url, reached, release } = await startHeld();
      const socket = await connect(url);
      ask(socket);
      await reached;
      socket.write(nonsense);
      socket.write("GET /health HTTP/1.1\r\nHost: x\r\n\r\n");
      await sleep(50);
      release();
      expect(statusesIn(await heard(socket))).toEqual([200, status]);
    }
  });

  test("and do not ask for a body that will not be read", async () => {
    const { url } = await start(bundle, { token: "right" });
    const refused = await connect(url);
    refused.write(head(request.length, { expect: "100-continue" }));
    expect(statusesIn(await heard(refused))).toEqual([401]);
    const taken = await connect(url);
    taken.write(head(request.length, { ...last, expect: "100-continue", authorization: "Bearer right" }));
    const [go] = await once(taken, "data");
    expect(String(go)).toBe("HTTP/1.1 100 Continue\r\n\r\n");
    taken.write(request);
    expect(statusesIn(await heard(taken))).toEqual([200]);
  });
});

describe("what a client without a token can count up", () => {
  test("is the refused ones only", async () => {
    const { url } = await start(bundle, { token: "right" });
    const headers = { authorization: "Bearer right" };
    const counts = async () => {
      const text = await (await fetch(`${url}/metrics`, { headers })).text();
      return text.split("\n").filter((line) => /^dynn_/.test(line) && !/path="\/metrics"|in_flight/.test(line));
    };
    await (await post(url, request, headers)).text();
    await counts();
    const before = await counts();
    expect(before.join("\n")).not.toContain("dynn_refused_total{");
    for (const path of ["health", "metrics", "nothing", "classify", "%"]) await (await fetch(`${url}/${path}`)).text();
    expect((await problem(await post(url, request))).status).toBe(401);
    for (const text of ["dynn\r\n\r\n", "GET / HTTP/1.1\r\n\r\n", head(3, { expect: "200-ok" })]) {
      const socket = await connect(url);
      socket.write(text);
      await heard(socket);
    }
    const leaver = await connect(url);
    leaver.write(`${head(100)}ab`.repeat(20));
    leaver.destroy();
    await sleep(20);
    const after = await counts();
    expect(after.filter((line) => !line.startsWith("dynn_refused_total"))).toEqual(before);
    const refused = after.filter((line) => line.startsWith("dynn_refused_total"));
    expect(refused.join()).toMatch(/status="401"\} [45]\b/);
    expect(refused.join()).toMatch(/status="400"\} [34]\b/);
    expect(refused.join()).toContain('status="417"} 1');
  });
});

describe("a server that stops under load", () => {
  test("answers or refuses every request that was sent on a connection", async () => {
    const { url, server } = await start(bundle, { windowMs: 1, timeoutMs: 20_000, maxPending: 8 });
    const statuses: number[] = [];
    const answered = new Set<Socket>();
    const client = async () => {
      const socket = await connect(url);
      let text = "";
      let heardMore = () => {};
      socket.on("data", (chunk) => {
        text += chunk.toString("latin1");
        heardMore();
      });
      socket.on("close", () => heardMore());
      while (!socket.closed && !/^connection: close/im.test(text)) {
        text = "";
        ask(socket);
        while (!socket.closed && !/\r\n\r\n\{.*\}$/s.test(text))
          await new Promise<void>((resolve) => {
            heardMore = resolve;
          });
        statuses.push(statusesIn(text)[0] ?? 0);
        answered.add(socket);
      }
    };
    const clients = Array.from({ length: 16 }, client);
    // What the system has accepted and the server has not is no connection of the server's yet.
    while (answered.size < 16 || statuses.length < 64) await sleep(20);
    await server.close();
    await Promise.all(clients);
    expect(statuses.length).toBeGreaterThan(16);
    expect([...new Set(statuses)].sort()).toEqual([200, 503]);
  });
});
