// How many requests a second does `dynn serve` take, how late is the slowest, and what becomes of a device whose server is killed? The bundled
// network is cut in two; the server runs in a process of its own, the load is autocannon's, one image a request.
// Usage: npm run build && node bench/serve.mjs [MODEL] [--seconds N] [--at EXIT] [--record]
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import autocannon from "autocannon";
import {
  createDevice,
  dynamicModel,
  exportSplit,
  loadModel,
  openBundle,
  openDataset,
  ortNode,
  SplitClient,
  WIRES,
} from "../dist/node/index.js";
import { environment, report, root } from "./support.mjs";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: "string", default: "10" },
    at: { type: "string", default: "1" },
    record: { type: "boolean" },
  },
});
const CONNECTIONS = [1, 8, 32];
const IMAGES = 200;
const path = positionals[0] ?? join(root, "zoo/resnet20-cifar10-joint.onnx");
const model = dynamicModel(await loadModel(path), { name: path.split("/").at(-1) });
const backend = ortNode();
const data = await openDataset("sample");
const each = data.shape.reduce((a, b) => a * b, 1);
const images = new Float32Array(IMAGES * each);
await data.read([...Array(IMAGES).keys()], images);

const folder = await mkdtemp(join(tmpdir(), "dynn-bench-"));
await exportSplit(model, folder, { backend, images, at: Number(values.at) });
const bundle = await openBundle(folder);

/** A server in a process of its own. */
async function serve() {
  const child = spawn(process.execPath, [join(root, "dist/cli/main.js"), "serve", folder, "--port", "0"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let text = "";
  for await (const chunk of child.stdout) {
    text += chunk;
    const [, url] = /listening on (\S+)/.exec(text) ?? [];
    if (url) return { child, url, ended: new Promise((resolve) => child.once("exit", resolve)) };
  }
  throw new Error(`the server has ended: ${text}`);
}

/** What a device sends for the images that it is not sure of. */
async function requestsOf(wire) {
  const requests = [];
  const remote = {
    classify: async (request) => {
      requests.push(Buffer.from(request));
      return { answers: [{ stop: 0, answer: 0, label: 0, confidence: 0 }], ms: 0 };
    },
  };
  const device = await createDevice(bundle, { backend, remote, wire });
  await device.classify(images);
  await device.release();
  return requests;
}

const load = (url, requests, connections) =>
  autocannon({
    url: `${url}/classify`,
    connections,
    duration: Number(values.seconds),
    requests: requests.map((body) => ({
      method: "POST",
      headers: { "content-type": "application/octet-stream" },
      body,
    })),
  });

const lines = [
  `bench/serve   ${environment()}`,
  `  ${model.name} split at ${model.exits[Number(values.at)]?.name}; load and server share the machine; ${values.seconds} s each after a warm-up`,
];
const { child, url, ended } = await serve();
for (const wire of WIRES) {
  const requests = await requestsOf(wire);
  await load(url, requests, 8);
  for (const connections of CONNECTIONS) {
    const { requests: rate, latency, errors, timeouts, non2xx } = await load(url, requests, connections);
    lines.push(
      `  ${wire.padEnd(7)} ${String(requests[0].length).padStart(6)} bytes, ${String(connections).padStart(2)} connections: ${rate.average.toFixed(0)} requests/s, p50 ${latency.p50} ms, p99 ${latency.p99} ms, errors ${errors + timeouts}, other statuses ${non2xx}`,
    );
  }
}

// Graceful end under load: what is in flight is finished, so that no answer is lost and the exit code is 0.
const last = load(url, await requestsOf("int8"), 8);
setTimeout(() => child.kill("SIGTERM"), 1000 * (Number(values.seconds) / 2));
const { "2xx": good, non2xx } = await last;
lines.push(`  SIGTERM under load: ${good} answered, ${non2xx} refused, exit code ${await ended}`);

// Killed in the middle of a device's work: no image goes without an answer.
const second = await serve();
const device = await createDevice(bundle, { backend, remote: new SplitClient(bundle.manifest, { url: second.url }) });
const before = await device.classify(images.subarray(0, (IMAGES / 2) * each));
second.child.kill("SIGKILL");
const after = await device.classify(images.subarray((IMAGES / 2) * each));
await device.release();
const by = (answers) =>
  ["device", "server", "fallback"]
    .map((place) => `${place} ${answers.filter((answer) => answer.place === place).length}`)
    .join(", ");
const slowest = (answers) => Math.max(...answers.map(({ ms }) => ms)).toFixed(1);
lines.push(
  `  before the kill: ${by(before)}, slowest ${slowest(before)} ms`,
  `  after the kill:  ${by(after)}, slowest ${slowest(after)} ms`,
);
report("serve", lines);
await rm(folder, { recursive: true });
