/** @file Claim C5: the early attack is easier when the layers of a network depend less on each
 *  other and its exits are sparse. Several sets of exits of each network are attacked with
 *  minimum norm. Source: docs/study.md, claim C5. */

import { DynnError } from "../../../core/errors.js";
import { percentile } from "../../../measures/percentile.js";
import {
  type Coefficient,
  kaplanMeier,
  linearRegression,
  type RegressionRows,
} from "../../../measures/statistics/index.js";
import { forcedBit, gateThresholds } from "../../../schema/policy.js";
import type { PlannedAttack } from "../../../schema/study/plan.js";
import type { EarlyRow, Role, StudyRecord } from "../../../schema/study/record.js";
import type { TaskKey } from "../../tasks/task.js";
import type { KeptExits, StudyTasks } from "../builder.js";
import type { BlockTable } from "../claims/table.js";
import { type Placed, placed } from "../kinship.js";
import { routedAnswers, type StudyResults } from "../results.js";
import { mean, question } from "./question.js";

/** The attack on one set of exits. */
interface SetNeeds {
  /** Places of the early exits. */
  readonly exits: readonly number[];
  readonly crafted: TaskKey;
  readonly judged: TaskKey;
  readonly policy: TaskKey | undefined;
}

interface NetworkNeeds {
  readonly place: Placed;
  readonly clean: TaskKey;
  readonly sets: readonly SetNeeds[];
}

/** From ic-only to joint, the gradient of the heads into the backbone grows: 0, 0.1, 0.3, 1. */
const ROLES: readonly Role[] = ["joint", "ic-only", "dense", "dense-joint", "dense-joint-g0.1", "dense-joint-g0.3"];
/** The factors: number of early exits, and cost of the last one. */
const COUNTS = [1, 2, 3, 6];
const LAST_AT = [0.5, 0.75, 0.9];

export const early = question<readonly NetworkNeeds[]>({
  claim: "C5",
  source: "abstract of the study",
  unit: "log of the median L2",
  scale: "plain",
  needs: (tasks) => {
    const places = tasks.plan.blocks.flatMap((block) => ROLES.flatMap((role) => placed(block, role) ?? []));
    return places.flatMap((place) => {
      const [attack] = tasks.attacksFor("early", place.network);
      return attack ? needsOf(place, attack, tasks) : [];
    });
  },
  analyse: async (needs, tasks, results) => {
    const rows: EarlyRow[] = [];
    for (const each of needs) rows.push(...(await rowsOf(each, tasks, results)));
    const tables = tablesOf(rows, tasks);
    const coefficients = coefficientsOf(tables);
    // Without the regression there is no endpoint.
    return {
      tables: coefficients.length > 0 ? tables : [],
      part: { early: { rows, coefficients } },
      // Dependency is that between exits, so skipped blocks have no regression.
      notRun: coefficients.length > 0 || tasks.plan.blocks.every(({ skips }) => skips) ? [] : [UNABLE],
    };
  },
});

const UNABLE = {
  what: "regression of the early attack",
  why: "dependency, sparsity and number of exits do not vary independently over at least two blocks",
};

/** The sets of early exits: each one alone, all, and the factorial. */
export function exitSets(costs: readonly number[]): number[][] {
  const early = costs.slice(0, -1);
  const nearest = (share: number): number =>
    early.reduce((best, cost, k) => (Math.abs(cost - share) < Math.abs(early[best] - share) ? k : best), 0);
  const spread = (count: number, last: number): number[] =>
    Array.from({ length: count }, (_, i) => Math.round(((i + 1) * (last + 1)) / count) - 1);
  const factorial = LAST_AT.map(nearest).flatMap((last) =>
    COUNTS.filter((count) => count <= last + 1).map((count) => spread(count, last)),
  );
  const sets = [...early.map((_, k) => [k]), early.map((_, k) => k), ...factorial];
  return [...new Map(sets.map((set) => [set.join(), set])).values()];
}

function needsOf(place: Placed, attack: PlannedAttack, tasks: StudyTasks): NetworkNeeds {
  const { exits, gates } = tasks.network(place.network);
  const early = exits.slice(0, -1).map((_, k) => k);
  // A part of a network with gates would need a policy of its own.
  const sets = gates ? [early] : exitSets(exits.map((e) => e.costFraction));
  return {
    place,
    clean: tasks.clean(place.network, "checks"),
    sets: sets.map((set) => {
      const part: KeptExits = { network: place.network, ...(gates ? {} : { exits: [...set, exits.length - 1] }) };
      const crafted = { part, attack, records: "checks" as const };
      return {
        exits: set,
        crafted: tasks.craft(crafted),
        judged: tasks.judge(place.network, crafted),
        policy: tasks.policy(part),
      };
    }),
  };
}

async function rowsOf(
  { place, clean, sets }: NetworkNeeds,
  tasks: StudyTasks,
  results: StudyResults,
): Promise<EarlyRow[]> {
  const flips = await flipsAlone(clean, sets, results);
  const { exits, legalCuts, gates = [] } = tasks.network(place.network);
  const costs = exits.map((e) => e.costFraction);
  const rows: EarlyRow[] = [];
  for (const set of sets) {
    const outcomes = (await results.outcomes(set.crafted)).filter(({ eligible }) => eligible);
    const norms = outcomes.map(({ success, l2 }) => (success ? l2 : Infinity));
    const median = norms.length === 0 ? Infinity : percentile(norms, 50);
    const kept = [...set.exits.map((k) => costs[k]), 1];
    rows.push({
      ...{ block: place.block.name, network: place.network, role: place.block.skips ? "gates" : place.role },
      exits: set.exits.map((k) => exits[k].name),
      lastExit: costs[set.exits.at(-1) ?? 0],
      dependency: dependencyOf(set.exits, flips),
      sparsity: 1 - set.exits.length / Math.max(1, legalCuts),
      gap: Math.max(...kept.map((cost, i) => cost - (i === 0 ? 0 : kept[i - 1]))),
      samples: outcomes.length,
      successes: norms.filter(Number.isFinite).length,
      firing: await firingOf(set, exits.length - 1, gates.length, results),
      medianNorm: Number.isFinite(median) ? median : null,
      survival: survivalOf(norms),
    });
  }
  return rows;
}

