/** @file A closed gate's branch is never executed: weights of NaN do not reach its answers, and ONNX Runtime's profiler counts no convolution of
 *  it. This holds in every form that skips. The masked form fails both. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { Images } from "../../src/core/images.js";
import { uniform } from "../../src/core/rng.js";
import type { Bundle } from "../../src/deploy/bundle.js";
import { createDevice } from "../../src/deploy/device/device.js";
import { runConditional } from "../../src/deploy/run.js";
import { writeMetadata } from "../../src/dynamic/model/metadata.js";
import { type DynamicModel, dynamicModel } from "../../src/dynamic/model/model.js";
import { readingGraph } from "../../src/dynamic/model/scores.js";
import { underPolicy } from "../../src/dynamic/model/under-policy.js";
import type { GateBit } from "../../src/dynamic/model/units.js";
import { route } from "../../src/dynamic/route/route.js";
import { createExecutor } from "../../src/dynamic/run/executor/index.js";
import { Forward } from "../../src/dynamic/run/forward.js";
import { type Graph, subgraphs } from "../../src/graph/graph.js";
import { resnet } from "../../src/nn/resnet.js";
import { openBundle } from "../../src/node/deploy/bundle.js";
import { exportConditional, exportSplit, exportStaged } from "../../src/node/deploy/export.js";
import { loadModel } from "../../src/node/onnx-files.js";
import { ortNode } from "../../src/node/ort-node/index.js";
import { createServerPart } from "../../src/node/serve/server-part.js";
import type { Backend } from "../../src/runtime/backend.js";
import { referenceBackend } from "../../src/runtime/reference.js";
import { NEVER_FIRES, type Policy } from "../../src/schema/policy.js";
import { attachGates } from "../../src/training/gates/attach.js";
import { attachHalting } from "../../src/training/gates/halting.js";
import { gatedImages, gatedModel } from "../support/gated.js";
import { spread } from "../support/spread-gates.js";
import { counting, poisonous } from "../support/watched-backends.js";

const ort = ortNode({ threads: 1 });
const stock = ortNode({ threads: 1, rewrite: false });
const folder = mkdtempSync(join(tmpdir(), "dynn-skipping-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const COUNT = 48;
const IMAGES = gatedImages(COUNT);
const each = IMAGES.length / COUNT;
let files = 0;

const policyFor = (thresholds: readonly number[], gates?: readonly number[]): Policy => ({
  rule: "max-softmax",
  thresholds,
  fallback: "final",
  ...(gates ? { gates: { thresholds: gates } } : {}),
});

interface Answer {
  readonly stop: number;
  readonly label: number;
  readonly gates?: readonly GateBit[] | undefined;
  /** Undefined where the form does not give them. */
  readonly logits?: ArrayLike<number> | undefined;
}

/** Answers over a backend. What is written before is written by the clean model. */
type Form = (
  model: DynamicModel,
  policy: Policy,
  images: Float32Array,
) => Promise<(on: Backend) => Promise<readonly Answer[]>>;

const executed =
  (engine: "staged" | "conditional", batch: number): Form =>
  async (model, policy, images) =>
  async (backend) => {
    const executor = await createExecutor(model, { backend, policy, batch, engine });
    const answers = await executor.classify(images);
    await executor.release();
    return answers;
  };

const onDevice = (bundle: Bundle, images: Float32Array, batch: number) => async (backend: Backend) => {
  const device = await createDevice(bundle, { backend, batch });
  const answers = await device.classify(images);
  await device.release();
  return answers;
};

const FORMS: Readonly<Record<string, Form>> = {
  "the conditional executor": executed("conditional", 8),
  "the conditional executor, one by one": executed("conditional", 1),
  "the staged executor": executed("staged", 8),
  "the staged executor, one by one": executed("staged", 1),
  "the exported file": async (model, policy, images) => {
    const out = join(folder, `one${files++}.onnx`);
    await exportConditional(model, out, { backend: ort, policy, images: IMAGES });
    const { graph } = await loadModel(out);
    return (backend) =>
      runConditional(graph, model, backend, { images: Images.for(model, images), batch: 16, onBatch: () => undefined });
  },
  "a bundle of stages": async (model, policy, images) => {
    const out = join(folder, `stages${files++}`);
    await exportStaged(model, out, { backend: ort, policy, images: IMAGES });
    return onDevice(await openBundle(out), images, 5);
  },
};

