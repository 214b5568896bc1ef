// What every benchmark shares: timing by the median of several runs, the machine's description, records.
import { spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { dynamicModel, loadModel, openDataset, ortNode, samples, subset } from "../dist/node/index.js";
import { environment, quietLine, report, root } from "./record.mjs";

export { environment, quietLine, report, root };

const quantile = (sorted, q) => sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))];

/** Run `work` several times after a warm-up; milliseconds. */
export async function measure(work, { warmup = 2, runs = 7 } = {}) {
  for (let i = 0; i < warmup; i++) await work();
  const times = [];
  for (let i = 0; i < runs; i++) {
    const start = performance.now();
    await work();
    times.push(performance.now() - start);
  }
  times.sort((a, b) => a - b);
  return { median: quantile(times, 0.5), low: times[0], high: times.at(-1), runs };
}

export const median = (times) =>
  quantile(
    [...times].sort((a, b) => a - b),
    0.5,
  );

export const spread = ({ median, low, high }, scale = 1, digits = 2) =>
  `${(median / scale).toFixed(digits)} (${(low / scale).toFixed(digits)}-${(high / scale).toFixed(digits)})`;

/** The bundled network with its first samples, ready to be attacked. */
export async function attackSetting(count, threshold) {
  const model = dynamicModel(await loadModel(join(root, "zoo/resnet20-cifar10-joint.onnx")), {
    name: "resnet20-joint",
  });
  const data = subset(
    await openDataset("sample"),
    Array.from({ length: count }, (_, i) => i),
  );
  const backend = ortNode();
  const policy = {
    rule: "max-softmax",
    thresholds: new Array(model.exits.length - 1).fill(threshold),
    fallback: "final",
  };
  return { victim: { model, policy }, backend, samples: await samples(model, data, { backend }) };
}

const PYTHON = process.env.PYTHON ?? "/usr/bin/python3";

/** A rival in a process of its own: a line asks for one round, a line of JSON answers; undefined when it is not there. */
export function rival(script, args) {
  const child = spawn(PYTHON, [join(root, "bench/rivals", script), ...args], { stdio: ["pipe", "pipe", "ignore"] });
  const waiting = [];
  const giveUp = () => waiting.splice(0).forEach((resolve) => resolve(undefined));
  createInterface({ input: child.stdout }).on("line", (line) => waiting.shift()?.(JSON.parse(line)));
  child.on("close", giveUp);
  child.on("error", giveUp);
  child.stdin.on("error", () => {});
  return {
    round: (line) =>
      new Promise((resolve) => {
        if (child.exitCode !== null) return resolve(undefined);
        waiting.push(resolve);
        child.stdin.write(`${line}\n`);
      }),
    end: () => child.stdin.end(),
  };
}
