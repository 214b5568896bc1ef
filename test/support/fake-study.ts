/** @file A study whose results are made up, so that every number of its record is known. Tasks are
 *  not run: a store gets what they would have left. */
import { writeParquet } from "../../src/data/parquet.js";
import { checkedStudyFile } from "../../src/node/studies/plan.js";
import type { StudyPlan } from "../../src/schema/study/plan.js";
import type { Role } from "../../src/schema/study/record.js";
import { type DataRef, recordsOf } from "../../src/schema/study/references.js";
import {
  ANSWER_COLUMNS,
  type AnswerRow,
  LATENCY_COLUMNS,
  OUTCOME_COLUMNS,
  PACE_COLUMNS,
  SLOPE_COLUMNS,
} from "../../src/schema/study/tables.js";
import { battery } from "../../src/studies/study/battery.js";
import { compileStudy } from "../../src/studies/study/compile.js";
import { makePlan } from "../../src/studies/study/plan.js";
import { memoryStore } from "../../src/studies/tasks/memory-store.js";
import type { TaskStore } from "../../src/studies/tasks/store.js";
import type { Task } from "../../src/studies/tasks/task.js";

/** Costs of the exits of a dynamic network. */
export const COSTS = [0.1, 0.2, 0.4, 0.6, 0.8, 1];
const MACS = 1_000_000;
const SAMPLES = 60;

/** Attacks of the made-up study: one or two for each use. */
const ATTACKS: ReadonlySet<string> = new Set([
  ...["pgd-final", "pgd-routed", "pgd-final@8", "white-pgd", "white-pgd-routed", "deepfool"],
  ...["early", "sign-noise", "slowdown", "check-radius"],
]);
const RADIUS = { transfer: 4 / 255, whiteBox: 1 / 255, shown: [8 / 255] };

/** What is planted. */
export interface Truth {
  /** Share of samples that an attack made on one role fools on another network. */
  readonly transfer: (from: Role, to: Role, block: number) => number;
  /** Share that falls white-box. */
  readonly own: (role: Role, block: number) => number;
  /** Share of the other exits that flip when one exit is attacked alone. */
  readonly dependency: (role: Role, block: number) => number;
  /** Share of clean samples that every network has wrong. Default: 0. */
  readonly cleanWrong?: number;
  /** Norm at which the early attack succeeds. */
  readonly norm: (exits: readonly number[], role: Role, block: number) => number;
}

const hex = (text: string): string =>
  Array.from({ length: 64 }, (_, i) => (text.charCodeAt(i % text.length) % 16).toString(16)).join("");

/** The plan of a study with some blocks. Block i has the architecture `net(i % 3)`. */
export function fakePlan(blocks: number, roles: readonly Role[] = ["static", "joint", "ic-only"]): StudyPlan {
  const at = Array.from({ length: blocks }, (_, i) => i);
  const name = (i: number, role: Role) => `net${i % 3}-${role}-s${Math.floor(i / 3)}`;
  const file = checkedStudyFile(
    {
      name: "made up",
      data: { images: { records: "sample" } },
      samples: SAMPLES,
      radius: RADIUS,
      attacks: battery(RADIUS).filter(({ name: attack }) => ATTACKS.has(attack)),
      blocks: at.map((i) => ({
        ...{ cell: `net${i % 3}-images`, architecture: `net${i % 3}`, seed: Math.floor(i / 3), data: "images" },
        networks: Object.fromEntries(roles.map((role) => [role, name(i, role)])),
      })),
    },
    "test",
  );
  const exits = COSTS.map((costFraction, k) => ({
    ...{ name: `exit${k}`, output: `exit${k}`, costFraction },
    macs: Math.round(MACS * costFraction),
  }));
  const networks = at.flatMap((i) =>
    roles.map((role) => {
      const own = role === "static" ? exits.slice(-1) : exits;
      return [
        name(i, role),
        {
          spec: name(i, role),
          sha256: hex(name(i, role)),
          parameters: 1,
          classes: 2,
          legalCuts: 8 + 4 * (i % 3),
          exits: own,
        },
      ] as const;
    }),
  );
  const reference = (records: DataRef["records"]): DataRef => ({
    name: "images",
    sha256: hex(JSON.stringify(records)),
    records,
  });
  return makePlan(
    file,
    {
      networks: new Map(networks),
      data: {
        images: {
          ...{ spec: "sample", classes: 2 },
          reported: reference({ from: 0, count: SAMPLES }),
          validation: reference({ from: SAMPLES, count: SAMPLES }),
          checks: reference({ from: 0, count: 20 }),
        },
      },
      targets: [{ name: "rad:5%", target: { kind: "rad", loss: 0.05 } }],
    },
    { tier: null, version: "test" },
  );
}

/** A store with the results that follow from the truth. */
export async function fakeStore(plan: StudyPlan, truth: Truth): Promise<TaskStore> {
  const store = memoryStore();
  const { graph } = compileStudy(plan).tasks;
  for (const { key, task } of graph.all()) {
    const files = filesOf(task, plan, truth, (input) => graph.get(input));
    await store.publish(key, task, { files, facts: { seconds: 1, version: "test" } });
  }
  return store;
}