/** A split needs an early exit. */
const split: Form = async (model, policy, images) => {
  const out = join(folder, `split${files++}`);
  await exportSplit(model, out, { backend: ort, policy, images: IMAGES, at: 0 });
  const bundle = await openBundle(out);
  return async (backend) => {
    const server = await createServerPart(bundle, { backend, maxBatch: 16, windowMs: 0 });
    const device = await createDevice(bundle, { backend, remote: server.remote, batch: 16 });
    const answers = await device.classify(images);
    await device.release();
    await server.close();
    return answers;
  };
};

/** The answers of the masked form. */
async function masked(given: DynamicModel, policy: Policy, on: Backend, images = IMAGES): Promise<Answer[]> {
  const model = underPolicy(given, policy);
  const forward = await Forward.compile(model, { backend: on });
  const logits = await forward.logits(Images.for(model, images), { batch: 64 });
  await forward.release();
  return route(logits, policy).map((routed, i) => ({ ...routed, logits: logits.row(routed.answer, i) }));
}

const bare = (answers: readonly Answer[]) => answers.map(({ stop, label, gates }) => ({ stop, label, gates }));

/** name, exits, thresholds of exits. */
const NETWORKS = [
  ["gates alone", [], []],
  ["gates and exits", [0, 1, 2], [0.975, 0.97, 1]],
] as const satisfies readonly (readonly [string, readonly number[], readonly number[]])[];

/** The weights of the second convolution hold the shift behind it. */
const weightsOf = (gate: number): string[] => [`block${gate}.conv1.weight`, `block${gate}.branch/folded1`];

describe.each(NETWORKS)("%s: weights of NaN", (_name, exits, thresholds) => {
  const model = gatedModel({ exits });
  const policy = policyFor(thresholds);

  // The wire refuses NaN.
  test.each(Object.entries(FORMS))("reach the open samples alone: %s", async (_form, form) => {
    const run = await form(model, policy, IMAGES);
    const clean = await run(stock);
    let [open, closed] = [0, 0];
    for (let gate = 0; gate < 4; gate++) {
      const found = await run(poisonous(stock, weightsOf(gate)));
      found.forEach((answer, i) => {
        if (clean[i].gates?.[gate] === 1) {
          open++;
          // Nothing fires on NaN, so the sample runs to the end.
          expect(answer.stop).toBe(exits.length);
          if (answer.logits) expect([...Array.from(answer.logits)].every(Number.isNaN)).toBe(true);
        } else {
          closed++;
          expect(bare([answer])).toEqual(bare([clean[i]]));
          if (answer.logits) expect(answer.logits).toEqual(clean[i].logits);
        }
      });
    }
    expect(Math.min(open, closed)).toBeGreaterThan(COUNT / 2);
  });

  test("reach every sample of the masked form", async () => {
    const session = await poisonous(stock, weightsOf(0)).compile(readingGraph(model));
    const image = { dtype: "float32", dims: [COUNT, 3, 8, 8], data: IMAGES } as const;
    const results = await session.run({ image });
    await session.release();
    expect(Array.from(results.logits.data as Float32Array).every(Number.isNaN)).toBe(true);
  });
});