/** Share without success against the norm. Failures are censored behind the largest success. */
function survivalOf(norms: readonly number[]): EarlyRow["survival"] {
  const limit = norms.filter(Number.isFinite).reduce((a, b) => Math.max(a, b), 0);
  if (norms.length === 0) return [];
  const steps = kaplanMeier({
    time: norms.map((norm) => (Number.isFinite(norm) ? norm : limit)),
    event: norms.map(Number.isFinite),
  });
  return steps.map(({ time, survival }) => ({ norm: time, remaining: survival }));
}

/** Per exit that is attacked alone: the share of its successes on which each exit flips. */
type Flips = ReadonlyMap<number, readonly number[]>;

async function flipsAlone(cleanKey: TaskKey, sets: readonly SetNeeds[], results: StudyResults): Promise<Flips> {
  const clean = await results.answers(cleanKey);
  const flips = new Map<number, number[]>();
  for (const { exits, crafted, judged } of sets.filter((set) => set.exits.length === 1)) {
    const outcomes = await results.outcomes(crafted);
    const attacked = await results.answers(judged);
    const wins = outcomes.flatMap(({ eligible, success }, i) => (eligible && success ? [i] : []));
    if (wins.length === 0) continue;
    const share = (j: number): number => mean(wins.map((i) => Number(attacked.answers[i][j] !== clean.answers[i][j])));
    flips.set(
      exits[0],
      clean.answers[0].map((_, j) => share(j)),
    );
  }
  return flips;
}

/** P(exit j flips | the attack is made on exit k alone), mean over the other early exits of the set
 * and over k. A set of one exit takes all exits of the network. */
function dependencyOf(exits: readonly number[], flips: Flips): number | null {
  const from = exits.filter((k) => flips.has(k));
  const values = from.flatMap((k) => {
    const row = flips.get(k) ?? [];
    const others = exits.length > 1 ? exits : row.slice(0, -1).map((_, j) => j);
    return others.filter((j) => j !== k).map((j) => row[j]);
  });
  return values.length === 0 ? null : mean(values);
}

/** Share of successes whose routed answer, with these exits alone, is not that of the final exit.
 * Null where a gate asks its score: a success then is a changed routed answer, and the final exit
 * is not the full network. */
async function firingOf(
  { exits, crafted, judged, policy: key }: SetNeeds,
  last: number,
  gates: number,
  results: StudyResults,
): Promise<number | null> {
  const policy = await results.policy(key);
  if (gateThresholds(policy, gates).some((threshold) => forcedBit(threshold) === undefined)) return null;
  const outcomes = await results.outcomes(crafted);
  const answers = await results.answers(judged);
  const routed = routedAnswers(answers, policy, [...exits, last]);
  const wins = outcomes.flatMap(({ eligible, success }, i) => (eligible && success ? [i] : []));
  return wins.length === 0 ? null : mean(wins.map((i) => Number(routed[i].label !== answers.answers[i][last])));
}

/** One row per set of exits whose median norm and dependency are known. */
function tablesOf(rows: readonly EarlyRow[], { plan }: Pick<StudyTasks, "plan">): BlockTable[] {
  return plan.blocks.flatMap(({ name, cell, architecture }) => {
    const own = rows.filter(({ block, medianNorm, dependency }) => block === name && medianNorm && dependency !== null);
    if (own.length === 0) return [];
    return {
      ...{ id: name, cell, factors: { architecture } },
      columns: {
        "log minimum L2": own.map(({ medianNorm }) => Math.log(medianNorm ?? 1)),
        dependency: own.map(({ dependency }) => dependency ?? 0),
        sparsity: own.map(({ sparsity }) => sparsity),
        exits: own.map(({ exits }) => exits.length),
      },
    };
  });
}

/** The regression of the logarithm of the median norm, with errors clustered by block. Empty where
 * the tables cannot carry it. */
function coefficientsOf(tables: readonly BlockTable[]): StudyRecord["questions"]["early"]["coefficients"] {
  const column = (name: string): number[] => tables.flatMap(({ columns }) => Array.from(columns[name]));
  const perRow = <T>(of: (table: BlockTable) => T): T[] =>
    tables.flatMap((table) => new Array<T>(table.columns.exits.length).fill(of(table)));
  const architecture = perRow(({ factors }) => factors?.architecture ?? "");
  const others = [...new Set(architecture)].slice(1);
  const names = ["dependency", "sparsity", "exits"];
  const columns = [...names.map(column), ...others.map((one) => architecture.map((name) => Number(name === one)))];
  const found = regressed({ y: column("log minimum L2"), columns, cluster: perRow(({ id }) => id) });
  return [...names, ...others].flatMap((name, i) => {
    const coefficient = found?.[i + 1];
    return coefficient ? { name, value: coefficient.value, error: coefficient.error, p: coefficient.p } : [];
  });
}

/** Undefined where the columns depend on each other, or there are too few rows or blocks. */
function regressed(rows: RegressionRows): readonly Coefficient[] | undefined {
  try {
    return linearRegression(rows).coefficients;
  } catch (error) {
    if (error instanceof DynnError && error.code === "statistics/value") return undefined;
    throw error;
  }
}
