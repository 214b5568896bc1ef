/** The mixed loss on the reference backend against its formulas in float64, its gradient against central differences, and both
 *  against PyTorch 1.13 in float64, run once with
 *    Z = tensor([[[1, -.5, .25], [0, 2, -1]], [[.5, .5, -2], [3, -1, 1]]], requires_grad=True)
 *    y, w, e, T, a = tensor([0, 2]), [0.3, 1.0], 0.1, 3.0, 0.4
 *    ce = [F.cross_entropy(z, y, label_smoothing=e) for z in Z]
 *    kl = F.kl_div(F.log_softmax(Z[0] / T, 1), F.softmax(Z[1].detach() / T, 1), reduction="batchmean") * T * T
 *    L = ce, or with distillation [(1 - a) * ce[0] + a * kl, ce[1]]
 *    total = w[0] * L[0] + w[1] * L[1]; total.backward(); Z.grad */
import { describe, expect, test } from "vitest";
import { gradientGraph } from "../../src/autodiff/gradient.js";
import { fromNumbers, type Tensor, toNumbers } from "../../src/core/tensor.js";
import { GraphBuilder } from "../../src/graph/builder.js";
import { checkGraph } from "../../src/graph/checker.js";
import type { Graph } from "../../src/graph/graph.js";
import { inferShapes } from "../../src/graph/infer.js";
import { emptyGraph } from "../../src/graph/op.js";
import { ortNode } from "../../src/node/ort-node/index.js";
import { opTable } from "../../src/ops/table.js";
import { runReference } from "../../src/runtime/reference.js";
import type { DistillConfig } from "../../src/training/recipe/config.js";
import { mixedLoss } from "../../src/training/step/losses.js";
import { inFloat64 } from "../support/float64.js";
import { random } from "../support/gradcheck.js";

interface Case {
  /** Logits per exit, image and class. */
  readonly logits: readonly (readonly (readonly number[])[])[];
  readonly labels: readonly number[];
  readonly weights: readonly number[];
  readonly labelSmoothing: number;
  readonly distill?: DistillConfig;
}

interface Result {
  readonly total: number;
  readonly perExit: readonly number[];
  readonly correct: readonly number[];
  /** d total / d logits of each exit, flattened. */
  readonly grads: readonly (readonly number[])[];
}

/** Loss and gradients as a graph over inputs z0, z1, ..., labels, weights; the batch is a name. */
function graphOf({ logits, labelSmoothing, distill }: Case): Graph {
  const b = new GraphBuilder(emptyGraph("loss", 17));
  const classes = logits[0]?.[0]?.length;
  const exits = logits.map((_, k) => b.input(`z${k}`, "float32", ["n", classes]));
  const labels = b.input("labels", "int64", ["n"]);
  const weights = b.input("weights", "float32", [logits.length]);
  const loss = mixedLoss(b, { exits, labels, classes, weights, labelSmoothing, distill });
  for (const name of [loss.perExit, loss.correct, loss.total]) b.output(name, "float32", undefined);
  const graph = gradientGraph(inferShapes(b.build(), opTable), opTable, {
    loss: loss.total,
    wrt: exits,
    names: exits.map((name) => `d_${name}`),
    keep: [loss.perExit, loss.correct],
    constants: loss.constants,
  });
  checkGraph(graph, opTable);
  return graph;
}

const feedsOf = (c: Case, dtype: "float32" | "float64"): Record<string, Tensor> => ({
  ...Object.fromEntries(
    c.logits.map((rows, k) => [`z${k}`, fromNumbers(dtype, [rows.length, rows[0]?.length ?? 0], rows.flat())]),
  ),
  labels: fromNumbers("int64", [c.labels.length], c.labels),
  weights: fromNumbers(dtype, [c.weights.length], c.weights),
});

function resultOf(graph: Graph, results: Readonly<Record<string, Tensor>>): Result {
  const [perExit, correct, total, ...grads] = graph.outputs.map(({ name }) => [...toNumbers(results[name])]);
  return { perExit: perExit, correct: correct, total: total?.[0], grads };
}

const run = (c: Case): Result => {
  const graph = graphOf(c);
  return resultOf(graph, runReference(inFloat64(graph), feedsOf(c, "float64")));
};