interface Parameters {
  readonly network: { readonly name: string; readonly exits?: readonly string[] };
  readonly data: DataRef;
  readonly attack: { readonly name: string; readonly radius?: number; readonly goal?: string };
  readonly costs: readonly number[];
  readonly exits?: readonly number[];
  readonly sets: readonly string[];
}

function filesOf(task: Task, plan: StudyPlan, truth: Truth, get: (key: string) => Task): Record<string, Uint8Array> {
  const parameters = task.parameters as unknown as Parameters;
  if (task.kind === "thresholds") {
    const count = (parameters.exits ?? parameters.costs).length - 1;
    const policy = { rule: "max-softmax", fallback: "final", thresholds: new Array<number>(count).fill(0.5) };
    return { "policy.json": new TextEncoder().encode(JSON.stringify(policy)) };
  }
  if (task.kind === "answers") {
    const [input] = task.inputs.images ?? [];
    const rows = answers(parameters, plan, truth, input === undefined ? undefined : get(input));
    return {
      "answers.parquet": writeParquet(rows, ANSWER_COLUMNS),
    };
  }
  if (task.kind === "craft")
    return { "outcomes.parquet": writeParquet(outcomes(parameters, plan, truth), OUTCOME_COLUMNS) };
  if (task.kind === "latency") {
    const rows = [0, ...parameters.sets.map((_, i) => i + 1)].flatMap((set) =>
      [0, 1, 2].flatMap((round) => [0, 1].map((sample) => ({ set, round, sample, ms: 1 + set }))),
    );
    return { "latency.parquet": writeParquet(rows, LATENCY_COLUMNS) };
  }
  if (task.kind === "pace") {
    const rows = [0, 1].flatMap((contestant) =>
      [0, 1, 2].map((round) => ({ contestant, round, seconds: 2 - contestant, samples: 20 })),
    );
    return { "pace.parquet": writeParquet(rows, PACE_COLUMNS) };
  }
  return { "slopes.parquet": writeParquet([{ sample: 0, gradient: 1, difference: 1.001, same: true }], SLOPE_COLUMNS) };
}

function placeOf(network: string, plan: StudyPlan): { role: Role; block: number } {
  const block = plan.blocks.findIndex(({ networks }) => Object.values(networks).includes(network));
  const [role] = Object.entries(plan.blocks[block].networks).find(([, name]) => name === network) ?? [];
  return { role: role as Role, block };
}

/** Share of samples that are fooled. Noise fools none, and radius 0.5 all. */
function shareOf({ attack, network }: Parameters, target: string, plan: StudyPlan, truth: Truth): number {
  if (attack.name === "sign-noise" || attack.name === "slowdown") return 0;
  if (attack.name === "check-radius") return 1;
  const [from, to] = [placeOf(network.name, plan), placeOf(target, plan)];
  return network.name === target ? truth.own(from.role, from.block) : truth.transfer(from.role, to.role, from.block);
}

/** Clean answers are right. Half of the samples are confident at every exit, and the others at none.
 * A slowdown attack takes the confidence away. Fooled samples are wrong at every exit. */
function answers({ network, data }: Parameters, plan: StudyPlan, truth: Truth, crafted: Task | undefined): AnswerRow[] {
  const exits = plan.networks[network.name].exits.length;
  const attack = crafted && (crafted.parameters as unknown as Parameters);
  const records = recordsOf(data);
  const share = attack ? shareOf(attack, network.name, plan, truth) : (truth.cleanWrong ?? 0);
  const aimed = attack && attack.attack.goal === "early:minimum" ? new Set(attack.network.exits) : undefined;
  const place = placeOf(network.name, plan);
  const dependency = truth.dependency(place.role, place.block);
  return records.flatMap((sample, i) =>
    Array.from({ length: exits }, (_, exit): AnswerRow => {
      const label = sample % 2;
      const depends = aimed?.size === 2 && i < Math.round(dependency * records.length);
      const early = exit < exits - 1 && (aimed?.has(`exit${exit}`) === true || depends);
      const wrong = aimed ? early : i < Math.round(share * records.length);
      const confident = sample % 4 < 2 && attack?.attack.name !== "slowdown";
      return {
        sample,
        exit,
        label,
        answer: wrong ? 1 - label : label,
        confidence: confident ? 0.9 : 0.1,
        margin: wrong ? -1 : 1,
      };
    }),
  );
}

function outcomes(given: Parameters, plan: StudyPlan, truth: Truth) {
  const { network, data, attack } = given;
  const records = recordsOf(data);
  const share = shareOf(given, network.name, plan, truth);
  const { block, role } = placeOf(network.name, plan);
  const isEarly = attack.goal === "early:minimum";
  const places = (network.exits ?? plan.networks[network.name].exits.map(({ output }) => output))
    .slice(0, -1)
    .map((name) => Number(name.replace("exit", "")));
  const work = role === "static" ? 3 * MACS : 2 * MACS;
  return records.map((sample, i) => {
    const success = isEarly || i < Math.round(share * records.length);
    const l2 = isEarly ? truth.norm(places, role, block) : 0.1;
    return {
      ...{ sample, label: sample % 2, eligible: true, success, l0: 1, l1: l2, l2, linf: 0.01 },
      ...{ queries: 10, gradients: 10, forwardMacs: work, backwardMacs: 2 * work },
      ...{ macsToSuccess: success ? work : null, queriesToSuccess: success ? 3 : null, vanished: false },
    };
  });
}
