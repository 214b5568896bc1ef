/** @file A finished study whose results are drawn at random: no network runs, and every kind of task has rows. */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { sha256 } from "../../src/core/digest.js";
import { VERSION } from "../../src/core/version.js";
import { writeParquet } from "../../src/data/parquet.js";
import { objectName } from "../../src/node/store/blobs.js";
import type { SharedStore } from "../../src/node/store/shared.js";
import type { Rule } from "../../src/schema/policy.js";
import type { StudyFileInput } from "../../src/schema/study/file.js";
import { studyFileSchema } from "../../src/schema/study/file.js";
import type { PlannedNetwork, StudyPlan } from "../../src/schema/study/plan.js";
import { type DataRef, recordsOf } from "../../src/schema/study/references.js";
import {
  ANSWER_COLUMNS,
  GATE_ROW_COLUMNS,
  type GateRow,
  LATENCY_COLUMNS,
  OUTCOME_COLUMNS,
  PACE_COLUMNS,
  SLOPE_COLUMNS,
} from "../../src/schema/study/tables.js";
import { compileStudy, planHash } from "../../src/studies/study/compile.js";
import { makePlan } from "../../src/studies/study/plan.js";
import { memoryStore } from "../../src/studies/tasks/memory-store.js";
import type { TaskStore } from "../../src/studies/tasks/store.js";
import type { Task, TaskKey } from "../../src/studies/tasks/task.js";
import { Draws } from "./draws.js";

const digest = (text: string): string => sha256(new TextEncoder().encode(text));

const CLASSES = 4;

const network = (spec: string, exits: number, gates: number): PlannedNetwork => ({
  ...{ spec, sha256: digest(spec), parameters: 1000, classes: CLASSES, legalCuts: 5 + 2 * exits },
  exits: Array.from({ length: exits }, (_, k) => ({
    ...{ name: `exit${k}`, output: `out${k}`, macs: 100 * (k + 1), costFraction: (k + 1) / exits },
  })),
  ...(gates === 0 ? {} : { gates: Array.from({ length: gates }, (_, k) => gate(k, exits)) }),
});

/** Gates lie before the exits in turn, and save less than the work between two exits. */
const gate = (k: number, exits: number) => {
  const macs = 10 + 3 * k;
  return { name: `gate${k}`, macs, costFraction: macs / (100 * exits), exit: k % exits };
};

const NETWORKS: Readonly<Record<string, PlannedNetwork>> = Object.fromEntries(
  [
    ["a-static.onnx", 1, 0],
    ["a-joint.onnx", 4, 0],
    ["a-dense.onnx", 7, 0],
    ["a-gates.onnx", 1, 4],
    ["b-static.onnx", 1, 0],
    ["b-joint.onnx", 3, 0],
    ["b-gates.onnx", 3, 5],
  ].map(([spec, exits, gates]) => [spec, network(String(spec), Number(exits), Number(gates))]),
);

const pgd = { method: "pgd", steps: 3 };
const ATTACKS: StudyFileInput["attacks"] = [
  {
    name: "pgd-final",
    on: "any",
    uses: ["transfer", "cost", "yield"],
    goal: "misclassify:final",
    ...pgd,
    radius: 0.02,
  },
  { name: "pgd-routed", on: "dynamic", uses: ["transfer", "cost", "yield"], goal: "routed", ...pgd, radius: 0.02 },
  { name: "white", on: "any", uses: ["white-box"], goal: "misclassify:final", ...pgd, radius: 0.01 },
  { name: "sign-noise", on: "any", uses: ["control", "cost"], method: "sign-noise", radius: 0.02 },
  { name: "slowdown", on: "dynamic", uses: ["slowdown"], goal: "slowdown", ...pgd, radius: 0.02 },
  { name: "check-radius", on: "any", uses: ["check"], ...pgd, radius: 0.5 },
  { name: "early", on: "dynamic", uses: ["early"], goal: "early:minimum", method: "fmn", norm: "l2" },
];

const reference = (name: string, from: number, count: number): DataRef => ({
  ...{ name, sha256: digest(`${name} ${from} ${count}`), records: { from, count } },
});

/** The plan: two blocks on one data set. */
export function madePlan(rule: Rule, fallback: "final" | "most-confident"): StudyPlan {
  const file = studyFileSchema.parse({
    name: "made",
    policy: { rule, fallback },
    questions: ["C0", "C1", "C2", "C3", "C4", "C5"],
    data: { drawn: { records: "sample" } },
    attacks: ATTACKS,
    blocks: [
      {
        ...{ cell: "a", data: "drawn" },
        networks: { static: "a-static.onnx", joint: "a-joint.onnx", dense: "a-dense.onnx", gates: "a-gates.onnx" },
      },
      {
        ...{ cell: "b", data: "drawn" },
        networks: { static: "b-static.onnx", joint: "b-joint.onnx", gates: "b-gates.onnx" },
      },
    ],
  } satisfies StudyFileInput);
  const data = {
    ...{ spec: "sample", classes: CLASSES, reported: reference("drawn", 0, 60) },
    ...{ validation: reference("drawn", 60, 60), checks: reference("drawn", 0, 20) },
  };
  const targets = [
    { name: "rad:5%", target: { kind: "rad", loss: 0.05 } },
    { name: "budget:50%", target: { kind: "budget", cost: 0.5 } },
  ] as StudyPlan["policy"]["targets"];
  return makePlan(
    file,
    { networks: new Map(Object.entries(NETWORKS)), data: { drawn: data }, targets },
    { tier: null, version: VERSION },
  );
}