const softmax = (z: readonly number[]): number[] => {
  const e = z.map((v) => Math.exp(v));
  const sum = e.reduce((a, v) => a + v, 0);
  return e.map((v) => v / sum);
};
const sumOf = (values: readonly number[]): number => values.reduce((a, v) => a + v, 0);
const meanOf = (values: readonly number[]): number => sumOf(values) / values.length;

/** (1 - e) * CE + e * mean over classes of -log p (Szegedy et al. 2016, section 7). */
function smoothedCrossEntropy(z: readonly number[], label: number, e: number): number {
  const logs = softmax(z).map((p) => Math.log(p));
  return -(1 - e) * logs[label] - e * meanOf(logs);
}

/** T^2 * KL(softmax(t / T), softmax(s / T)) (Hinton et al. 2015, section 2). */
function divergence(t: readonly number[], s: readonly number[], T: number): number {
  const [p, q] = [softmax(t.map((v) => v / T)), softmax(s.map((v) => v / T))];
  return T * T * sumOf(p.map((v, j) => v * Math.log(v / q[j])));
}

/** Losses per exit; the teacher's logits are an argument of their own, so that they can be held still. */
function plainLosses(c: Case, teacher = c.logits.at(-1) ?? []): number[] {
  const final = c.logits.length - 1;
  return c.logits.map((rows, k) =>
    meanOf(
      rows.map((z, n) => {
        const hard = smoothedCrossEntropy(z, c.labels[n], c.labelSmoothing);
        if (!c.distill || k === final) return hard;
        const { weight, temperature } = c.distill;
        return (1 - weight) * hard + weight * divergence(teacher[n], z, temperature);
      }),
    ),
  );
}

const plainTotal = (c: Case, teacher?: Case["logits"][number]): number =>
  sumOf(plainLosses(c, teacher).map((loss, k) => loss * c.weights[k]));

/** Central difference of the total by one logit, the teacher held still. */
function slope(c: Case, at: { readonly exit: number; readonly row: number; readonly column: number }): number {
  const h = 1e-5;
  const moved = (by: number): Case => ({
    ...c,
    logits: c.logits.map((rows, k) =>
      rows.map((z, n) => z.map((v, j) => (k === at.exit && n === at.row && j === at.column ? v + by : v))),
    ),
  });
  const teacher = c.logits.at(-1);
  return (plainTotal(moved(h), teacher) - plainTotal(moved(-h), teacher)) / (2 * h);
}

function drawn(exits: number, images: number, classes: number, rest: Partial<Case> = {}): Case {
  const values = toNumbers(random([exits, images, classes], 5));
  const logits = Array.from({ length: exits }, (_, k) =>
    Array.from({ length: images }, (_, n) =>
      Array.from({ length: classes }, (_, j) => 2 * values[(k * images + n) * classes + j]),
    ),
  );
  const labels = Array.from({ length: images }, (_, n) => (3 * n + 1) % classes);
  return {
    logits,
    labels,
    weights: Array.from({ length: exits }, (_, k) => 0.3 + 0.2 * k),
    labelSmoothing: 0,
    ...rest,
  };
}

const CASES: readonly (readonly [string, Case])[] = [
  ["one exit", drawn(1, 4, 5)],
  ["one exit with smoothed labels", drawn(1, 4, 5, { labelSmoothing: 0.2 })],
  ["three exits, one of them without weight", drawn(3, 4, 5, { weights: [0.4, 0, 1] })],
  ["distillation", drawn(3, 4, 5, { distill: { temperature: 3, weight: 0.4 } })],
  [
    "distillation alone, with smoothed labels",
    drawn(3, 4, 5, { labelSmoothing: 0.1, distill: { temperature: 1, weight: 1 } }),
  ],
  ["distillation of a network with one exit", drawn(1, 4, 5, { distill: { temperature: 3, weight: 0.4 } })],
];

/** Constants of the graph (shares, smoothed targets) are float32 numbers, exact to 6e-8 of their size. */
const near = (got: number | undefined, want: number, what: string): void =>
  expect(Math.abs((got as number) - want), `${what}: got ${got}, want ${want}`).toBeLessThan(
    1e-6 * Math.max(1, Math.abs(want)),
  );

