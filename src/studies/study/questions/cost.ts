/** @file Claim C3: adversarial samples made on static networks do not raise the inference time of
 *  dynamic ones. A slowdown attack is the positive control, and noise the negative one. Source:
 *  docs/study.md, claim C3 (ICLR text). */
import { present } from "../../../core/present.js";
import { costShareOf, type Units } from "../../../dynamic/model/units.js";
import { percentile } from "../../../measures/percentile.js";
import { tTest } from "../../../measures/statistics/index.js";
import type { PlannedAttack } from "../../../schema/study/plan.js";
import type { CostShift, Estimate, StudyRecord } from "../../../schema/study/record.js";
import type { TaskKey } from "../../tasks/task.js";
import { familyOf } from "../attack-family.js";
import type { Crafted, StudyTasks } from "../builder.js";
import type { BlockTable } from "../claims/table.js";
import { type Placed, placed, placedOn } from "../kinship.js";
import { routedAnswers, type StudyResults } from "../results.js";
import { mean, noSample, question } from "./question.js";

/** One set of attacked images on the dynamic network. */
interface Attacked {
  readonly attack: PlannedAttack;
  readonly judged: TaskKey;
  /** Place among the timed sets. Undefined: not timed. */
  readonly timed: number | undefined;
}

interface BlockNeeds {
  readonly place: Placed;
  readonly units: Units;
  readonly clean: TaskKey;
  readonly policy: TaskKey | undefined;
  /** By surrogate: the primary attack of every static network on the data set. */
  readonly primary: readonly TaskKey[];
  readonly sets: readonly Attacked[];
  readonly latency: TaskKey | undefined;
}

const TIMED = { samples: 100, rounds: 3 };

export const costOfAttacks = question<readonly BlockNeeds[]>({
  claim: "C3",
  source: "abstract of the study (ICLR text)",
  unit: "full cost",
  scale: "share",
  needs: (tasks) =>
    tasks.plan.blocks.flatMap((block) => needsOf(placed(block, "static"), placed(block, "joint"), tasks)),
  analyse: async (needs, _tasks, results) => {
    const tables: BlockTable[] = [];
    const shifts: CostShift[] = [];
    const notRun: StudyRecord["notRun"] = [];
    for (const each of needs) {
      const columns = await columnsOf(each, results);
      const { name, cell } = each.place.block;
      if (columns["cost clean"].length > 0) tables.push({ id: name, cell, columns });
      else notRun.push(noSample(`change of cost of ${name}`));
      shifts.push(...(await shiftsOf(each, results)));
    }
    return { tables, part: { cost: shifts }, notRun };
  },
});

function needsOf(fixed: Placed | undefined, dynamic: Placed | undefined, tasks: StudyTasks): BlockNeeds[] {
  if (!fixed || !dynamic) return [];
  const from = (network: string, attack: PlannedAttack): Crafted => ({
    part: { network },
    attack,
    records: "reported",
  });
  const onStatic = tasks.attacksFor("cost", fixed.network);
  const [primary] = onStatic;
  const sets = [
    ...onStatic.map((attack) => from(fixed.network, attack)),
    ...tasks.attacksFor("slowdown", dynamic.network).map((attack) => from(dynamic.network, attack)),
  ];
  const timed = tasks.plan.timing ? sets.filter(({ attack }) => isTimed(attack, primary)) : [];
  return [
    {
      place: dynamic,
      units: tasks.units(dynamic.network),
      clean: tasks.clean(dynamic.network, "reported"),
      policy: tasks.policy({ network: dynamic.network }),
      primary: placedOn(tasks.plan, fixed.block.data, ["static"]).map(({ network }) =>
        tasks.judge(dynamic.network, from(network, primary)),
      ),
      sets: sets.map((set) => ({
        attack: set.attack,
        judged: tasks.judge(dynamic.network, set),
        timed: timed.includes(set) ? timed.indexOf(set) : undefined,
      })),
      latency: timed.length > 0 ? tasks.latency(dynamic.network, timed, TIMED) : undefined,
    },
  ];
}

/** The primary attack and both controls are timed. */
const isTimed = (attack: PlannedAttack, primary: PlannedAttack): boolean =>
  attack === primary || attack.uses.includes("control") || attack.uses.includes("slowdown");

