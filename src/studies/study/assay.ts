/** @file The assay checks of a study: what must hold before a number means anything. Their names
 *  are those of the protocol of claims. Source: docs/study.md, "Assay checks". */
import type { Check } from "../../schema/study/claims.js";
import type { Use } from "../../schema/study/file.js";
import type { PlannedAttack } from "../../schema/study/plan.js";
import type { Role } from "../../schema/study/record.js";
import type { TaskKey } from "../tasks/task.js";
import type { Crafted, StudyTasks } from "./builder.js";
import { dataOf, kinshipOf, type Placed, placedOn } from "./kinship.js";
import { mean } from "./questions/question.js";
import { primaryOf, radiusOf } from "./questions/transfer.js";
import { type Answers, routedAnswers, type StudyResults } from "./results.js";

/** One attack judged on one network. */
interface Judged {
  readonly attack: PlannedAttack;
  readonly judged: TaskKey;
}

interface NetworkNeeds {
  readonly place: Placed;
  readonly clean: TaskKey;
  readonly policy: TaskKey | undefined;
  /** The primary attack on the network itself, at rising radii. */
  readonly own: readonly Judged[];
  readonly crafted: readonly TaskKey[];
  readonly large: TaskKey | undefined;
  readonly noise: TaskKey | undefined;
  /** Undefined for a network with gates: attacks on it follow surrogates, which no finite
   * difference has. */
  readonly slopes: TaskKey | undefined;
}

/** One target: attacks on itself, and the primary attack of every other network. */
interface TransferNeeds {
  /** Place among the networks. */
  readonly target: number;
  readonly own: readonly TaskKey[];
  readonly others: readonly TaskKey[];
}

/** The tasks of the checks. */
export interface AssayNeeds {
  readonly networks: readonly NetworkNeeds[];
  readonly transfers: readonly TransferNeeds[];
}

/** Records of the gradient check. */
const SLOPES = 20;

/** Adds the tasks of the checks.
 * @param checked parts whose networks are checked */
export function assayNeeds(tasks: StudyTasks, checked: readonly Role[] = ["static", "joint"]): AssayNeeds {
  const on = (roles: readonly Role[]) => dataOf(tasks.plan).flatMap((data) => placedOn(tasks.plan, data, roles));
  const places = on(checked);
  const others = on(["static", "joint"]);
  return {
    networks: places.map((place) => networkNeeds(place, tasks)),
    transfers: places.map((place, i) => transferNeeds(place, i, others, tasks)),
  };
}

function networkNeeds(place: Placed, tasks: StudyTasks): NetworkNeeds {
  const part = { network: place.network };
  const on = (attack: PlannedAttack, records: Crafted["records"] = "reported"): Crafted => ({ part, attack, records });
  const used = (use: Use) => tasks.attacksFor(use, place.network);
  const primary = primaryOf(tasks);
  const ladder = used("transfer")
    .filter(({ method, goal, on: who }) => who === "any" && method === primary.method && goal === primary.goal)
    .sort((a, b) => (radiusOf(a) ?? 0) - (radiusOf(b) ?? 0));
  const [large] = used("check");
  const [noise] = used("control");
  const isStaged = tasks.exits(part).length > 1;
  const routed = tasks.plan.attacks.find(({ goal, on: who }) => isStaged && goal === "routed" && who === "dynamic");
  return {
    place,
    clean: tasks.clean(place.network, "reported"),
    policy: tasks.policy(part),
    own: ladder.map((attack) => ({ attack, judged: tasks.judge(place.network, on(attack)) })),
    crafted: ladder.map((attack) => tasks.craft(on(attack))),
    large: large && tasks.judge(place.network, on(large, "checks")),
    noise: noise && tasks.judge(place.network, on(noise)),
    slopes: tasks.network(place.network).gates ? undefined : tasks.slopes(part, routed ?? primary, SLOPES),
  };
}

function transferNeeds(target: Placed, at: number, places: readonly Placed[], tasks: StudyTasks): TransferNeeds {
  const primary = primaryOf(tasks);
  const judged = ({ network }: Placed, attack: PlannedAttack): TaskKey =>
    tasks.judge(target.network, { part: { network }, attack, records: "reported" });
  const strong = tasks
    .attacksFor("transfer", target.network)
    .filter((attack) => radiusOf(attack) === radiusOf(primary));
  return {
    target: at,
    own: strong.map((attack) => judged(target, attack)),
    others: places
      .filter((other) => other.block.data === target.block.data && kinshipOf(other, target) !== "same")
      .map((other) => judged(other, primary)),
  };
}

/** A network with what it answers wrongly: shares among the samples that are right when clean. */
interface Reader {
  readonly routed: (judged: TaskKey | undefined) => Promise<number | undefined>;
  /** At the final exit, which attacks with the goal misclassify:final are about. */
  readonly final: (judged: TaskKey | undefined) => Promise<number | undefined>;
}

