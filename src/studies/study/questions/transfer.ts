/** @file Claim C1: adversarial samples of dynamic networks transfer better to static ones than the
 *  other way round. Every network is a surrogate and a target. Source: docs/study.md, claim C1. */
import { present } from "../../../core/present.js";
import { parseQuantity } from "../../../core/units.js";
import { wilson } from "../../../measures/statistics/index.js";
import type { PlannedAttack } from "../../../schema/study/plan.js";
import type { Kinship, StudyRecord, TransferEffects, TransferMatrix } from "../../../schema/study/record.js";
import type { TaskKey } from "../../tasks/task.js";
import type { StudyTasks } from "../builder.js";
import type { BlockTable } from "../claims/table.js";
import { dataOf, kinshipOf, type Placed, placedOn } from "../kinship.js";
import { routedAnswers, type StudyResults } from "../results.js";
import { mean, noSample, question } from "./question.js";
import { differenceOf, overallOf } from "./transfer-effects.js";

/** One attack on one surrogate, with the answers of every target. */
interface Row {
  readonly surrogate: Placed;
  readonly attack: PlannedAttack;
  readonly judged: readonly TaskKey[];
}

interface DataNeeds {
  readonly data: string;
  readonly networks: readonly Placed[];
  readonly clean: readonly TaskKey[];
  readonly policies: readonly (TaskKey | undefined)[];
  readonly rows: readonly Row[];
}

export const transfer = question<readonly DataNeeds[]>({
  claim: "C1",
  source: "abstract of the study (ICLR text)",
  unit: "transfer success",
  scale: "share",
  needs: (tasks) => dataOf(tasks.plan).map((data) => needsOn(data, tasks)),
  analyse: async (needs, tasks, results) => {
    const matrices: TransferMatrix[] = [];
    const effects: TransferEffects[] = [];
    const tables: BlockTable[] = [];
    const notRun: StudyRecord["notRun"] = [];
    for (const each of needs) {
      const fooled = await readAll(each, results);
      if (fooled.eligible === 0) notRun.push(noSample(`transfer on ${each.data}`));
      matrices.push(...attackNames(each).map((attack) => matrixOf(each, attack, fooled)));
      for (const { block } of each.networks.filter(({ role }) => role === "static")) {
        effects.push(...effectsOf(block.name, each, fooled));
        const columns = columnsOf(block.name, each, fooled, primaryOf(tasks).name);
        if (columns && fooled.eligible > 0) tables.push({ id: block.name, cell: block.cell, columns });
      }
    }
    return { tables, part: { transfer: { matrices, effects, overall: overallOf(effects) } }, notRun };
  },
});

function needsOn(data: string, tasks: StudyTasks): DataNeeds {
  const networks = placedOn(tasks.plan, data, ["static", "joint"]);
  return {
    data,
    networks,
    clean: networks.map(({ network }) => tasks.clean(network, "reported")),
    policies: networks.map(({ network }) => tasks.policy({ network })),
    rows: networks.flatMap((surrogate) =>
      tasks.attacksFor("transfer", surrogate.network).map((attack) => {
        const crafted = { part: { network: surrogate.network }, attack, records: "reported" as const };
        return { surrogate, attack, judged: networks.map(({ network }) => tasks.judge(network, crafted)) };
      }),
    ),
  };
}

/** Per row and target: whether the routed answer is wrong, for the eligible samples. */
interface Fooled {
  readonly eligible: number;
  readonly wrong: readonly (readonly (readonly number[])[])[];
}

async function readAll({ clean, policies, rows }: DataNeeds, results: StudyResults): Promise<Fooled> {
  const rules = await Promise.all(policies.map((key) => results.policy(key)));
  const wrongOf = async (key: TaskKey, target: number): Promise<number[]> => {
    const answers = await results.answers(key);
    return routedAnswers(answers, rules[target]).map(({ label }, i) => Number(label !== answers.labels[i]));
  };
  const wrongClean = await Promise.all(clean.map(wrongOf));
  const eligible = (wrongClean[0] ?? []).flatMap((_, i) => (wrongClean.some((wrong) => wrong[i] === 1) ? [] : [i]));
  const wrong: number[][][] = [];
  for (const { judged } of rows) {
    const all = await Promise.all(judged.map(wrongOf));
    wrong.push(all.map((target) => eligible.map((i) => target[i])));
  }
  return { eligible: eligible.length, wrong };
}