interface Clean {
  readonly cost: readonly number[];
  readonly label: readonly number[];
  /** Places of the samples that are right when clean. */
  readonly right: readonly number[];
}

async function cleanOf({ clean, policy, units }: BlockNeeds, results: StudyResults): Promise<Clean> {
  const answers = await results.answers(clean);
  const routed = routedAnswers(answers, await results.policy(policy));
  return {
    cost: routed.map((path) => costShareOf(units, path)),
    label: routed.map(({ label }) => label),
    right: routed.flatMap(({ label }, i) => (label === answers.labels[i] ? [i] : [])),
  };
}

/** Per sample that is right when clean: the change of its cost. */
async function shiftOn(judged: TaskKey, needs: BlockNeeds, clean: Clean, results: StudyResults) {
  const routed = routedAnswers(await results.answers(judged), await results.policy(needs.policy));
  return clean.right.map((i) => ({
    shift: costShareOf(needs.units, routed[i]) - clean.cost[i],
    changed: routed[i].label !== clean.label[i],
  }));
}

/** Per sample that is right when clean: its cost when clean, under the primary attack of every
 * static network, and under both controls. */
async function columnsOf(needs: BlockNeeds, results: StudyResults): Promise<BlockTable["columns"]> {
  const clean = await cleanOf(needs, results);
  const under = async (keys: readonly TaskKey[]): Promise<number[]> => {
    const all = await Promise.all(keys.map((key) => shiftOn(key, needs, clean, results)));
    return clean.right.map((i, k) => clean.cost[i] + mean(all.map((rows) => rows[k].shift)));
  };
  const of = (test: (attack: PlannedAttack) => boolean): TaskKey[] =>
    needs.sets.filter(({ attack }) => test(attack)).map(({ judged }) => judged);
  return {
    "cost clean": clean.right.map((i) => clean.cost[i]),
    "cost attacked": await under(needs.primary),
    "cost slowdown": await under(of(({ uses }) => uses.includes("slowdown"))),
    "cost noise": await under(of(({ uses }) => uses.includes("control"))),
  };
}

async function shiftsOf(needs: BlockNeeds, results: StudyResults): Promise<CostShift[]> {
  const clean = await cleanOf(needs, results);
  const times = needs.latency === undefined ? undefined : await timesOf(needs.latency, results);
  const shifts: CostShift[] = [];
  for (const { attack, judged, timed } of needs.sets) {
    const rows = await shiftOn(judged, needs, clean, results);
    const some = (changed: boolean): number | null => {
      const own = rows.filter((row) => row.changed === changed);
      return own.length === 0 ? null : mean(own.map(({ shift }) => shift));
    };
    shifts.push({
      ...{ block: needs.place.block.name, attack: attack.name, family: familyOf(attack), samples: rows.length },
      shift: meanWithInterval(rows.map(({ shift }) => shift)),
      fooled: some(true),
      kept: some(false),
      ...measured(times, timed),
    });
  }
  return shifts;
}

/** Milliseconds of each set, one list per set: the median over the rounds for each sample. */
async function timesOf(key: TaskKey, results: StudyResults): Promise<ReadonlyMap<number, readonly number[]>> {
  const bySet = new Map<number, Map<number, number[]>>();
  for (const { set, sample, ms } of await results.latency(key)) {
    const samples = bySet.get(set) ?? new Map<number, number[]>();
    bySet.set(set, samples.set(sample, [...(samples.get(sample) ?? []), ms]));
  }
  return new Map([...bySet].map(([set, samples]) => [set, [...samples.values()].map((ms) => percentile(ms, 50))]));
}

function measured(
  times: ReadonlyMap<number, readonly number[]> | undefined,
  timed: number | undefined,
): Pick<CostShift, "milliseconds" | "p99"> {
  if (!times || timed === undefined) return { milliseconds: null, p99: null };
  const clean = present(times.get(0), "the times of clean images");
  const own = present(times.get(timed + 1), "the times of a set");
  return {
    milliseconds: meanWithInterval(own.map((ms, i) => ms - clean[i])),
    p99: percentile(own, 99) / percentile(clean, 99),
  };
}

function meanWithInterval(values: readonly number[]): Estimate {
  if (values.length < 2) return { value: mean(values), low: null, high: null };
  const { low, high } = tTest(values);
  return { value: mean(values), low, high };
}
