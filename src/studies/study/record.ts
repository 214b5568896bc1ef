/** @file Makes the record of a study from the results of its tasks. */

import { METHODS, type MethodName } from "../../attacks/methods/table.js";
import { present } from "../../core/present.js";
import { parseQuantity } from "../../core/units.js";
import { costShareOf } from "../../dynamic/model/units.js";
import { meanCostFraction } from "../../measures/cost.js";
import { wilson } from "../../measures/statistics/index.js";
import { policySchema } from "../../schema/policy.js";
import type { Check } from "../../schema/study/claims.js";
import type { StudyPlan } from "../../schema/study/plan.js";
import {
  type Claim,
  type QuestionResults,
  type Role,
  STUDY_RECORD_VERSION,
  type StudyRecord,
  studyRecordSchema,
} from "../../schema/study/record.js";
import { gateRecords } from "../../schema/units.js";
import type { TaskStore } from "../tasks/store.js";
import { canonicalJson, type Json } from "../tasks/task.js";
import { assay } from "./assay.js";
import { familyOf } from "./attack-family.js";
import type { StudyTasks } from "./builder.js";
import type { ClaimData } from "./claims/index.js";
import { type CompiledStudy, compileStudy, planHash } from "./compile.js";
import type { Findings } from "./questions/question.js";
import { QUESTIONS } from "./questions/table.js";
import { routedAnswers, StudyResults } from "./results.js";
import { cellsOf, judgeStudy, verdictsOf } from "./verdicts.js";

/** Facts about a study that its plan does not hold. */
export interface StudyFacts {
  /** Whether the plan differs from the one that the study began with. */
  readonly edited: boolean;
  /** What was not done, and why. */
  readonly notRun: StudyRecord["notRun"];
  /** Version of dynn. */
  readonly version: string;
}

/** Makes the record of a finished study.
 * @param store holds the results of all tasks of the plan
 * @throws DynnError 'store/damaged', 'store/unreachable' */
export async function studyRecord(plan: StudyPlan, store: TaskStore, facts: StudyFacts): Promise<StudyRecord> {
  const compiled = compileStudy(plan);
  const results = new StudyResults(store);
  const checks = await assay(compiled.assay, results);
  const findings = await findingsOf(compiled, results);
  const explored = compiled.exploring && (await exploratory(compiled.exploring, results));
  const judged = judgeStudy(plan, claimData(findings, checks));
  return studyRecordSchema.parse({
    schemaVersion: STUDY_RECORD_VERSION,
    tool: { name: "dynn", version: facts.version },
    ...{ name: plan.name, tier: plan.tier, seed: plan.seed },
    plan: { sha256: planHash(plan), edited: facts.edited, text: canonicalJson(plan as unknown as Json) },
    radius: {
      ...{ primary: plan.radius.transfer, whiteBox: plan.radius.whiteBox },
      all: [plan.radius.whiteBox, plan.radius.transfer, ...plan.radius.shown],
    },
    data: Object.entries(plan.data).map(([name, each]) => ({
      ...{ name, classes: each.classes, samples: countOf(each.reported), validation: countOf(each.validation) },
    })),
    networks: await networkRecords(compiled, results),
    blocks: plan.blocks.map(({ networks: _, ...block }) => block),
    attacks: plan.attacks.map(attackRecord),
    verdicts: verdictsOf(judged, checks, reasons(findings)),
    cells: cellsOf(judged),
    questions: questionsOf(findings),
    ...(explored && { exploratory: explored.record }),
    notRun: [...facts.notRun, ...missing(plan), ...notRunIn(findings), ...(explored?.notRun ?? [])],
    environment: await environment(compiled, results),
  });
}

async function findingsOf(
  { tasks, needs }: Pick<CompiledStudy, "tasks" | "needs">,
  results: StudyResults,
): Promise<ReadonlyMap<Claim, Findings>> {
  const findings = new Map<Claim, Findings>();
  for (const [claim, each] of needs) findings.set(claim, await QUESTIONS[claim].analyse(each, tasks, results));
  return findings;
}

const questionsOf = (findings: ReadonlyMap<Claim, Findings>): QuestionResults => ({
  ...EMPTY,
  ...Object.assign({}, ...[...findings.values()].map(({ part }) => part)),
});

const notRunIn = (findings: ReadonlyMap<Claim, Findings>): StudyRecord["notRun"] =>
  [...findings.values()].flatMap(({ notRun }) => notRun);

/** The questions on networks that skip blocks. A block without such a network is not listed as
 * missing. */
