// The early attack as published (48 samples, up to 1000 iterations, alpha 0.1): dynn's batch, in which finished samples leave,
// against the same loop run one sample at a time: by dynn itself (batch 1) and by PyTorch (bench/rivals/early_attack.py).
// Usage: npm run build && node bench/early-attack.mjs [--record]      PyTorch: Debian's python3-torch and python3-onnx
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { configureAttack, Evaluator, runAttack, writeNpy } from "../dist/index.js";
import { attackSetting, environment, report, root } from "./support.mjs";

const SAMPLES = 48;
const ONE_BY_ONE = 12;
const PYTHON = process.env.PYTHON ?? "/usr/bin/python3";
const { victim, backend, samples } = await attackSetting(SAMPLES, 0.8);
const evaluator = new Evaluator(victim.model, { backend });
const attack = configureAttack({ name: "early", goal: "early:published", alpha: 0.1, steps: 1000 }, victim);

async function run(chosen, batch) {
  const start = performance.now();
  const outcomes = await runAttack(attack, chosen, { evaluator, seed: 0, batch });
  const seconds = (performance.now() - start) / 1000;
  const iterations = outcomes.reduce((sum, o) => sum + o.spent.gradients, 0);
  return { seconds, iterations, successes: outcomes.filter((o) => o.success).length };
}

function torchLoop() {
  const folder = mkdtempSync(join(tmpdir(), "dynn-bench-"));
  try {
    const pixels = new Float32Array(ONE_BY_ONE * 3072);
    samples.slice(0, ONE_BY_ONE).forEach((s, i) => pixels.set(s.pixels, i * 3072));
    writeFileSync(join(folder, "x.npy"), writeNpy({ dtype: "float32", dims: [ONE_BY_ONE, 3, 32, 32], data: pixels }));
    const done = spawnSync(
      PYTHON,
      [
        join(root, "bench/rivals/early_attack.py"),
        join(root, "zoo/resnet20-cifar10-joint.onnx"),
        join(folder, "x.npy"),
      ],
      { encoding: "utf8" },
    );
    return done.status === 0 ? JSON.parse(done.stdout) : undefined;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

await run(samples.slice(0, 4), 4);
const batched = await run(samples, SAMPLES);
const single = await run(samples.slice(0, ONE_BY_ONE), 1);
const torch = torchLoop();
const perIteration = ({ seconds, iterations }) => (1000 * seconds) / iterations;
const line = (name, r) =>
  `  ${name.padEnd(34)} ${perIteration(r).toFixed(2)} ms an iteration and sample   ${(perIteration(r) / perIteration(batched)).toFixed(1)} x the batch`;
report("early-attack", [
  `bench/early-attack   ${environment()}, seed 0, alpha 0.1, up to 1000 iterations, success counts from iteration 200 on`,
  `  dynn, 48 samples in one batch: ${batched.seconds.toFixed(1)} s, ${batched.iterations} iterations of single samples, ${batched.successes} successes`,
  line("dynn, batch 48", batched),
  line(`dynn, one at a time (first ${ONE_BY_ONE})`, single),
  torch
    ? line(`PyTorch ${torch.version}, one at a time (first ${ONE_BY_ONE})`, torch)
    : "  PyTorch: not there (Debian's python3-torch and python3-onnx)",
]);