describe.each(NETWORKS)("%s: convolutions that run", (_name, exits, thresholds) => {
  const model = gatedModel({ exits });
  const policy = policyFor(thresholds);
  const routed = masked(model, policy, referenceBackend);
  /** Bits of all gates, those behind the exit taken too. */
  const whole = masked(model, policyFor(exits.map(() => NEVER_FIRES["max-softmax"])), referenceBackend);
  const convolutions = ({ gates = [] }: Answer): number => 1 + 2 * gates.filter((bit) => bit === 1).length;

  /** The server's half runs to the end. */
  const overTheWire = (answer: Answer, all: Answer): number => convolutions(answer.stop > 0 ? all : answer);
  const forms: [string, Form, (answer: Answer, all: Answer) => number][] = [
    ...Object.entries(FORMS).map(([name, form]): (typeof forms)[number] => [name, form, convolutions]),
    ...(exits.length > 0 ? [["the wire", split, overTheWire] as (typeof forms)[number]] : []),
  ];

  test.each(forms)("are those of open gates: %s", async (_form, form, wantedOf) => {
    const all = await whole;
    const wanted = (await routed).map((answer, i) => wantedOf(answer, all[i]));
    const firsts = [...new Set(wanted)].map((count) => wanted.indexOf(count));
    expect(firsts.length).toBeGreaterThan(2);
    for (const i of [...firsts, COUNT - 1]) {
      const run = await form(model, policy, IMAGES.subarray(i * each, (i + 1) * each));
      const { backend, taken } = counting("Conv", join(folder, "profile"));
      await run(backend);
      expect(taken()).toBe(wanted[i]);
    }
  });

  test("are all convolutions in the masked form", async () => {
    const { backend, taken } = counting("Conv", join(folder, "masked"));
    await masked(model, policy, backend, IMAGES.subarray(0, each));
    expect(taken()).toBe(9);
  });

  test("of a batch are those of gates that some sample opens", async () => {
    const some = IMAGES.subarray(0, 3 * each);
    const run = await executed("conditional", 3)(model, policy, some);
    const { backend, taken } = counting("Conv", join(folder, "batch"));
    const answers = await run(backend);
    const used = [0, 1, 2, 3].filter((gate) => answers.some(({ gates }) => gates?.[gate] === 1));
    expect(taken()).toBe(1 + 2 * used.length);
  });
});

describe("any thresholds", () => {
  const draw = (seed: number, count: number) => [
    ...uniform({ seed, sample: 0, purpose: "test", step: 7 }, count, -6, 6),
  ];

  test.each([...Array(8).keys()])("give the answers of the masked form, draw %i", async (seed) => {
    const [, exits, thresholds] = NETWORKS[seed % 2];
    const model = gatedModel({ exits });
    const policy = policyFor(thresholds, draw(seed, 4));
    const wanted = await masked(model, policy, referenceBackend);
    for (const engine of ["conditional", "staged"] as const)
      for (const batch of [1, 2, 64]) {
        const answers = await (await executed(engine, batch)(model, policy, IMAGES))(ort);
        expect(bare(answers)).toEqual(bare(wanted));
        expectClose(answers, wanted);
      }
  });

  test.each(["none", "one", "all"] as const)("%s of a batch open", async (which) => {
    const model = gatedModel({ exits: [1] });
    const forward = await Forward.compile(model, { backend: referenceBackend });
    const { gates } = await forward.logits(Images.for(model, IMAGES), { batch: COUNT });
    const sorted = Float32Array.from(gates[0].scores).sort();
    const least = { none: (sorted.at(-1) as number) + 1, one: sorted.at(-1) as number, all: sorted[0] }[which];
    const policy = policyFor([0.9], [least, 0, 0, 0]);
    const wanted = await masked(model, policy, referenceBackend);
    expect(wanted.filter((answer) => answer.gates?.[0] === 1)).toHaveLength({ none: 0, one: 1, all: COUNT }[which]);
    for (const batch of [2, 64])
      expect(bare(await (await executed("conditional", batch)(model, policy, IMAGES))(ort))).toEqual(bare(wanted));
  });
});

