// Does a good client get its answers from `dynn serve` while rude ones do what they like? How late, and what does the server's memory do?
// The server, the rude clients and the good one are three processes on this machine. Everybody has the token: the worst case.
// Exit code 1 when a good request is lost, a place is not given back, or SIGTERM under load does not end with 0.
// Usage: npm run build && node bench/serve-soak.mjs [--seconds N] [--seed N] [--json] [--record]
import { execFile, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { Agent, request as httpRequest } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs, promisify } from "node:util";
import { createDevice, dynamicModel, exportSplit, loadModel, openBundle, ortNode } from "../dist/node/index.js";
import { environment, report, root } from "./support.mjs";

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "20" },
    seed: { type: "string", default: "1" },
    json: { type: "boolean" },
    record: { type: "boolean" },
  },
});
const seconds = Number(values.seconds);
const TOKEN = "soak";
const PLACES = 64;
const GOOD_AT_A_TIME = 2;

const folder = await mkdtemp(join(tmpdir(), "dynn-soak-"));
const body = await makeBundle();

/** A split network, and the request of one image of which its device is not sure. */
async function makeBundle() {
  const model = dynamicModel(await loadModel(join(root, "zoo/resnet20-cifar10-joint.onnx")), {
    name: "resnet20-joint",
  });
  const backend = ortNode();
  const policy = { ...model.policy, thresholds: model.policy.thresholds.map(() => 1) };
  await exportSplit(model, folder, { backend, at: 1, policy });
  const sent = [];
  const classify = async (bytes) => {
    sent.push(Buffer.from(bytes));
    return { answers: [{ stop: 0, answer: 0, label: 0, confidence: 0 }], ms: 0 };
  };
  const device = await createDevice(await openBundle(folder), { backend, remote: { classify }, wire: "int8" });
  await device.classify(Float32Array.from({ length: 3072 }, (_, i) => (i % 97) / 97));
  await device.release();
  return sent[0];
}

async function serve() {
  const args = [join(root, "dist/cli/main.js"), "serve", folder, "--port", "0", "--timeout", "2000"];
  args.push("--max-pending", String(PLACES));
  const child = spawn(process.execPath, args, {
    stdio: ["ignore", "pipe", "ignore"],
    env: { ...process.env, DYNN_TOKEN: TOKEN },
  });
  let text = "";
  for await (const chunk of child.stdout) {
    text += chunk;
    const [, port] = /listening on \S+?:(\d+)/.exec(text) ?? [];
    if (port) return { child, port, ended: new Promise((resolve) => child.once("exit", resolve)) };
  }
  throw new Error(`the server has ended: ${text}`);
}

/** Rude clients; their visits by kind when they are done. */
function rude(port, lasting, seed) {
  const script = join(root, "bench/rude-clients.mjs");
  const args = [script, port, TOKEN, String(body.length), String(lasting), String(seed)];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  let text = "";
  child.stdout.on("data", (chunk) => {
    text += chunk;
  });
  return new Promise((resolve) => child.once("close", () => resolve(JSON.parse(text || "{}"))));
}

const agent = new Agent({ keepAlive: true });
const headers = { authorization: `Bearer ${TOKEN}`, "content-type": "application/octet-stream" };

/** Status and text of an answer; 0 when there is none. */
const ask = (port, method, path, content) =>
  new Promise((resolve) => {
    const sent = httpRequest({ agent, host: "127.0.0.1", port, method, path, headers }, (response) => {
      let text = "";
      response.on("data", (chunk) => {
        text += chunk;
      });
      response.on("end", () => resolve({ status: response.statusCode, text }));
      response.on("error", () => resolve({ status: 0, text: "" }));
    });
    sent.on("error", () => resolve({ status: 0, text: "" }));
    sent.end(content);
  });
const post = (port) => ask(port, "POST", "/classify", body);

/** Ask until told to stop; a refusal (503) is asked again after a moment, as devices do. */
async function good(port, isOver, found) {
  while (!isOver()) {
    const start = performance.now();
    let { status } = await post(port);
    for (let tries = 0; status === 503 && tries < 20; tries++) {
      found.refused++;
      await sleep(100);
      ({ status } = await post(port));
    }
    if (status === 200) found.times.push(performance.now() - start);
    else found.lost.push(status);
  }
}

const run = promisify(execFile);
/** Bytes; asked without waiting, which would hold up the good client. */
const residentOf = async ({ pid }) => 1024 * Number((await run("ps", ["-o", "rss=", "-p", String(pid)])).stdout);

const { child, port, ended } = await serve();
const found = { times: [], lost: [], refused: 0 };
// A quarter of the time warms everything up, visitors included.
const warm = rude(port, seconds / 4, values.seed);
for (let i = 0; i < 50; i++) await post(port);
await warm;
const before = await residentOf(child);
let isOver = false;
let peak = before;
const watch = setInterval(async () => {
  peak = Math.max(peak, await residentOf(child));
}, 500);
const goods = Array.from({ length: GOOD_AT_A_TIME }, () => good(port, () => isOver, found));
const visits = await rude(port, seconds / 2, Number(values.seed) + 1);
isOver = true;
await Promise.all(goods);
clearInterval(watch);
const after = await residentOf(child);

// Everything is back: as many requests as there are places, at once.
await sleep(500);
const health = await ask(port, "GET", "/health");
const full = await Promise.all(Array.from({ length: PLACES }, () => post(port)));
const taken = full.filter(({ status }) => status === 200).length;
const metrics = await ask(port, "GET", "/metrics");
const inFlight = Number(/^dynn_requests_in_flight (\d+)/m.exec(metrics.text)?.[1]);

// SIGTERM in the middle of it.
const storm = rude(port, Math.min(3, seconds / 4), Number(values.seed) + 2);
await sleep(500);
child.kill("SIGTERM");
const code = await ended;
await storm;
agent.destroy();
await rm(folder, { recursive: true });

const times = found.times.sort((a, b) => a - b);
const at = (q) => times[Math.min(times.length - 1, Math.floor(q * times.length))] ?? Number.NaN;
const rudeVisits = Object.values(visits).reduce((a, b) => a + b, 0);
const mebibytes = (n) => `${(n / 2 ** 20).toFixed(0)} MiB`;
const result = {
  answered: times.length,
  lost: found.lost,
  refused: found.refused,
  rudeVisits,
  health: health.status,
  places: PLACES,
  taken,
  inFlight,
  resident: { before, after, peak },
  exitCode: code,
};
if (values.json) console.log(JSON.stringify(result));
else
  report("serve-soak", [
    `bench/serve-soak   ${environment()}`,
    `  ${rudeVisits} rude visits in ${seconds / 2} s: ${Object.entries(visits)
      .map(([name, count]) => `${name} ${count}`)
      .join(", ")}`,
    `  a good client, ${GOOD_AT_A_TIME} requests at a time: ${times.length} answered, ${found.lost.length} lost, ${found.refused} refusals asked again; p50 ${at(0.5).toFixed(1)} ms, p99 ${at(0.99).toFixed(1)} ms, slowest ${at(1).toFixed(0)} ms`,
    `  afterwards: /health ${health.status}, ${taken} of ${PLACES} requests at once answered, ${inFlight - 1} in flight`,
    `  resident: ${mebibytes(before)} after the warm-up, ${mebibytes(after)} at the end, ${mebibytes(peak)} at most`,
    `  SIGTERM under rude clients: exit code ${code}`,
  ]);
if (found.lost.length > 0 || taken < PLACES || inFlight !== 1 || code !== 0) process.exitCode = 1;