async function readerOf({ clean, policy }: NetworkNeeds, results: StudyResults): Promise<Reader> {
  const rule = await results.policy(policy);
  const routed = (answers: Answers): number[] => routedAnswers(answers, rule).map(({ label }) => label);
  const final = ({ answers }: Answers): number[] => answers.map((row) => row.at(-1) ?? -1);
  const unharmed = await results.answers(clean);
  const wrongBy = (said: (answers: Answers) => number[]): Reader["routed"] => {
    const right = said(unharmed).map((label, i) => label === unharmed.labels[i]);
    return async (judged) => {
      if (judged === undefined) return undefined;
      const attacked = await results.answers(judged);
      const labels = said(attacked);
      const eligible = labels.flatMap((_, i) => (right[i] ? [i] : []));
      return mean(eligible.map((i) => Number(labels[i] !== attacked.labels[i])));
    };
  };
  return { routed: wrongBy(routed), final: wrongBy(final) };
}

/** Makes the checks. One that cannot be made is left out, and so counts as failed. */
export async function assay({ networks, transfers }: AssayNeeds, results: StudyResults): Promise<Check[]> {
  const readers = await Promise.all(networks.map((one) => readerOf(one, results)));
  const each = async (of: (one: NetworkNeeds, reader: Reader) => Promise<number | undefined>): Promise<number[]> =>
    (await Promise.all(networks.map((one, i) => of(one, readers[i])))).filter((value) => value !== undefined);
  const strongest = async (keys: readonly TaskKey[], { routed }: Reader): Promise<number> =>
    Math.max(0, ...(await Promise.all(keys.map(async (key) => (await routed(key)) ?? 0))));
  const excess = await Promise.all(
    transfers.map(
      async ({ target, own, others }) =>
        (await strongest(others, readers[target])) - (await strongest(own, readers[target])),
    ),
  );
  const steps = await each(async ({ own }, { final }) => {
    const rates = await Promise.all(own.map(async ({ judged }) => (await final(judged)) ?? 0));
    return Math.max(0, ...rates.slice(1).map((rate, i) => rates[i] - rate));
  });
  const noise = await each(async ({ own, noise: key }, { final }) => {
    const primary = own.at(Math.floor(own.length / 2));
    const [attack, random] = [await final(primary?.judged), await final(key)];
    return attack === undefined || random === undefined ? undefined : attack - random;
  });
  const vanished = await each(async ({ crafted }) => {
    const rows = (await Promise.all(crafted.map((key) => results.outcomes(key)))).flat();
    return mean(rows.map((row) => Number(row.vanished)));
  });
  return [
    most(
      "white-box at least as strong as transfer",
      excess,
      0.03,
      "transfer beats the attack on the network itself by",
    ),
    most("more steps or radius never weaker", steps, 0.01, "a larger radius breaks fewer samples, by"),
    least(
      "radius 0.5 gives about 100 %",
      await each(({ large }, { final }) => final(large)),
      0.95,
      "radius 0.5 breaks",
    ),
    least("stronger than sign noise of the same norm", noise, 0, "the attack breaks more samples than noise, by"),
    most("zero gradients below 1 %", vanished, 0.01, "the gradient vanishes for"),
    most(
      "routed gradient equals finite differences",
      await each(({ slopes }) => slopeError(slopes, results)),
      0.05,
      "median relative error",
    ),
  ].filter((check) => check !== undefined);
}

/** Below this slope, per pixel unit, float32 rounds the difference of two losses away. */
const LEAST_SLOPE = 0.05;

/** The median relative error of slopes, where the exit does not change. */
async function slopeError(key: TaskKey | undefined, results: StudyResults): Promise<number | undefined> {
  if (key === undefined) return undefined;
  const rows = (await results.slopes(key)).filter(({ same, gradient }) => same && gradient > LEAST_SLOPE);
  const errors = rows
    .map(({ gradient, difference }) => Math.abs(difference - gradient) / gradient)
    .sort((a, b) => a - b);
  return errors[Math.floor(errors.length / 2)];
}

const most = (name: string, values: readonly number[], bound: number, what: string): Check | undefined =>
  values.length === 0
    ? undefined
    : check(name, Math.max(...values), Math.max(...values) <= bound, `${what} at most ${show(bound)}`);

const least = (name: string, values: readonly number[], bound: number, what: string): Check | undefined =>
  values.length === 0
    ? undefined
    : check(name, Math.min(...values), Math.min(...values) >= bound, `${what} at least ${show(bound)}`);

const check = (name: string, value: number, passed: boolean, expected: string): Check => ({
  name,
  passed,
  detail: `got ${show(value)}, expected: ${expected}`,
});

const show = (value: number): string => `${Number((100 * value).toFixed(2))} %`;