/** A store of drawn results, quicker than a folder that flushes every file. */
export async function drawnStore(plan: StudyPlan, folder: string): Promise<SharedStore> {
  const memory = memoryStore();
  const store: SharedStore = {
    ...{ ...memory, id: folder, folder },
    publish: async (key, task, result) => {
      const manifest = await memory.publish(key, task, result);
      for (const [name, bytes] of Object.entries(result.files)) {
        const path = join(folder, objectName(manifest.files[name].sha256));
        mkdirSync(dirname(path), { recursive: true });
        writeFileSync(path, bytes);
      }
      return manifest;
    },
  };
  await publishDrawn(plan, store);
  return store;
}

/** Publishes drawn results of all tasks.
 * @param left keys of tasks that stay undone */
export async function publishDrawn(plan: StudyPlan, store: TaskStore, left: ReadonlySet<TaskKey> = new Set()) {
  const { graph } = compileStudy(plan).tasks;
  for (const { key, task } of graph.all()) {
    if (left.has(key)) continue;
    const files = drawn(task, plan, new Draws(key));
    await store.publish(key, task, { files, facts: { seconds: 0.5, version: VERSION } });
  }
}

/** Writes what `dynn study run\` leaves beside the store. */
export function writeStudyFolder(folder: string, plan: StudyPlan): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "plan.json"), JSON.stringify(plan));
  writeFileSync(join(folder, "begun.json"), JSON.stringify({ plan: planHash(plan), store: join(folder, "store") }));
}

const labelOf = (sample: number): number => sample % CLASSES;

function drawn(task: Task, plan: StudyPlan, draws: Draws): Record<string, Uint8Array> {
  const given = task.parameters as { readonly network?: { readonly name: string }; readonly data?: DataRef };
  const samples = given.data ? recordsOf(given.data) : [];
  switch (task.kind) {
    case "answers": {
      const { exits: all, gates = [] } = plan.networks[given.network?.name ?? ""];
      const exits = all.length;
      const rows = samples.flatMap((sample) => answersOf(sample, exits, draws, "images" in task.inputs, plan));
      const answers = { "answers.parquet": writeParquet(rows, ANSWER_COLUMNS) };
      if (gates.length === 0) return answers;
      const bits = samples.flatMap((sample) => gateRowsOf(sample, gates, draws));
      return { ...answers, "gates.parquet": writeParquet(bits, GATE_ROW_COLUMNS) };
    }
    case "craft":
      return {
        "outcomes.parquet": writeParquet(
          samples.map((sample) => outcomeOf(sample, draws)),
          OUTCOME_COLUMNS,
        ),
      };
    case "thresholds":
      return { "policy.json": policyOf(task, plan, draws) };
    case "latency": {
      const sets = [0, ...(task.inputs.images ?? []).map((_, i) => i + 1)];
      const rows = sets.flatMap((set) => samples.map((sample) => ({ set, round: 0, sample, ms: 1 + draws.next() })));
      return { "latency.parquet": writeParquet(rows, LATENCY_COLUMNS) };
    }
    case "pace": {
      const rows = [0, 1].map((contestant) => ({ contestant, round: 0, seconds: 1 + draws.next(), samples: 20 }));
      return { "pace.parquet": writeParquet(rows, PACE_COLUMNS) };
    }
    default:
      return {
        "slopes.parquet": writeParquet(
          samples.map((sample) => ({ sample, gradient: 1, difference: 1, same: true })),
          SLOPE_COLUMNS,
        ),
      };
  }
}

/** Clean answers are mostly right, and attacked ones half of the time. */
function answersOf(sample: number, exits: number, draws: Draws, attacked: boolean, { policy }: StudyPlan) {
  const label = labelOf(sample);
  return Array.from({ length: exits }, (_, exit) => {
    const right = draws.next() < (attacked ? 0.5 : 0.9);
    const answer = right ? label : (label + 1 + Math.floor(draws.next() * (CLASSES - 1))) % CLASSES;
    // Few different values, so that thresholds are met exactly and exits are equally confident.
    const confidence = Math.round(draws.next() * 8) / (policy.rule === "entropy" ? 6 : 8);
    return { sample, exit, label, answer, confidence, margin: draws.next() - 0.5 };
  });
}

const gateRowsOf = (sample: number, gates: readonly { readonly exit: number }[], draws: Draws): GateRow[] =>
  gates.map(({ exit }, gate) => {
    const score = draws.next() - 0.5;
    return { sample, gate, exit, score, threshold: 0, open: score >= 0 };
  });

function outcomeOf(sample: number, draws: Draws) {
  const success = draws.next() < 0.6;
  return {
    ...{ sample, label: labelOf(sample), eligible: draws.next() < 0.9, success },
    ...{ l0: 10, l1: draws.next(), l2: 0.1 + draws.next(), linf: 0.02, queries: 4, gradients: 3 },
    ...{
      forwardMacs: 400,
      backwardMacs: 600,
      macsToSuccess: success ? 500 : null,
      queriesToSuccess: success ? 2 : null,
    },
    vanished: false,
  };
}

function policyOf(task: Task, { policy: { rule, fallback } }: StudyPlan, draws: Draws): Uint8Array {
  const { exits, costs } = task.parameters as { readonly exits?: number[]; readonly costs: number[] };
  const early = (exits ?? costs).length - 1;
  const thresholds =
    rule === "patience"
      ? [2]
      : Array.from({ length: early }, () => (rule === "entropy" ? 2 / 6 : Math.round(4 + draws.next() * 3) / 8));
  return new TextEncoder().encode(JSON.stringify({ rule, fallback, thresholds }));
}