describe.each(CASES)("%s", (_, c) => {
  test("has the formulas' losses and their weighted sum", () => {
    const { total, perExit } = run(c);
    plainLosses(c).forEach((loss, k) => near(perExit[k], loss, `exit ${k}`));
    near(total, plainTotal(c), "total");
  });

  test("has the slope of the total as gradient of every logit", () => {
    const { grads } = run(c);
    c.logits.forEach((rows, exit) =>
      rows.forEach((z, row) =>
        z.forEach((_, column) =>
          near(grads[exit]?.[row * z.length + column], slope(c, { exit, row, column }), `${exit} ${row} ${column}`),
        ),
      ),
    );
  });

  test("is the same on ONNX Runtime in float32", async () => {
    const graph = graphOf(c);
    const session = await ortNode({ threads: 1 }).compile(graph);
    const got = resultOf(graph, await session.run(feedsOf(c, "float32")));
    await session.release();
    const want = run(c);
    const flat = ({ total, perExit, correct, grads }: Result) => [total, ...perExit, ...correct, ...grads.flat()];
    flat(want).forEach((v, i) => expect(Math.abs(flat(got)[i] - v)).toBeLessThan(5e-6 * Math.max(1, Math.abs(v))));
  });
});

describe("against PyTorch", () => {
  const c: Case = {
    logits: [
      [
        [1, -0.5, 0.25],
        [0, 2, -1],
      ],
      [
        [0.5, 0.5, -2],
        [3, -1, 1],
      ],
    ],
    labels: [0, 2],
    weights: [0.3, 1],
    labelSmoothing: 0.1,
  };
  const final = [
    -0.2265227722865322, 0.2234772277134678, 0.0030455445730643675, 0.4167399994320007, -0.008728546678433287,
    -0.4080114527535675,
  ];
  const same = (got: Result, want: Omit<Result, "correct">) => {
    near(got.total, want.total, "total");
    want.perExit.forEach((v, k) => near(got.perExit[k], v, `exit ${k}`));
    want.grads.forEach((grad, k) => grad.forEach((v, i) => near(got.grads[k]?.[i], v, `gradient ${k} ${i}`)));
  };

  test("cross-entropy with smoothed labels", () =>
    same(run(c), {
      perExit: [1.8197442150391312, 1.4798173783302222],
      total: 2.0257406428419618,
      grads: [
        [
          -0.05153035045147811, 0.014740247072037152, 0.036790103379440955, 0.012129279907689174, 0.12156921017220093,
          -0.1336984900798901,
        ],
        final,
      ],
    }));

  test("distillation", () =>
    same(run({ ...c, distill: { temperature: 3, weight: 0.4 } }), {
      perExit: [1.8325657828775779, 1.4798173783302222],
      total: 2.0295871131934957,
      grads: [
        [
          -0.029391169872681505, -0.019320484382034125, 0.048711654254715624, -0.04489285562769543, 0.14191954356513484,
          -0.0970266879374394,
        ],
        final,
      ],
    }));
});

test("counts the images that each exit names right; of equal logits the first counts", () => {
  const logits = [
    [
      [0, 5, 1],
      [9, 2, 3],
      [1, 1, 0],
    ],
    [
      [0, 1, 5],
      [9, 2, 3],
      [0, 1, 1],
    ],
  ];
  expect(run({ logits, labels: [1, 2, 1], weights: [1, 1], labelSmoothing: 0 }).correct).toEqual([1, 1]);
});

test("stays finite for logits as large as a diverging network has", () => {
  const logits = [[[1e4, -1e4, 0]], [[-1e4, 1e4, 0]]];
  const weights = [1, 1];
  const { total, grads } = run({
    logits,
    labels: [1],
    weights,
    labelSmoothing: 0,
    distill: { temperature: 1, weight: 0.5 },
  });
  near(total, 0.5 * 2e4 + 0.5 * 2e4, "total");
  near(grads[0]?.[0], 1, "gradient of the wrong class");
  near(grads[0]?.[1], -1, "gradient of the right class");
});

test("the number of nodes does not grow with the number of exits, but for their stacking", () => {
  const forward = (exits: number): number => {
    const b = new GraphBuilder(emptyGraph("loss", 17));
    const logits = Array.from({ length: exits }, (_, k) => b.input(`z${k}`, "float32", ["n", 5]));
    const [labels, weights] = [b.input("labels", "int64", ["n"]), b.input("weights", "float32", [exits])];
    mixedLoss(b, { exits: logits, labels, classes: 5, weights, labelSmoothing: 0 });
    return b.build().nodes.length;
  };
  expect(forward(7) - forward(1)).toBe(6);
});