const attackNames = ({ rows }: DataNeeds): string[] => [...new Set(rows.map(({ attack }) => attack.name))];

export const radiusOf = ({ radius }: PlannedAttack): number | null =>
  radius === undefined || radius === null ? null : parseQuantity(radius as number | string, "radius");

function matrixOf({ data, networks, rows }: DataNeeds, name: string, { eligible, wrong }: Fooled): TransferMatrix {
  const at = rows.flatMap((row, i) => (row.attack.name === name ? [i] : []));
  return {
    data,
    attack: name,
    radius: radiusOf(present(rows[at[0]], "row").attack),
    surrogates: at.map((i) => rows[i].surrogate.network),
    targets: networks.map(({ network }) => network),
    success: at.map((i) =>
      wrong[i].map((target) =>
        wilson(
          target.reduce((a, b) => a + b, 0),
          eligible,
        ),
      ),
    ),
    kinship: at.map((i) => networks.map((target) => kinshipOf(rows[i].surrogate, target))),
    eligible,
  };
}

/** The attack that the endpoint is about: the first one that is made on every network. */
export const primaryOf = ({ plan }: Pick<StudyTasks, "plan">): PlannedAttack =>
  present(
    plan.attacks.find(({ on, uses }) => uses.includes("transfer") && on === "any"),
    "an attack that transfers",
  );

const BLACK_BOX: ReadonlySet<Kinship> = new Set(["same-arch", "cross-arch"]);

/** Per sample: the mean over the targets of one role that share no weights with the surrogate. */
function towards(
  block: string,
  from: "static" | "joint",
  to: "static" | "joint",
  attack: string,
  { rows, networks }: DataNeeds,
  { wrong }: Fooled,
): number[] | undefined {
  const at = rows.findIndex(
    ({ surrogate, attack: { name } }) => surrogate.block.name === block && surrogate.role === from && name === attack,
  );
  if (at < 0) return undefined;
  const targets = networks.flatMap((target, k) =>
    target.role === to && BLACK_BOX.has(kinshipOf(rows[at].surrogate, target)) ? [k] : [],
  );
  if (targets.length === 0) return undefined;
  return wrong[at][0].map((_, i) => mean(targets.map((k) => wrong[at][k][i])));
}

/** The columns of the claim for one block. Undefined without a pair of networks. */
function columnsOf(block: string, needs: DataNeeds, fooled: Fooled, attack: string): BlockTable["columns"] | undefined {
  const outward = towards(block, "joint", "static", attack, needs, fooled);
  const inward = towards(block, "static", "joint", attack, needs, fooled);
  return outward && inward && { "joint to static": outward, "static to joint": inward };
}

/** Per attack on the dynamic network: its transfer beside that of the same attack on the static
 * one. */
function effectsOf(block: string, needs: DataNeeds, fooled: Fooled): TransferEffects[] {
  const own = needs.rows.filter(({ surrogate }) => surrogate.block.name === block);
  return own
    .filter(({ surrogate }) => surrogate.role === "joint")
    .flatMap(({ attack }) => {
      const twin = twinOf(attack, own);
      const fell = (from: "static" | "joint", to: "static" | "joint", name: string) =>
        towards(block, from, to, name, needs, fooled);
      const [ds, sd] = [fell("joint", "static", attack.name), twin && fell("static", "joint", twin.name)];
      if (ds === undefined || sd === undefined || !twin) return [];
      const ss = fell("static", "static", twin.name);
      return {
        ...{
          block,
          attack: attack.name,
          objective: String(attack.goal ?? "misclassify:final"),
          radius: radiusOf(attack),
        },
        asymmetry: differenceOf(ds, sd),
        surrogate: ss === undefined ? null : differenceOf(ds, ss),
        target: ss === undefined ? null : differenceOf(ss, sd),
      };
    });
}

/** The attack on the static network with the same method and radius. */
const twinOf = (attack: PlannedAttack, rows: readonly Row[]): PlannedAttack | undefined =>
  rows.find(
    ({ surrogate, attack: other }) =>
      surrogate.role === "static" && other.method === attack.method && radiusOf(other) === radiusOf(attack),
  )?.attack;