describe("residual networks in the blocked layout", () => {
  const [SIDE, ROWS] = [16, 20];
  const size = 3 * SIDE * SIDE;
  const noise = uniform({ seed: 5, sample: 0, purpose: "test", step: 8 }, ROWS * size, 0, 1);
  /** Images of rising contrast. */
  const pixels = Float32Array.from(noise, (v, i) => v * ((Math.floor(i / size) + 1) / ROWS));
  const plain = resnet(20)({ classes: 10, imageSize: SIDE, seed: 1 }).graph;

  test.each([
    ["on same-size blocks", attachGates(plain, { gate: "pooled", places: "same-size", seed: 1 })],
    ["on all blocks", attachGates(plain, { gate: "pooled", places: "all", seed: 1 })],
    ["that halt", attachHalting(plain, { seed: 1 })],
  ])("with gates %s", async (_name, attached) => {
    const gates = attached.gates.map(({ name, score, value, branch }) => ({ name, score, value, branch }));
    const graph = spread(attached.graph, { bias: 0, weight: 3 });
    const model = dynamicModel({ graph, metadata: writeMetadata({ gates }) });
    // Each threshold is the median of its gate's scores under the thresholds before it.
    const thresholds: number[] = model.gates.map(() => 0);
    for (const k of model.gates.keys()) {
      const scores = await scoresOf(underPolicy(model, { gates: { thresholds } }), pixels);
      const sorted = scores[k].toSorted((a, b) => a - b);
      thresholds[k] = (sorted[ROWS / 2 - 1] + sorted[ROWS / 2]) / 2;
    }
    const policy = policyFor([], thresholds);
    const wanted = await masked(model, policy, ort, pixels);
    expect(new Set(wanted.map((answer) => answer.gates?.join(""))).size).toBeGreaterThan(2);
    for (const gate of model.gates.keys()) expect(new Set(wanted.map((answer) => answer.gates?.[gate])).size).toBe(2);
    for (const batch of [1, 2, ROWS]) {
      const answers = await (await executed("conditional", batch)(model, policy, pixels))(ort);
      expect(bare(answers)).toEqual(bare(wanted));
      expectClose(answers, wanted);
    }
  });
});

/** Scores of each gate. */
async function scoresOf(model: DynamicModel, images: Float32Array): Promise<number[][]> {
  const forward = await Forward.compile(model, { backend: ort });
  const { gates } = await forward.logits(Images.for(model, images), { batch: 64 });
  await forward.release();
  return gates.map(({ scores }) => [...scores]);
}

function expectClose(answers: readonly Answer[], wanted: readonly Answer[]): void {
  answers.forEach((answer, i) => {
    const [found, row] = [Array.from(answer.logits ?? []), Array.from(wanted[i].logits ?? [])];
    row.forEach((logit, c) => expect(Math.abs(found[c] - logit)).toBeLessThanOrEqual(1e-4 * (1 + Math.abs(logit))));
  });
}

describe("a branch and its weights", () => {
  const scopes = (graph: Graph): Graph[] => [graph, ...graph.nodes.flatMap(subgraphs).flatMap(scopes)];

  test("are in the sub-graph that runs when the gate is open, and nowhere else", async () => {
    const out = join(folder, "structure.onnx");
    await exportConditional(gatedModel(), out, { backend: ort, images: IMAGES });
    const { graph } = await loadModel(out);
    const ifs = graph.nodes.filter(({ opType }) => opType === "If");
    expect(ifs).toHaveLength(4);
    ifs.forEach(({ attributes: { then_branch, else_branch } }, gate) => {
      const [then, other] = [then_branch, else_branch].map((a) => (a.kind === "graph" ? a.value : graph));
      expect([...then.initializers.keys()]).toEqual(expect.arrayContaining(weightsOf(gate)));
      expect(then.nodes.filter(({ opType }) => opType === "Conv")).toHaveLength(2);
      expect(other.nodes.map(({ opType }) => opType)).toEqual([gate === 2 ? "Relu" : "Identity"]);
    });
    const names = scopes(graph).flatMap(({ initializers }) => [...initializers.keys()]);
    for (const gate of [0, 1, 2, 3])
      for (const weight of weightsOf(gate)) expect(names.filter((name) => name === weight)).toHaveLength(1);
    expect(graph.nodes.filter(({ opType }) => opType === "Conv")).toHaveLength(1);
    expect(scopes(graph).flatMap(({ nodes }) => nodes.filter(({ opType }) => opType === "Mul"))).toEqual([]);
  });
});