async function exploratory({ tasks, ...rest }: NonNullable<CompiledStudy["exploring"]>, results: StudyResults) {
  const findings = await findingsOf({ tasks, ...rest }, results);
  const without = tasks.plan.blocks.filter(({ networks }) => networks.joint === undefined).map(({ name }) => name);
  return {
    record: { questions: questionsOf(findings), checks: await assay(rest.assay, results) },
    notRun: notRunIn(findings)
      .filter(({ what }) => !without.some((block) => what.endsWith(` of ${block}`)))
      .map(({ what, why }) => ({ what: `skipped blocks: ${what}`, why })),
  };
}

const EMPTY: QuestionResults = {
  robustness: [],
  transfer: { matrices: [], effects: [], overall: [] },
  yield: [],
  cost: [],
  firstExit: [],
  early: { rows: [], coefficients: [] },
};

const countOf = ({ records }: StudyPlan["data"][string]["reported"]): number =>
  Array.isArray(records) ? records.length : records.count;

const claimData = (findings: ReadonlyMap<string, Findings>, checks: readonly Check[]): Record<string, ClaimData> =>
  Object.fromEntries([...findings].map(([claim, { tables }]) => [claim, { blocks: tables, checks }]));

/** Per question, why parts of it were not measured. */
const reasons = (findings: ReadonlyMap<string, Findings>): Record<string, string> =>
  Object.fromEntries(
    [...findings].flatMap(([claim, { notRun }]) =>
      notRun.length === 0 ? [] : [[claim, [...new Set(notRun.map(({ why }) => why))].join("; ")]],
    ),
  );

const missing = ({ blocks }: StudyPlan): StudyRecord["notRun"] =>
  blocks.flatMap(({ name, missing: lacking }) =>
    lacking.map(({ role, network }) => ({ what: `${role} network of ${name}`, why: `${network} is not trained yet` })),
  );

async function networkRecords({ tasks }: CompiledStudy, results: StudyResults): Promise<StudyRecord["networks"]> {
  const placed = tasks.plan.blocks.flatMap(({ name, networks }) =>
    (Object.entries(networks) as [Role, string][]).map(([role, network]) => ({ block: name, role, network })),
  );
  const records: StudyRecord["networks"] = [];
  for (const { block, role, network } of placed) {
    const { spec, parameters, exits, gates = [] } = tasks.network(network);
    const sha256 = await digestOf(network, tasks, results);
    const answers = await results.answers(tasks.clean(network, "reported"));
    const policy = await results.policy(tasks.policy({ network }));
    const routed = routedAnswers(answers, policy);
    const right = (said: (i: number) => number) =>
      wilson(answers.labels.filter((label, i) => said(i) === label).length, answers.labels.length);
    records.push({
      ...{ name: network, spec, sha256, block, role, parameters },
      policy: policySchema.parse(policy),
      exits: exits.map(({ name, macs, costFraction }, k) => ({
        ...{ name, macs, costFraction },
        accuracy: right((i) => answers.answers[i][k]),
      })),
      ...gateRecords({ exits, gates }),
      routed: right((i) => routed[i].label),
      cost: meanCostFraction(routed.map((path) => costShareOf(tasks.units(network), path))),
    });
  }
  return records;
}

/** The digest of a network of the plan, or of the one that a task trained. */
async function digestOf(network: string, tasks: StudyTasks, results: StudyResults): Promise<string> {
  const { sha256 } = tasks.network(network);
  if (sha256 !== null) return sha256;
  return (await results.trained(present(tasks.trained(network), `the task that trains ${network}`))).sha256;
}

function attackRecord(attack: StudyPlan["attacks"][number]): StudyRecord["attacks"][number] {
  const { name, on: _on, uses: _uses, goal, method = "pgd", norm, radius, ...parameters } = attack;
  const { norms, budget } = METHODS[method as MethodName];
  return {
    ...{ name, method: String(method), goal: String(goal ?? "misclassify:final"), norm: String(norm ?? norms[0]) },
    radius: budget === "closest" || radius === undefined ? null : parseQuantity(radius as number | string, "radius"),
    family: familyOf(attack),
    parameters: Object.fromEntries(
      Object.entries(parameters).flatMap(([key, value]) => {
        const plain = typeof value === "number" || typeof value === "string" || typeof value === "boolean";
        return plain ? [[key, value]] : [];
      }),
    ),
  };
}

/** Versions, machines and seconds of all tasks. */
async function environment({ tasks }: CompiledStudy, results: StudyResults): Promise<StudyRecord["environment"]> {
  const versions = new Set<string>();
  const machines = new Set<string>();
  let seconds = 0;
  for (const { key } of tasks.graph.all()) {
    const { facts } = await results.manifest(key);
    if (typeof facts.version === "string") versions.add(facts.version);
    if (typeof facts.machine === "string") machines.add(facts.machine);
    if (typeof facts.seconds === "number") seconds += facts.seconds;
  }
  return { versions: [...versions], machines: [...machines], seconds };
}
