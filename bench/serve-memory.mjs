// Does a server's memory grow with the requests that it has had? 10 000 of them, good, cut and too large, after 1000 to warm up.
// Exit code 1 when more than 100 bytes a request are left.
// Usage: npm run build && node --expose-gc bench/serve-memory.mjs [REQUESTS]
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  createDevice,
  createServer,
  dynamicModel,
  exportSplit,
  loadModel,
  openBundle,
  ortNode,
} from "../dist/node/index.js";
import { environment, report, root } from "./support.mjs";

if (!globalThis.gc) throw new Error("run with node --expose-gc");
const total = Number(process.argv.find((a) => /^\d+$/.test(a)) ?? 10_000);
const model = dynamicModel(await loadModel(join(root, "zoo/resnet20-cifar10-joint.onnx")), { name: "resnet20-joint" });
const backend = ortNode();
const folder = await mkdtemp(join(tmpdir(), "dynn-bench-"));
// Nothing is sure, so that every image is sent.
await exportSplit(model, folder, {
  backend,
  at: 1,
  policy: { ...model.policy, thresholds: model.policy.thresholds.map(() => 1) },
});
const bundle = await openBundle(folder);
const requests = [];
const remote = {
  classify: async (request) => {
    requests.push(request, request.slice(0, -1), request.slice(1));
    return { answers: [{ stop: 0, answer: 0, label: 0, confidence: 0 }], ms: 0 };
  },
};
const device = await createDevice(bundle, { backend, remote, wire: "int8" });
await device.classify(Float32Array.from({ length: 4 * 3072 }, (_, i) => (i % 97) / 97));
await device.release();
const server = await createServer(bundle, { backend, windowMs: 0, maxBatch: 4 });
const url = await server.listen({ host: "127.0.0.1", port: 0 });
requests.push(new Uint8Array(2 ** 20));

const statuses = new Map();
async function send(count) {
  for (let from = 0; from < count; from += 10)
    await Promise.all(
      Array.from({ length: Math.min(10, count - from) }, async (_, i) => {
        const headers = { "content-type": "application/octet-stream" };
        const body = requests[(from + i) % requests.length];
        // A refusal of a large body may close the connection while it is being sent.
        const response = await fetch(`${url}/classify`, { method: "POST", body, headers }).catch(() => undefined);
        await response?.arrayBuffer();
        const status = response?.status ?? "closed";
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
      }),
    );
}

function inUse() {
  for (let i = 0; i < 3; i++) globalThis.gc();
  const { heapUsed, arrayBuffers, rss } = process.memoryUsage();
  return { held: heapUsed + arrayBuffers, rss };
}

await send(1000);
const before = inUse();
await send(total);
const after = inUse();
const mebibytes = (bytes) => `${(bytes / 2 ** 20).toFixed(1)} MiB`;
report("serve-memory", [
  `bench/serve-memory   ${environment()}`,
  `  ${total} requests, by status: ${[...statuses].map(([status, count]) => `${status} ${count}`).join(", ")}`,
  `  heap and buffers after collection: ${mebibytes(before.held)} before, ${mebibytes(after.held)} after`,
  `  resident: ${mebibytes(before.rss)} before, ${mebibytes(after.rss)} after (client and server are one process)`,
]);
await server.close();
await rm(folder, { recursive: true });
if (after.held - before.held > 100 * total) process.exitCode = 1;
