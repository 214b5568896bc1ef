// Rude clients of a server on this machine: at most 24 connections at a time, for at most a minute. bench/serve-soak.mjs starts them in a
// process of their own.
// Usage: node bench/rude-clients.mjs PORT TOKEN BYTES SECONDS SEED
import { createConnection } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

const [port, token, bytes, seconds, seed] = process.argv.slice(2);
const AT_A_TIME = 24;
const end = performance.now() + 1000 * Math.min(60, Number(seconds));
const length = Number(bytes);

/** Numbers in [0,1). Source: mulberry32, Ettinger 2017. */
let state = Number(seed);
function random() {
  state = (state + 0x6d2b79f5) | 0;
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
}

const head = (size, more = "") =>
  `POST /classify HTTP/1.1\r\nHost: x\r\nContent-Type: application/octet-stream\r\nContent-Length: ${size}\r\n${more}\r\n`;
const known = `Authorization: Bearer ${token}\r\n`;
const junk = Buffer.alloc(length, 1);

const KINDS = {
  pipelines: async (socket) => {
    socket.write(head(length, known));
    socket.write(junk);
    socket.write(head(0, known).repeat(100));
    await sleep(50);
  },
  "pipelines behind a slow body": async (socket) => {
    for (let i = 0; i < 100; i++) socket.write(head(0, known));
    socket.write(`${head(100, known)}ab`);
    await sleep(50);
  },
  "pipelines without a token": async (socket) => {
    socket.write(head(length));
    socket.write(junk);
    socket.write(head(0).repeat(100));
    await sleep(50);
  },
  drips: async (socket) => {
    socket.write(head(length, known));
    for (let i = 0; i < 60; i++) {
      socket.write("x");
      await sleep(50);
    }
  },
  "is no HTTP": async (socket) => {
    socket.write(Buffer.from(Array.from({ length: 300 }, () => 256 * random())));
    await sleep(20);
  },
  "reads nothing": async (socket) => {
    socket.pause();
    for (let i = 0; i < 300; i++) socket.write(`GET /metrics HTTP/1.1\r\nHost: x\r\n${known}\r\n`);
    await sleep(1000);
  },
  "says nothing": async () => sleep(1000),
  "closes its half": async (socket) => {
    socket.end(`${head(length, known)}ab`);
    await sleep(100);
  },
  "leaves at once": async (socket) => {
    socket.write(head(length, known));
    socket.write(junk);
  },
  "breaks a chunk": async (socket) => {
    socket.write(head(0, known).replace("Content-Length: 0", "Transfer-Encoding: chunked"));
    socket.write("5\r\nabcdezz\r\n");
    await sleep(20);
  },
};

async function visit(name) {
  // Other addresses of this machine are there without being set up on Linux only.
  const localAddress = process.platform === "linux" && random() < 0.5 ? "127.0.0.2" : "127.0.0.1";
  const socket = createConnection({ host: "127.0.0.1", port: Number(port), localAddress });
  socket.on("error", () => {});
  socket.resume();
  await new Promise((resolve) => socket.once("connect", resolve).once("close", resolve));
  await KINDS[name](socket);
  if (random() < 0.5) socket.destroy();
  else socket.resetAndDestroy();
}

const names = Object.keys(KINDS);
const visits = Object.fromEntries(names.map((name) => [name, 0]));
await Promise.all(
  Array.from({ length: AT_A_TIME }, async () => {
    while (performance.now() < end) {
      const name = names[Math.floor(names.length * random())];
      visits[name]++;
      await visit(name);
    }
  }),
);
console.log(JSON.stringify(visits));
